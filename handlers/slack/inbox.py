"""What comes in: typed lines and clicks become asks. Before the acknowledgement there is one insert and nothing else;
what a person is only told is told after it."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from typing import Any, assert_never

from handlers.chat import answers, card, clicks, grammar, status_card, thread, words
from handlers.chat.card import Card
from handlers.chat.clicks import LogWanted, UnreadableClickError
from handlers.chat.grammar import Misread, Parsed
from handlers.slack import limits
from handlers.slack.blocks import Message, action_of, card_message, lines_message, tail_message
from handlers.slack.private import Private
from handlers.slack.workspace import Workspace
from pipelines.domain.commands import Abort, Answer, Command, Deploy, Help, Retry, Rollback, Status, Unbuilt
from pipelines.domain.events import Place
from pipelines.domain.gates import member
from pipelines.domain.model import Person, PersonKind
from pipelines.domain.refusals import Code, Refusal, refuse
from pipelines.shipmate import Doorman, Shipmate, noted

log = logging.getLogger(__name__)

Body = Mapping[str, Any]
After = Coroutine[Any, Any, None]

ASK_SECONDS = 2.5  # Slack gives three
UNREADABLE = "That button is from another version of Shipmate. Nothing was done; type what you want instead."


class Inbox:
    def __init__(
        self,
        shipmate: Shipmate,
        *,
        doorman: Doorman,
        workspace: Workspace,
        private: Private,
        clock: Callable[[], datetime],
    ) -> None:
        self._shipmate = shipmate
        self._doorman = doorman
        self._workspace = workspace
        self._private = private
        self._clock = clock

    async def typed(self, body: Body, verb: str = "") -> After | None:
        """A slash command. What is to be done after the acknowledgement, if anything. Raises what the insert raises:
        then nothing was kept, and nothing is acknowledged."""
        by = self._person(str(body["user_id"]), str(body.get("user_name") or ""), body.get("team_id"))
        place = Place(surface="slack", channel=_text(body.get("channel_id")), reply=_text(body.get("response_url")))
        text = str(body.get("text") or "")
        after = await self._heard(grammar.parse(text, verb=verb), text, by, place, f"command-{body['trigger_id']}")
        return self._answered(after, by, place)

    async def clicked(self, body: Body) -> After | None:
        """A click on a button. As `typed`."""
        user, action = body["user"], body["actions"][0]
        team = user.get("team_id") or (body.get("team") or {}).get("id")
        by = self._person(str(user["id"]), str(user.get("name") or user.get("username") or ""), team)
        container = body.get("container") or {}
        place = Place(
            surface="slack",
            channel=_text((body.get("channel") or {}).get("id") or container.get("channel_id")),
            thread=_text(container.get("thread_ts")),
            reply=_text(body.get("response_url")),
        )
        label = str((action.get("text") or {}).get("text") or "The button")
        try:
            wanted = clicks.command_of(action_of(str(action["action_id"])), str(action.get("value") or ""))
        except UnreadableClickError:
            return self._tell(lines_message([UNREADABLE]), by, place)
        if isinstance(wanted, LogWanted):
            return self._answered(self._show_log(wanted, by, place), by, place)
        parsed = grammar.parse(wanted) if isinstance(wanted, str) else wanted
        after = await self._heard(parsed, str(wanted), by, place, f"click-{_once(body, action)}")
        if container.get("is_ephemeral") and place.reply:
            after = self._pressed(place.reply, label, after)
        return self._answered(after, by, place)

    def _answered(self, after: After | None, by: Person, place: Place) -> After | None:
        """What is to be done after the acknowledgement, and never ends in silence: an error of our own is told, too."""
        return None if after is None else self._or_broken(after, by, place)

    async def _or_broken(self, after: After, by: Person, place: Place) -> None:
        try:
            await after
        except Exception as error:
            number = noted(log, "answering in Slack", error)
            await self._tell(card_message(self._refused(refuse(Code.BROKEN, id=number))), by, place)

    def _person(self, slack_id: str, name: str, team: object) -> Person:
        """Somebody of another team is a stranger; while nobody knows which team is ours, everybody is unknown."""
        kind = PersonKind.MEMBER
        if self._workspace.team is None:
            kind = PersonKind.UNKNOWN
        elif team != self._workspace.team:
            kind = PersonKind.STRANGER
        return Person(id=slack_id, name=name or slack_id, kind=kind, slack=slack_id)

    async def _heard(self, parsed: Parsed, text: str, by: Person, place: Place, key: str) -> After | None:
        match parsed:
            case Deploy() | Rollback() | Abort() | Retry() | Answer():
                await self._ask(parsed, by, place, key)
                return None
            case Misread():
                return self._misread(parsed, text, by, place)
            case Unbuilt() | Help() | Status():
                return self._look(parsed, by, place)
            case _:
                assert_never(parsed)

    async def _ask(self, command: Command, by: Person, place: Place, key: str) -> None:
        async with asyncio.timeout(ASK_SECONDS):
            await self._shipmate.ask(command, by=by, place=place, key=f"slack-{key}")

    async def _misread(self, misread: Misread, text: str, by: Person, place: Place) -> None:
        await self._shipmate.misread(text, by=by, via="slack")
        refusal = await self._not_ours(by)
        shown = self._refused(refusal) if refusal else answers.misread_card(misread)
        await self._tell(card_message(shown), by, place)

    async def _look(self, wanted: Unbuilt | Help | Status, by: Person, place: Place) -> None:
        refusal = await self._not_ours(by)
        shown = self._refused(refusal) if refusal else await self._shown(wanted)
        await self._tell(card_message(shown), by, place)

    async def _shown(self, wanted: Unbuilt | Help | Status) -> Card:
        match wanted:
            case Unbuilt():
                return self._refused(words.not_built(wanted.name))
            case Help():
                return card.help_card(wanted, self._shipmate.config)
            case Status():
                views = await self._shipmate.look(wanted.service, wanted.environment)
                unknown = None if views else words.unknown_names(wanted, self._shipmate.config)
                if unknown is not None:
                    return self._refused(unknown)
                return status_card.status_card(views, self._clock(), self._shipmate.config_problems)
            case _:
                assert_never(wanted)

    async def _not_ours(self, by: Person) -> Refusal | None:
        """Guests, bots and people of other workspaces may not even look."""
        gate = member(await self._doorman.person(by))
        return Refusal(gates=(gate,)) if gate else None

    def _refused(self, refusal: Refusal) -> Card:
        return answers.refusal_card(refusal, self._clock())

    async def _show_log(self, wanted: LogWanted, by: Person, place: Place) -> None:
        """The last lines, to the person alone, and where the rest is."""
        refusal = await self._not_ours(by)
        deploy = await self._shipmate.deploy(wanted.deploy)
        if refusal is not None or deploy is None:
            shown = self._refused(refusal or refuse(Code.NOTHING_ASKED))
            await self._tell(card_message(shown), by, place)
            return
        pieces = await self._shipmate.output(deploy.id, last=limits.TAIL_READ)
        text = b"".join(piece.data for piece in pieces).decode(errors="replace")
        it = f"{deploy.plan.service} {deploy.plan.version} in {deploy.plan.environment}"
        if not text:
            await self._tell(lines_message([f"{it} printed nothing."]), by, place)
            return
        title = f"The last lines of {it}. The whole log is a file in the thread of its message."
        await self._tell(tail_message(title, thread.tail(text)), by, place)

    async def _pressed(self, reply: str, label: str, after: After | None) -> None:
        await self._private.replace(reply, lines_message([f"{label}: on it."]))
        if after is not None:
            await after

    async def _tell(self, message: Message, by: Person, place: Place) -> None:
        if not await self._private.tell_in_time(message, to=by, place=place):
            log.warning("there is no way to tell %s the answer", by.id)


def _once(body: Body, action: Body) -> str:
    """Slack's own id of a click, the same however often it is delivered."""
    return str(body.get("trigger_id") or f"{body['user']['id']}-{action['action_ts']}")


def _text(value: object) -> str | None:
    return str(value) if value else None
