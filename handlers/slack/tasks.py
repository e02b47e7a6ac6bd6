"""Work that goes on after an acknowledgement: held, counted, never raising into Bolt, ended with the door."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

from pipelines.shipmate import noted

log = logging.getLogger(__name__)

AT_ONCE = 1_000
FIRST_REST, LONGEST_REST, DOUBLED = 0.5, 60.0, 10  # seconds; how often they are doubled
HOPELESS = 3  # times in a row that something breaks before a person is told


class Tasks:
    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    @property
    def full(self) -> bool:
        return len(self._running) >= AT_ONCE

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            noted(log, "answering in Slack", error)

    async def finish(self, within: float) -> None:
        """Wait for what is under way, so many seconds at most."""
        if self._running:
            await asyncio.wait(self._running, timeout=within)

    async def stop(self) -> None:
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


class Breaks:
    """How often the work on something broke in a row, and how long it rests before it is begun again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._broke: dict[str, tuple[int, float]] = {}

    def broke(self, name: str) -> int:
        """Count it; how often by now."""
        times = self._broke.get(name, (0, 0.0))[0] + 1
        self._broke[name] = (times, self._clock() + min(FIRST_REST * 2 ** min(times, DOUBLED), LONGEST_REST))
        return times

    def rests(self, name: str) -> bool:
        return self._clock() < self._broke.get(name, (0, float("-inf")))[1]

    def resting(self) -> list[str]:
        return [name for name in self._broke if self.rests(name)]

    def good(self, name: str) -> None:
        self._broke.pop(name, None)


async def told(event: asyncio.Event, seconds: float) -> None:
    """Wait until the event is set, or until the time is over."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


async def told_any(events: tuple[asyncio.Event, ...], seconds: float) -> None:
    """Wait until one of the events is set, or until the time is over."""
    if any(event.is_set() for event in events):
        return
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
