"""An event loop of one simulated process: no threads, no sockets, and the time of an `Agenda`.

What asyncio does within the process it does here too, in its own order. What the process asks of the outside, work in
a thread, is done at a moment that is drawn; around each such moment the process may die.
"""

import asyncio
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from tests.simulation.agenda import Agenda

T = TypeVar("T")

TICK = 1e-6  # of a clock: no two moments are nearer
SPINS = 100_000  # turns of the loop without any time passing: something waits for itself


class DeadError(Exception):
    """A process that was killed asks something of the outside."""


class SimulatedLoop(asyncio.BaseEventLoop):
    """`latency` draws how long work in a thread takes; `dies` is asked around it whether the process dies right now, and
    if so kills it. `broken` is what nobody caught."""

    def __init__(
        self,
        agenda: Agenda,
        *,
        latency: Callable[[], float],
        dies: Callable[[], bool],
        fails: Callable[[], Exception | None],
    ) -> None:
        super().__init__()
        self.broken: list[str] = []
        self._agenda = agenda
        self._latency = latency
        self._dies = dies
        self._fails = fails
        self._dead = False
        self._ready_handles: deque[asyncio.Handle] = deque()
        self._busy_until: dict[object, float] = {}
        self._begun: list[asyncio.Task[Any]] = []

    def time(self) -> float:
        return self._agenda.now

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Any = None) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        if not self._dead:
            self._ready_handles.append(handle)
        return handle

    call_soon_threadsafe = call_soon

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._agenda.at(max(when, self.time() + TICK), partial(self._due, handle))
        return handle

    def _due(self, handle: asyncio.TimerHandle) -> None:
        if not handle.cancelled() and not self._dead:
            self._ready_handles.append(handle)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It is passed over when its time comes."""

    def create_task(
        self, coro: Coroutine[Any, Any, T] | Generator[Any, None, T], *, name: object = None, context: Any = None
    ) -> asyncio.Task[T]:
        task: asyncio.Task[T] = asyncio.Task(coro, loop=self, context=context)  # type: ignore[arg-type]
        self._begun.append(task)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if not self._dead:
            self.broken.append(f"{context.get('message')}: {context.get('exception')!r}")

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> "asyncio.Future[T]":
        if self._dead:
            raise DeadError
        future: asyncio.Future[T] = self.create_future()
        done = self.time() + self._latency()
        if getattr(executor, "_max_workers", 0) == 1:  # one thread does one thing after the other
            done = max(done, self._busy_until.get(executor, 0.0))
            self._busy_until[executor] = done
        work = partial(func, *args)
        self._agenda.at(done, partial(self._carry_out, future, work if executor is None else partial(self._kept, work)))
        return future

    def _kept(self, work: Callable[[], T]) -> T:
        """Work with a database, which may be out of order."""
        if (error := self._fails()) is not None:
            raise error
        return work()

    def _carry_out(self, future: "asyncio.Future[T]", work: Callable[[], T]) -> None:
        if self._dead or self._dies():
            return
        try:
            result = work()
        except Exception as error:
            answer: Callable[[], None] = partial(future.set_exception, error)
        else:
            answer = partial(future.set_result, result)
        if not self._dies() and not future.done():
            answer()

    def outside(self) -> "asyncio.Future[Any]":
        """What somebody outside of the process will answer, with `reply`."""
        if self._dead:
            raise DeadError
        return self.create_future()

    def reply(self, future: "asyncio.Future[T]", answer: T | Exception) -> bool:
        """False when nobody waits for it any more."""
        if self._dead or self._dies() or future.done():
            return False
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
        return True

    def settle(self) -> None:
        """Run what can run at this moment."""
        if not self._ready_handles:
            return
        events._set_running_loop(self)
        try:
            for _ in range(SPINS):
                if not self._ready_handles:
                    return
                handle = self._ready_handles.popleft()
                if not handle.cancelled():
                    handle._run()
        finally:
            events._set_running_loop(None)
        raise AssertionError("the bot turns and turns while no time passes")

    def kill(self) -> None:
        """From here on nothing of this process happens, and nothing reaches it."""
        self._dead = True
        self._ready_handles.clear()
        for task in self._begun:
            if not task.done():
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                with suppress(BaseException):
                    task.get_coro().close()  # type: ignore[union-attr]
        self.close()
