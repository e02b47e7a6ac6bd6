"""Whether the bot can do its work: each part is asked at once, and none is waited for longer than a probe may take."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from handlers.web.health import Check
from pipelines.execution.disk import left

PATIENCE = 1.5  # seconds; whoever asks gets an answer within two
FRESH = 1.0  # seconds in which an answer is given again: asking costs a write
STUCK = 45.0  # seconds after which a loop that looks at least every thirty counts as stuck

Asking = Callable[[], Awaitable[Check]]


class Readiness:
    """A part that does not answer is not asked again before it has; what it answers too late is not told."""

    def __init__(self, parts: Mapping[str, Asking]) -> None:
        self._parts = parts
        self._asked: dict[str, tuple[float, asyncio.Task[Check]]] = {}
        self._last: tuple[float, Mapping[str, Check]] | None = None

    async def look(self) -> Mapping[str, Check]:
        now = time.monotonic()
        if self._last is not None and now - self._last[0] < FRESH:
            return self._last[1]
        for name, part in self._parts.items():
            if name not in self._asked or _over(self._asked[name][1]):
                self._asked[name] = (now, asyncio.ensure_future(part()))
        await asyncio.wait([task for _, task in self._asked.values()], timeout=PATIENCE)
        found = {name: self._answer(name) for name in self._parts}
        self._last = (time.monotonic(), found)
        return found

    def _answer(self, name: str) -> Check:
        since, task = self._asked[name]
        if not task.done():
            return Check(ok=False, says=f"no answer for {time.monotonic() - since:.1f} s")
        del self._asked[name]
        if (error := task.exception()) is not None:
            return Check(ok=False, says=f"broke: {type(error).__name__}")
        return task.result()

    def forget(self) -> None:
        """Ask anew the next time."""
        self._last = None

    def stop(self) -> None:
        for _, task in self._asked.values():
            task.cancel()


def _over(task: asyncio.Task[Check]) -> bool:
    """Whether it ended; how is told to nobody, for it was asked by a look from before."""
    if task.done() and not task.cancelled():
        task.exception()
    return task.done()


def disk(folder: Path, keep: int) -> Asking:
    """With less than `keep` bytes nothing new is started."""

    async def room() -> Check:
        free = await asyncio.to_thread(left, folder)
        says = f"{free >> 20} MB are free where the data is"
        return Check(
            ok=free >= keep, says=says if free >= keep else f"{says}, {keep >> 20} MB are kept: nothing new is started"
        )

    return room


def database(write: Callable[[], Awaitable[None]]) -> Asking:
    async def answers() -> Check:
        began = time.monotonic()
        await write()
        return Check(ok=True, says=f"a write took {(time.monotonic() - began) * 1000:.0f} ms")

    return answers


def turning(what: str, late: Callable[[], Awaitable[float]]) -> Asking:
    """`late` is how many seconds ago a loop last turned, or has had something to do and did not."""

    async def turns() -> Check:
        seconds = await late()
        return Check(ok=seconds < STUCK, says=f"{seconds:.1f} s {what}")

    return turns
