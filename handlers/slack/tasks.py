"""Work that goes on after an acknowledgement: held, counted, never raising into Bolt, ended with the door."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger(__name__)

AT_ONCE = 1_000


class Tasks:
    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        if len(self._running) >= AT_ONCE:
            work.close()
            log.error("more than %d answers are under way: one was dropped", AT_ONCE)
            return
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("an answer broke", exc_info=task.exception())

    async def finish(self, within: float) -> None:
        """Wait for what is under way, so many seconds at most."""
        if self._running:
            await asyncio.wait(self._running, timeout=within)

    async def stop(self) -> None:
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


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
