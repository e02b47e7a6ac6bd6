"""What the doctor finds: one line each, with what to do about it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

T = TypeVar("T")


class Level(StrEnum):
    OK = "ok"
    SKIPPED = "skipped"
    WARNING = "warning"
    PROBLEM = "problem"  # a bot does not start, or a service cannot be deployed


@dataclass(frozen=True, kw_only=True)
class Finding:
    level: Level
    what: str
    says: str

    def __str__(self) -> str:
        line = f"{self.level:<7}  {self.what}: {' '.join(self.says.split())}"
        return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)  # it may quote anything


Findings = AsyncIterator[Finding]


@dataclass(frozen=True, kw_only=True)
class Check:
    """Something to look at; `look` gives what is found as it becomes known."""

    what: str
    look: Callable[[], Findings]


def ok(what: str, says: str) -> Finding:
    return Finding(level=Level.OK, what=what, says=says)


def skipped(what: str, why: str) -> Finding:
    return Finding(level=Level.SKIPPED, what=what, says=f"not checked: {why}")


def warning(what: str, says: str) -> Finding:
    return Finding(level=Level.WARNING, what=what, says=says)


def problem(what: str, says: str) -> Finding:
    return Finding(level=Level.PROBLEM, what=what, says=says)


async def in_thread(work: Callable[[], T]) -> T:
    """Do what may hang for ever, such as a look at a disk: its thread is left behind then, and keeps nobody."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(tell_it: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the doctor has gone
            loop.call_soon_threadsafe(lambda: None if done.done() else tell_it())

    def run() -> None:
        try:
            found = work()
        except BaseException as error:
            failed = error
            tell(lambda: done.set_exception(failed))
        else:
            tell(lambda: done.set_result(found))

    threading.Thread(target=run, daemon=True).start()
    return await done
