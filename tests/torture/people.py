"""People who do not stop: one in each room, who deploys, goes back, aborts and answers, by word and by button. They act
on what they see alone, and do the next thing when they see what came of the last."""

import asyncio
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bot.workspace.state import Message, NotThereError
from tests.support.scene import read
from tests.torture.stage import ENVIRONMENT, Room, Stage

SURE, UNSURE = 120.0, 16.0  # seconds that somebody waits for an effect: of what was heard, of what perhaps was
AT_REST = re.compile(r"\S+ v\S+ (is live|was live|failed|aborted|in \S+ was replaced)")
NO_BOT = 69
ANSWERS = ("Run again", "It worked", "Roll back to", "Abort", "Wait", "Stop it")
WORDS = {"Run again": "run again", "It worked": "it worked", "Wait": "wait", "Stop it": "stop it"}


def at_rest(card: Message) -> bool:
    return AT_REST.match(str(card["text"])) is not None


def deploy_of(card: Message) -> str:
    return str(card["metadata"]["event_payload"]["deploy"])


class Person:
    """`meddles`: how likely it is, at each look, that a deploy under way is aborted, or gone back from."""

    def __init__(
        self, stage: Stage, room: Room, dice: random.Random, *, meddles: float = 0.0, who: str = "ana"
    ) -> None:
        self._stage = stage
        self._room = room
        self._dice = dice
        self._meddles = meddles
        self._who = who
        self._me = stage.slack.workspace.person(who)
        self._meddled = ""
        self.busy = False

    async def act(self, closed: asyncio.Event) -> None:
        """Until `closed`; then questions alone are answered, until cancelled."""
        while True:
            await asyncio.sleep(self._dice.uniform(0.05, 0.4))
            if self._stage.slack.workspace.deliverer.sockets.connections:
                self.busy = True
                await self._once(closed.is_set())
                self.busy = False

    async def _once(self, closed: bool) -> None:
        card = self.card()
        if card is not None and "needs an answer" in card["text"]:
            await self._answer(card)
        elif closed:
            return
        elif card is None or at_rest(card):
            await self._begin(card)
        elif deploy_of(card) != self._meddled and self._dice.random() < self._meddles:
            self._meddled = deploy_of(card)
            await self._meddle(card)

    def card(self) -> Message | None:
        """The newest message in the room's channel."""
        cards = self._room.cards()
        return cards[-1] if cards else None

    def idle(self) -> bool:
        card = self.card()
        return not self.busy and (card is None or at_rest(card))

    async def _begin(self, card: Message | None) -> None:
        shown = read(card) if card is not None else ""
        chance = self._dice.random()
        if "[Roll back to" in shown and card is not None and chance < 0.2:
            await self._click(card, "Roll back to")
        elif "[Roll back to" in shown and chance < 0.3:
            await self._type("/rollback", f"{self._room.service} {ENVIRONMENT}")
        elif chance > 0.85:
            await self._say(await self._stage.version())
        else:
            await self._type("/deploy", f"{self._room.service} {await self._stage.version()} {ENVIRONMENT}")

    async def _meddle(self, card: Message) -> None:
        how = self._dice.choice(("word", "Abort", "Roll back to"))
        if how == "word":
            await self._type("/deploy", f"abort {self._room.service} {ENVIRONMENT}")
        elif f"[{how}" in read(card):
            await self._click(card, how)

    async def _answer(self, card: Message) -> None:
        label = self._dice.choice([one for one in ANSWERS if f"[{one}" in read(card)])
        if label == "Run again":
            self._stage.again[deploy_of(card)] += 1
        if label in WORDS and self._dice.random() < 0.4:
            await self._type("/deploy", f"{WORDS[label]} {self._room.service} {ENVIRONMENT}")
        else:
            await self._click(card, label)

    def _seen(self) -> tuple[Any, ...]:
        """What changes when something came of what was asked."""
        cards = self._room.cards()
        return len(cards), cards[-1]["text"] if cards else "", len(self._room.answers())

    async def _type(self, command: str, text: str) -> None:
        before = self._seen()
        await self._me.command(self._room.channel, command, text)
        log = self._stage.slack.workspace.deliverer.log
        mine = [one for one in log if one["kind"] == "slash_commands" and one["payload"]["text"] == text]
        await self._effect(before, SURE if mine and mine[-1]["acked"] else UNSURE)

    async def _click(self, card: Message, label: str) -> None:
        before = self._seen()
        try:
            acked = await self._me.click(card, label, self._room.channel)
        except (KeyError, NotThereError):  # the message changed under the finger
            return
        await self._effect(before, SURE if acked else UNSURE)

    async def _say(self, version: str) -> None:
        before = self._seen()
        words = f"{self._room.service} {version} {ENVIRONMENT}"
        said = await asyncio.to_thread(self._stage.bot.say, words, by=self._who, seconds=600)
        self._stage.said.append((self._room.name, version, said.status))
        if said.status != NO_BOT:
            await self._effect(before, SURE)

    async def _effect(self, before: tuple[Any, ...], seconds: float) -> None:
        waited = 0.0
        while self._seen() == before and waited < seconds:
            await asyncio.sleep(0.1)
            waited += 0.1


@contextmanager
def a_crowd(stage: Stage, dice: random.Random, *, meddles: float = 0.0) -> Iterator["Crowd"]:
    crowd = Crowd(stage, dice, meddles=meddles)
    crowd.begin()
    try:
        yield crowd
    finally:
        crowd.end()


class Crowd:
    """A person in each room; `close` lets them finish what they do."""

    def __init__(self, stage: Stage, dice: random.Random, *, meddles: float = 0.0) -> None:
        self._stage = stage
        self._people = [
            Person(stage, room, random.Random(dice.random()), meddles=meddles, who=who)
            for room, who in zip(stage.rooms, ("ana", "raj", "mia") * len(stage.rooms), strict=False)
        ]
        self._tasks: list[asyncio.Task[None]] = []
        self._closed = asyncio.Event()

    def begin(self) -> None:
        self._stage.slack.do(self._begin())

    async def _begin(self) -> None:
        self._tasks = [asyncio.create_task(person.act(self._closed)) for person in self._people]

    def close(self) -> None:
        """Nobody begins anything new."""
        self._stage.slack.do(self._close())

    async def _close(self) -> None:
        self._closed.set()

    def idle(self) -> bool:
        """Everybody has seen what came of all they said."""
        return all(person.idle() for person in self._people)

    def end(self) -> None:
        """Raises what a person broke with."""
        self._stage.slack.do(self._end())

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        broken = [
            one for one in await asyncio.gather(*self._tasks, return_exceptions=True) if isinstance(one, Exception)
        ]
        if broken:
            raise broken[0]
