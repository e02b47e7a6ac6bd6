"""Carrying checks out, all at the same time: what is found is told as it becomes known, and nothing is waited for when
the time is over."""

import asyncio
import time
from collections.abc import Callable

from bot.doctor.findings import Check, Finding, problem

Tell = Callable[[Finding], None]


class Examination:
    """`begin` checks, also while others are under way; `over` waits for all of them."""

    def __init__(self, tell: Tell, seconds: float) -> None:
        self._tell = tell
        self._seconds = seconds
        self._until = time.monotonic() + seconds
        self._open: dict[asyncio.Task[None], str] = {}

    def begin(self, check: Check) -> None:
        task = asyncio.create_task(self._carry_out(check))
        self._open[task] = check.what
        task.add_done_callback(lambda done: self._open.pop(done, None))

    async def _carry_out(self, check: Check) -> None:
        try:
            async for finding in check.look():
                self._tell(finding)
        except Exception as error:
            broke = f"the doctor itself broke here ({type(error).__name__}: {error}); please report it"
            self._tell(problem(check.what, broke))

    async def over(self) -> None:
        while self._open and (left := self._until - time.monotonic()) > 0:
            await asyncio.wait(self._open, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        for task, what in list(self._open.items()):
            task.cancel()
            self._tell(
                problem(what, f"not known after {self._seconds:g} s: what has to be asked for it does not answer")
            )
