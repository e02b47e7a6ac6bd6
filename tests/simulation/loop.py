"""An event loop of one simulated process: no threads, no sockets, and the time of an `Agenda`.

What asyncio does within the process it does here too, in its own order. What the process asks of the outside, work in
a thread or an answer of Slack, comes at a moment that is drawn; around each such moment the process may die.
"""

import asyncio
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Executor
from contextlib import suppress
from contextvars import Context
from functools import partial
from typing import Any, Protocol, TypeVar, TypeVarTuple

from tests.simulation.agenda import Agenda

T = TypeVar("T")
Args = TypeVarTuple("Args")

TICK = 1e-6  # seconds of a clock: no two moments are nearer
SPINS = 100_000  # turns of the loop without any time passing: something waits for itself


class DeadError(Exception):
    """A process that was killed asks something of the outside."""


class Outside(Protocol):
    """What a process cannot know of beforehand."""

    def latency(self) -> float:
        """How long work in a thread takes now, in seconds."""
        ...

    def dies(self) -> bool:
        """Whether the process dies right now; if so, it was killed."""
        ...

    def fails(self) -> Exception | None:
        """What is wrong with the database right now."""
        ...


class SimulatedLoop(asyncio.BaseEventLoop):
    """`broken` is what nobody caught."""

    def __init__(self, agenda: Agenda, outside: Outside) -> None:
        super().__init__()
        self.broken: list[str] = []
        self._agenda = agenda
        self._outside = outside
        self._dead = False
        self._next: deque[asyncio.Handle] = deque()
        self._busy_until: dict[Executor, float] = {}
        self._begun: list[asyncio.Task[Any]] = []

    def time(self) -> float:
        return self._agenda.now

    def call_soon(
        self, callback: Callable[[*Args], object], *args: *Args, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        if not self._dead:
            self._next.append(handle)
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[[*Args], object], *args: *Args, context: Context | None = None
    ) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*Args], object], *args: *Args, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._agenda.at(max(when, self.time() + TICK), partial(self._due, handle))
        return handle

    def _due(self, handle: asyncio.TimerHandle) -> None:
        if not handle.cancelled() and not self._dead:
            self._next.append(handle)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It is passed over when its time comes."""

    def create_task(
        self, coro: Coroutine[Any, Any, T] | Generator[Any, None, T], *, name: object = None, context: Any = None
    ) -> asyncio.Task[T]:
        task: asyncio.Task[T] = asyncio.Task(coro, loop=self, context=context)
        self._begun.append(task)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if not self._dead:
            self.broken.append(f"{context.get('message')}: {context.get('exception')!r}")

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Args], T], *args: *Args
    ) -> "asyncio.Future[T]":
        future = self.waiting()
        done = self.time() + self._outside.latency()
        if executor is not None and getattr(executor, "_max_workers", 0) == 1:  # it does one thing after the other
            done = max(done, self._busy_until.get(executor, 0.0))
            self._busy_until[executor] = done
        work: Callable[[], T] = partial(func, *args)
        if executor is not None:  # those are the database's; what has none of its own looks at files
            work = partial(self._with_database, work)
        self._agenda.at(done, partial(self._carry_out, future, work))
        return future

    def _with_database(self, work: Callable[[], T]) -> T:
        if (error := self._outside.fails()) is not None:
            raise error
        return work()

    def _carry_out(self, future: "asyncio.Future[T]", work: Callable[[], T]) -> None:
        if self._dead or self._outside.dies():
            return
        try:
            answer: T | Exception = work()
        except Exception as error:
            answer = error
        self.reply(future, answer)

    def waiting(self) -> "asyncio.Future[Any]":
        """For what somebody outside of the process will answer, with `reply`. Raises DeadError."""
        if self._dead:
            raise DeadError
        return self.create_future()

    def reply(self, future: "asyncio.Future[T]", answer: T | Exception) -> bool:
        """False when nobody waits for it any more."""
        if self._dead or self._outside.dies() or future.done():
            return False
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
        return True

    def settle(self) -> None:
        """Run what can run at this moment."""
        if not self._next:
            return
        events._set_running_loop(self)
        try:
            for _ in range(SPINS):
                if not self._next:
                    return
                handle = self._next.popleft()
                if not handle.cancelled():
                    handle._run()
        finally:
            events._set_running_loop(None)
        raise AssertionError("the bot turns and turns while no time passes")

    def kill(self) -> None:
        """From here on nothing of this process happens, and nothing reaches it."""
        self._dead = True
        self._next.clear()
        for task in self._begun:
            if not task.done():
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                with suppress(BaseException):
                    task.get_coro().close()
        self.close()
