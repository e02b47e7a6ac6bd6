"""Slack delivers twice, late and in another order, and people click twice, while the bot is ended again and again. What
was asked once happens once."""

import asyncio
import math
import random
import time
from collections import Counter
from collections.abc import Coroutine
from typing import Any

from bot.workspace.payloads import Delivery
from tests.support.scene import read
from tests.torture.peer import CHANNEL, Peer, met
from tests.torture.rows import Fault, Place, Verdict
from tests.torture.stage import at_last

ROOMS_AT_ONCE = 5
LATE = 4.0
PATIENCE = 120.0
LABEL = "Roll back to v1.0"
WAYS = ("command", "mention", "click")


def deliveries(place: Place, tries: int) -> Verdict:
    """A try is one thing that somebody asks: each room is asked three, one after the other. Half of the rooms are
    those of a bot that hears by HTTP."""
    rooms = max(2, math.ceil(tries / len(WAYS)))
    lost: list[str] = []
    doubled: list[str] = []
    told = Counter[str]()
    for http in (False, True):
        left = rooms // 2 if http else rooms - rooms // 2
        with met(place, "http" if http else "socket", rooms=left, http=http) as peer:
            storm = Storm(peer, random.Random(place.seed + http))
            storm.all()
            for room in peer.rooms:
                seen, wanted = peer.starts(), {"v1.0": 2, "v1.1": 1}  # deployed, replaced, rolled back to
                lost += [f"{room}: {v} began {seen[room, v]} times" for v, n in wanted.items() if seen[room, v] < n]
                doubled += [f"{room}: {v} began {seen[room, v]} times" for v, n in wanted.items() if seen[room, v] > n]
            told += storm.told
    return Verdict(
        tries=rooms * len(WAYS),
        lost=len(lost),
        doubled=len(doubled),
        seen=f"{told['deliveries']} deliveries, {told['unacknowledged']} not acknowledged, {told['deaths']} deaths",
        wrong=[*lost, *doubled],
    )


class Storm:
    """`told` counts what was done to the bot."""

    def __init__(self, peer: Peer, dice: random.Random) -> None:
        self.told = Counter[str]()
        self._peer, self._dice = peer, dice
        self._workspace = peer.slack.workspace
        self._sent: list[Delivery] = []

    def all(self) -> None:
        self._peer.start()
        for first in range(0, len(self._peer.rooms), ROOMS_AT_ONCE):
            rooms = self._peer.rooms[first : first + ROOMS_AT_ONCE]
            for way, words in zip(WAYS, ("v1.0 is live", "v1.1 is live", "v1.0 is live"), strict=True):
                self._stage(rooms, way)
                version = words.split(" ", 1)[0]
                times = 2 if way == "click" else 1
                at_last(
                    lambda v=version, n=times, r=rooms: all(self._peer.starts("after", "end")[x, v] >= n for x in r),  # type: ignore[misc]
                    PATIENCE,
                )
                at_last(lambda w=words, r=rooms: all(self._peer.shows(x, w) for x in r), PATIENCE)  # type: ignore[misc]
        self._peer.slack.do(self._late(self._sent), PATIENCE)
        marker = self._peer.rooms[0]
        self._peer.slack.types("mia", "/deploy", f"api v2.0 {marker}")  # what came before it is decided when it runs
        at_last(lambda: self._peer.starts()[marker, "v2.0"] == 1, PATIENCE)

    def _stage(self, rooms: tuple[str, ...], way: str) -> None:
        """Each room is asked one thing, which is delivered several times; the bot dies in the middle of it."""
        logged = len(self._workspace.deliverer.log)
        doing = asyncio.run_coroutine_threadsafe(self._asked(rooms, way), self._peer.slack.loop)
        time.sleep(self._dice.uniform(0.0, LATE / 2))
        self.told["deaths"] += 1
        if self._dice.random() < 0.5:
            self._peer.bot.kill()
        else:
            self._peer.bot.stop(20)
        self._peer.start()
        doing.result(PATIENCE)
        fresh = {_key(one["payload"]): one for one in list(self._workspace.deliverer.log)[logged:]}
        self._sent += [Delivery(kind=one["kind"], payload=one["payload"]) for one in fresh.values()]
        self._peer.slack.do(self._late(self._sent[-len(fresh) :]), PATIENCE)

    async def _asked(self, rooms: tuple[str, ...], way: str) -> None:
        before = [self._again(one, self._dice.uniform(0.0, LATE)) for one in self._sent if self._dice.random() < 0.3]
        asks = [self._ask(room, way) for room in rooms]
        self._dice.shuffle(asks)
        await asyncio.gather(*asks, *before)

    async def _ask(self, room: str, way: str) -> None:
        await asyncio.sleep(self._dice.uniform(0.0, LATE / 2))
        ana, log = self._workspace.person("ana"), self._workspace.deliverer.log
        doing: list[Coroutine[Any, Any, Any]] = []
        if way == "command":
            doing = [ana.command(CHANNEL, "/deploy", f"api v1.0 {room}")]
        elif way == "mention":
            doing = [ana.say(CHANNEL, f"@shipmate deploy api v1.1 {room}")]
        else:
            card = next(one for one in reversed(self._peer.cards()[room]) if LABEL in read(one))
            clicking = [ana, self._workspace.person("raj")][: self._dice.randint(1, 2)]
            doing = [person.click(card, LABEL, CHANNEL) for person in clicking]
        await asyncio.gather(*doing)
        mine = {_key(one["payload"]): one for one in list(log) if room in _words(one["payload"])}
        copies = [Delivery(kind=one["kind"], payload=one["payload"]) for one in mine.values()]
        late = [
            self._again(one, self._dice.uniform(0.0, LATE)) for one in copies for _ in range(self._dice.randint(1, 3))
        ]
        await asyncio.gather(*late)

    async def _again(self, delivery: Delivery, wait: float) -> bool:
        await asyncio.sleep(wait)
        acked = await self._workspace.deliverer.deliver(delivery, self._dice.randint(1, 3)) is not None
        self.told["deliveries"] += 1
        self.told["unacknowledged"] += not acked
        return acked

    async def _late(self, given: list[Delivery]) -> None:
        """Each once more, in another order, until it is acknowledged: as Slack would, had it more patience."""
        shuffled = self._dice.sample(given, len(given))
        for delivery in shuffled:
            while not await self._again(delivery, 1.0):
                """A signature is good for once in a second."""


def _key(payload: dict[str, Any]) -> str:
    return str(payload.get("trigger_id") or payload.get("event_id"))


def _words(payload: dict[str, Any]) -> set[str]:
    said = payload.get("text") or (payload.get("event") or payload.get("message") or {}).get("text") or ""
    return {*str(said).replace(",", " ").split()}


FAULTS = (
    Fault(
        name="deliveries",
        what="deliveries twice, late, in another order, and double clicks, over restarts; Socket Mode and HTTP",
        run=deliveries,
        tries=240,
        long=6,
    ),
)
