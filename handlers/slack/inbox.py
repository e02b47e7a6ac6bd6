"""What comes in: typed lines, mentions and clicks become asks. Before the acknowledgement there is one insert and
nothing else; what a person is only told is told after it."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, assert_never

from handlers.chat import answers, clicks, grammar, thread, views, words
from handlers.chat.card import Card
from handlers.chat.clicks import ChooseWanted, LogWanted, UnreadableClickError
from handlers.chat.grammar import Parsed
from handlers.chat.help_card import help_card
from handlers.chat.sentences import Misread
from handlers.slack import arrivals, limits
from handlers.slack.arrivals import Arrival, Body
from handlers.slack.blocks import Message, action_of, card_message, lines_message, tail_message
from handlers.slack.choosing import Choosing
from handlers.slack.private import Private
from handlers.slack.workspace import Workspace
from pipelines.domain.commands import (
    Abort,
    Answer,
    Choose,
    Command,
    Deploy,
    Diff,
    Help,
    History,
    Look,
    Preview,
    Recent,
    Retry,
    Rollback,
    Status,
    Unbuilt,
    Who,
)
from pipelines.domain.gates import member
from pipelines.domain.model import Person
from pipelines.domain.refusals import Code, Refusal, refuse
from pipelines.shipmate import Doorman, RestartingError, Shipmate, noted, passing

log = logging.getLogger(__name__)

After = Coroutine[Any, Any, None]

ASK_SECONDS = 2.5  # Slack gives three
REMEMBERED = 5_000
UNREADABLE = "That button is from another version of Shipmate. Nothing was done; type what you want instead."


class Inbox:
    def __init__(
        self,
        shipmate: Shipmate,
        *,
        doorman: Doorman,
        workspace: Workspace,
        private: Private,
        choosing: Choosing,
        clock: Callable[[], datetime],
    ) -> None:
        self._shipmate = shipmate
        self._doorman = doorman
        self._workspace = workspace
        self._private = private
        self._choosing = choosing
        self._clock = clock
        self._answered: OrderedDict[str, None] = OrderedDict()

    async def typed(self, body: Body) -> After | None:
        """A slash command. What is to be done after the acknowledgement, if anything. Raises for a database that is
        away: then nothing was kept, and nothing is acknowledged."""
        arrival = arrivals.command(body, self._workspace)
        return await self._told(self._said(arrival), arrival)

    async def mentioned(self, body: Body) -> After | None:
        """A mention, or a direct message. As `typed`."""
        arrival = arrivals.message(body, self._workspace)
        return await self._told(self._said(arrival), arrival) if arrival else None

    async def clicked(self, body: Body) -> After | None:
        """A click on a button. As `typed`."""
        arrival = arrivals.click(body, self._workspace)
        return await self._told(self._pushed(body, arrival), arrival)

    async def _said(self, arrival: Arrival) -> After | None:
        return await self._heard(grammar.parse(arrival.said), arrival)

    async def _pushed(self, body: Body, arrival: Arrival) -> After | None:
        action = body["actions"][0]
        try:
            wanted = clicks.command_of(action_of(str(action["action_id"])), str(action.get("value") or ""))
        except UnreadableClickError:
            return self._tell(lines_message([UNREADABLE]), arrival)
        match wanted:
            case LogWanted():
                return self._show_log(wanted, arrival)
            case ChooseWanted(service=service):
                return await self._heard(Choose(service=service), arrival)
            case str():
                after = await self._heard(grammar.parse(wanted), arrival)
            case _:
                after = await self._heard(wanted, arrival)
        private = (body.get("container") or {}).get("is_ephemeral")
        if private and arrival.place.reply and not self._shipmate.closed:
            return self._pressed(arrival.place.reply, arrival.said, after)
        return after

    async def _told(self, hearing: Coroutine[Any, Any, After | None], arrival: Arrival) -> After | None:
        """What is to be done after the acknowledgement, and never ends in silence: an error of our own is told, too.
        Raised is only what may be otherwise in a moment: Slack tells the person, and brings a message again."""
        try:
            after = await hearing
        except Exception as error:
            if passing(error):
                raise
            self._first(arrival.key)
            after = self._broken(noted(log, "keeping what came from Slack", error), arrival)
        return None if after is None else self._or_broken(after, arrival)

    async def _or_broken(self, after: After, arrival: Arrival) -> None:
        try:
            await after
        except Exception as error:
            await self._broken(noted(log, "answering in Slack", error), arrival)

    def _broken(self, number: str, arrival: Arrival) -> After:
        return self._tell(card_message(self._refused(refuse(Code.BROKEN, id=number))), arrival)

    async def _heard(self, parsed: Parsed, arrival: Arrival) -> After | None:
        match parsed:
            case Deploy() | Rollback() | Abort() | Retry() | Answer():
                return await self._ask(parsed, arrival)
            case _ if self._shipmate.closed:
                return self._restarting(arrival)
            case (
                Misread() | Unbuilt() | Help() | Preview() | Status() | History() | Diff() | Who() | Recent() | Choose()
            ):
                return self._look(parsed, arrival) if self._first(arrival.key) else None
            case _:
                assert_never(parsed)

    def _first(self, key: str) -> bool:
        """False for what came before: Slack delivers again what was acknowledged late."""
        if key in self._answered:
            return False
        self._answered[key] = None
        if len(self._answered) > REMEMBERED:
            self._answered.popitem(last=False)
        return True

    async def _ask(self, command: Command, arrival: Arrival) -> After | None:
        if arrival.key in self._answered:
            return None  # it broke, and whoever asked was told that nothing was started
        try:
            async with asyncio.timeout(ASK_SECONDS):
                await self._shipmate.ask(command, by=arrival.by, place=arrival.place, key=f"slack-{arrival.key}")
        except RestartingError:
            return self._restarting(arrival)
        return None

    def _restarting(self, arrival: Arrival) -> After:
        return self._tell(lines_message([words.RESTARTING]), arrival)

    async def _look(self, wanted: Misread | Unbuilt | Help | Look, arrival: Arrival) -> None:
        if isinstance(wanted, Misread):
            await self._shipmate.misread(arrival.said, by=arrival.by, via="slack")
        person = await self._doorman.person(arrival.by)
        if gate := member(person):  # guests, bots and people of other workspaces may not even look
            await self._tell(card_message(self._refused(Refusal(gates=(gate,)))), arrival)
        elif isinstance(wanted, Choose) and await self._choosing.open(wanted, arrival):
            return
        else:
            await self._tell(card_message(await self._shown(wanted, arrival, person)), arrival)

    async def _shown(self, wanted: Misread | Unbuilt | Help | Look, arrival: Arrival, person: Person) -> Card:
        config = self._shipmate.config
        match wanted:
            case Misread():
                return answers.misread_card(wanted, arrival.said, config)
            case Unbuilt():
                return self._refused(words.not_built(wanted.name))
            case Help():
                return help_card(wanted, config)
            case _:
                view = await self._shipmate.look(wanted, by=person, channel=arrival.place.channel)
                if isinstance(view, Refusal):
                    return self._refused(view, arrival.said)
                return views.view_card(view, config, self._clock())

    def _refused(self, refusal: Refusal, said: str = "") -> Card:
        return answers.refusal_card(refusal, self._clock(), said=said, config=self._shipmate.config)

    async def _show_log(self, wanted: LogWanted, arrival: Arrival) -> None:
        """The last lines, to the person alone, and where the rest is."""
        gate = member(await self._doorman.person(arrival.by))
        deploy = await self._shipmate.deploy(wanted.deploy)
        if gate is not None or deploy is None:
            refusal = Refusal(gates=(gate,)) if gate else refuse(Code.NOTHING_ASKED)
            await self._tell(card_message(self._refused(refusal)), arrival)
            return
        pieces = await self._shipmate.output(deploy.id, last=limits.TAIL_READ)
        text = b"".join(piece.data for piece in pieces).decode(errors="replace")
        it = f"{deploy.plan.service} {deploy.plan.version} in {deploy.plan.environment}"
        if not text:
            await self._tell(lines_message([f"{it} printed nothing, or it is kept no longer."]), arrival)
            return
        title = f"The last lines of {it}. The whole log is a file in the thread of its message."
        await self._tell(tail_message(title, thread.tail(text)), arrival)

    async def _pressed(self, reply: str, label: str, after: After | None) -> None:
        await self._private.replace(reply, lines_message([f"{label}: on it."]))
        if after is not None:
            await after

    async def _tell(self, message: Message, arrival: Arrival) -> None:
        if not await self._private.tell_in_time(message, to=arrival.by, place=arrival.place):
            log.warning("there is no way to tell %s the answer", arrival.by.id)
