"""Budgets: who may call, post or edit next, so that Slack never has to refuse us. The most urgent first, then the
longest waiting."""

import asyncio
import logging
import time
from collections.abc import Callable
from enum import IntEnum

from handlers.slack import limits
from handlers.slack.tasks import told

log = logging.getLogger(__name__)

Clock = Callable[[], float]

EDIT, POST = "chat.update", "chat.postMessage"  # turns that those who paint take, before they make up what to show
ENOUGH = 3  # calls in a row without an answer: Slack is away
FIRST_LOOK, LONGEST_LOOK = 0.5, 5.0
MESSAGES_KEPT = 2_000


class Rank(IntEnum):
    FINAL = 0
    STATE = 1
    TAIL = 2


def usual() -> Rank:
    return Rank.STATE


class Bucket:
    """`burst` at once, then one every `1 / rate` seconds. A rank is asked for when a token is there, so what became
    urgent while it waited goes first."""

    def __init__(self, *, rate: float, burst: int, clock: Clock = time.monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._tokens = float(burst)
        self._at = clock()
        self._closed_until = 0.0
        self._waiting: list[tuple[Callable[[], Rank], asyncio.Future[None]]] = []
        self._giving: asyncio.Task[None] | None = None

    async def take(self, rank: Callable[[], Rank] = usual) -> None:
        """Wait for a token."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((rank, turn))
        if self._giving is None or self._giving.done():
            self._giving = asyncio.create_task(self._give())
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give_back()
            raise

    def give_back(self) -> None:
        """A token that was taken and not used."""
        self._tokens = min(self._tokens + 1, self._burst)

    def close(self, seconds: float) -> None:
        """Give nothing for so long: Slack said so."""
        self._closed_until = max(self._closed_until, self._clock() + seconds)

    @property
    def closed(self) -> bool:
        return self._closed_until > self._clock()

    async def _give(self) -> None:
        while self._waiting:
            if (wait := self._wait()) > 0:
                await asyncio.sleep(wait)
                continue
            waiting = [entry for entry in self._waiting if not entry[1].done()]
            best = min(waiting, key=lambda entry: entry[0](), default=None)
            self._waiting = [entry for entry in waiting if entry is not best]
            if best is not None:
                self._tokens -= 1
                best[1].set_result(None)

    def _wait(self) -> float:
        """Seconds until the next token."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        missing = (1 - self._tokens) / self._rate if self._tokens < 1 else 0.0
        return max(missing, self._closed_until - now)


class Pace:
    """When each message was painted last: two paintings are at least `seconds` apart, and never at the same time.

    A message that this process did not paint yet may have been painted by the one before it, at any moment until
    this one began."""

    def __init__(self, seconds: float = limits.EDIT_PACE, clock: Clock = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._began = clock()
        self._last: dict[tuple[str, str], float] = {}
        self._locks: dict[tuple[str, str], asyncio.Lock] = {}

    def lock(self, message: tuple[str, str]) -> asyncio.Lock:
        return self._locks.setdefault(message, asyncio.Lock())

    def wait(self, message: tuple[str, str]) -> float:
        """Seconds until the message may be painted again."""
        return max(0.0, self._last.get(message, self._began) + self._seconds - self._clock())

    def painted(self, message: tuple[str, str]) -> None:
        self._last[message] = self._clock()
        if len(self._last) > MESSAGES_KEPT:
            self._forget()

    def _forget(self) -> None:
        """Messages that may be painted again, and are not being painted now, need not be remembered."""
        for message in [one for one in self._last if self.wait(one) == 0 and not self.lock(one).locked()]:
            del self._last[message]
            del self._locks[message]


class Outage:
    """While Slack is away, those who paint wait until it is back; one at a time is let through to look whether it is.
    So nobody's turn is wasted on a Slack that does not answer, and little is unsure when it does again."""

    def __init__(self) -> None:
        self._failed = 0
        self._pause = FIRST_LOOK
        self._look_at = float("-inf")
        self._over = asyncio.Event()

    def noted(self, *, answered: bool) -> None:
        """What came of a call, whoever made it."""
        if answered:
            if self._failed >= ENOUGH:
                log.warning("Slack answers again")
            self._failed, self._pause = 0, FIRST_LOOK
            self._over.set()
            return
        self._failed += 1
        if self._failed == ENOUGH:
            log.warning("Slack does not answer; deploys go on, and what is to be told comes when it does")
        if self._failed >= ENOUGH:
            self._look_at = asyncio.get_running_loop().time() + self._pause
            self._pause = min(self._pause * 2, LONGEST_LOOK)
            self._over.clear()

    async def over(self) -> None:
        """Wait until Slack is back, or until it is the caller's turn to look."""
        loop = asyncio.get_running_loop()
        while self._failed >= ENOUGH:
            left = self._look_at - loop.time()
            if left <= 0:
                self._look_at = loop.time() + self._pause
                return
            await told(self._over, left)


class Budgets:
    """All that Slack allows this bot in its workspace: calls by method, posts by channel, the pace of each message."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self.pace = Pace(clock=clock)
        self.outage = Outage()
        self._calls: dict[str, Bucket] = {}
        self._posts: dict[str, Bucket] = {}

    def calls(self, method: str) -> Bucket:
        if method not in self._calls:
            burst, a_minute = limits.SHARES.get(method, limits.TIER_4)
            self._calls[method] = Bucket(rate=a_minute / 60, burst=burst, clock=self._clock)
        return self._calls[method]

    @property
    def edits(self) -> Bucket:
        return self.calls(EDIT)

    async def post(self, channel: str, rank: Callable[[], Rank] = usual) -> None:
        """Wait until there may be another post in a channel."""
        await self.posts(channel).take(rank)
        await self.calls(POST).take(rank)

    async def turn(self, method: str, channel: str | None) -> None:
        """Wait until there may be another call of a method."""
        if method == POST and channel is not None:
            await self.post(channel)
        else:
            await self.calls(method).take()

    def refused(self, method: str, seconds: float, channel: str | None = None) -> None:
        """Slack said so: no such call for so long. Posts are counted by channel; when it refuses them in two channels
        at once it means all."""
        if method == POST and channel is not None:
            others = any(bucket.closed for name, bucket in self._posts.items() if name != channel)
            self.posts(channel).close(seconds)
            if not others:
                return
        self.calls(method).close(seconds)

    def posts(self, channel: str) -> Bucket:
        return self._posts.setdefault(channel, Bucket(rate=1 / limits.POST_PACE, burst=1, clock=self._clock))
