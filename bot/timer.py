"""Ticks, and only ticks: whatever must not be forgotten is a row in the database."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from pipelines.errors import noted

log = logging.getLogger(__name__)


class Timer:
    """Calls what it is told every so many seconds; a call that is late is made once, one that still runs is not begun
    again, one that breaks is logged."""

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._calls: set[asyncio.Task[Any]] = set()

    def every(self, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
        async def tick() -> None:
            call = asyncio.current_task()
            assert call is not None
            self._calls.add(call)
            try:
                await work()
            except asyncio.CancelledError:
                log.debug("what is done every %g s was ended", seconds)
            except Exception as error:
                noted(log, f"doing what is done every {seconds:g} s", error)
            finally:
                self._calls.discard(call)

        self._scheduler.add_job(
            tick, "interval", seconds=seconds, max_instances=1, coalesce=True, misfire_grace_time=None
        )

    def start(self) -> None:
        self._scheduler.start()

    async def stop(self) -> None:
        """Begin no call any more; end those that run and wait for their end. The scheduler alone would not wait, and
        would log each call that it cancels as one that broke."""
        if self._scheduler.running:
            self._scheduler.pause()
            await asyncio.sleep(0)  # a call handed over in this very moment begins, and so can end itself
            for call in self._calls:
                call.cancel()
            await asyncio.gather(*self._calls)
            self._scheduler.shutdown(wait=False)
