"""Ticks, and only ticks: whatever must not be forgotten is a row in the database."""

import logging
from collections.abc import Awaitable, Callable

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from pipelines.errors import noted

log = logging.getLogger(__name__)


class Timer:
    """Calls what it is told every so many seconds; a call that is late is made once, one that still runs is not begun
    again, one that breaks is logged."""

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(timezone="UTC")

    def every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        async def tick() -> None:
            try:
                await work()
            except Exception as error:
                noted(log, f"doing what is done every {seconds:g} s", error)

        self._scheduler.add_job(
            tick, "interval", seconds=seconds, max_instances=1, coalesce=True, misfire_grace_time=None
        )

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
