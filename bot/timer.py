"""Ticks, and only ticks: whatever must not be forgotten is a row in the database."""

from collections.abc import Awaitable, Callable

from apscheduler.schedulers.asyncio import AsyncIOScheduler


class Timer:
    """Calls what it is told every so many seconds; a call that is late is made once, one that still runs is not begun
    again."""

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(timezone="UTC")

    def every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        self._scheduler.add_job(
            work, "interval", seconds=seconds, max_instances=1, coalesce=True, misfire_grace_time=None
        )

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
