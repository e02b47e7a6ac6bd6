"""Answers: whoever asked is told what was decided, also when the bot was ended in between. In private, and only where
the deploy's own message does not say it already."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from datetime import datetime

from handlers.chat import words
from handlers.chat.answers import accepted_card, refusal_card
from handlers.chat.wording import render
from handlers.slack.api import Fault
from handlers.slack.blocks import Message, card_message, lines_message
from handlers.slack.channels import Channels
from handlers.slack.private import Private
from handlers.slack.tasks import HOPELESS, Breaks, told
from pipelines.domain.events import Asked
from pipelines.domain.refusals import Accepted, Refusal
from pipelines.shipmate import Shipmate, away, noted

log = logging.getLogger(__name__)

LOOK_AGAIN = 5.0
TRIES = 200  # about an hour and a half
AT_ONCE, TOGETHER = 500, 50  # people being told, and how many are looked up in one go


class Answers:
    def __init__(
        self, shipmate: Shipmate, *, private: Private, channels: Channels, clock: Callable[[], datetime]
    ) -> None:
        self._shipmate = shipmate
        self._private = private
        self._channels = channels
        self._clock = clock
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._held: set[str] = set()
        self._breaks = Breaks()

    @contextlib.contextmanager
    def held(self, key: str) -> Iterator[None]:
        """While somebody else is about to tell what came of the ask of this key, it is not told from here."""
        self._held.add(key)
        try:
            yield
        finally:
            self._held.discard(key)

    async def run(self) -> None:
        """Until cancelled."""
        try:
            with self._shipmate.listening("asks") as event:
                while True:
                    event.clear()
                    while len(self._under_way) < AT_ONCE and await self._look():
                        pass
                    await told(event, LOOK_AGAIN)
        finally:
            for task in self._under_way.values():
                task.cancel()
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def _look(self) -> bool:
        """Begin to tell those who wait; whether there may be more of them. Whoever is being told when the look begins
        is left out of it: by its end they may have been told, and are not to be told again."""
        known = [*self._under_way, *self._breaks.resting()]
        found = await self._shipmate.unanswered("slack", but=known, most=TOGETHER)
        fresh = [(asked, outcome) for asked, outcome in found if asked.key not in self._held]
        for asked, outcome in fresh:
            self._begin(asked, outcome)
        return len(fresh) == TOGETHER

    def _begin(self, asked: Asked, outcome: Accepted | Refusal) -> None:
        task = asyncio.create_task(self._answer(asked, outcome))
        self._under_way[asked.ask] = task
        task.add_done_callback(lambda _: self._under_way.pop(asked.ask, None))

    async def _answer(self, asked: Asked, outcome: Accepted | Refusal) -> None:
        """Tell it. What breaks is tried again, and when that does not help, told instead."""
        try:
            await self._tell(asked, await self._message(asked, outcome))
        except Exception as error:
            number = noted(log, f"answering {asked.ask}", error)
            if away(error) or self._breaks.broke(asked.ask) < HOPELESS:
                return
            await self._tell(asked, lines_message([words.answer_lost(number)]))
        self._breaks.good(asked.ask)

    async def _tell(self, asked: Asked, message: Message | None) -> None:
        told = message is None or await self._private.tell_in_time(message, to=asked.by, place=asked.place, tries=TRIES)
        if not told:
            log.warning("there is no way to tell %s what came of %s", asked.by.id, asked.ask)
        await self._shipmate.answered(asked.ask)

    async def _message(self, asked: Asked, outcome: Accepted | Refusal) -> Message | None:
        """What to tell; None when the deploy's message stands where the person asked."""
        if isinstance(outcome, Refusal):
            said = "" if asked.command.button else render(asked.command)
            return card_message(refusal_card(outcome, self._clock(), said=said, config=self._shipmate.config))
        deploy = await self._shipmate.deploy(outcome.deploy)
        where = deploy.place.channel if deploy else self._expected(asked)
        if where is not None and await self._same(where, asked.place.channel):
            return None
        return card_message(accepted_card(outcome, deploy))

    def _expected(self, asked: Asked) -> str | None:
        service = self._shipmate.config.services.get(asked.command.service or "")
        return (service.channel if service else None) or asked.place.channel

    async def _same(self, channel: str, asked_in: str | None) -> bool:
        try:
            return await self._channels.id_of(channel) == asked_in
        except Fault:
            return False
