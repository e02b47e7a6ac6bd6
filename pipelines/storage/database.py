"""One database behind one URL: transactions in threads, and waking those who wait for what a commit changed.

SQLite and PostgreSQL differ in their `Backend` alone. Nothing here knows a table.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from pipelines.errors import noted
from pipelines.storage.crowds import Crowd
from pipelines.storage.errors import DatabaseAwayError
from pipelines.storage.journal import Entry, Listener, entries
from pipelines.storage.sqlite import Sqlite, sqlite_path
from pipelines.storage.waking import Waker, heard

__all__ = ["Database", "DatabaseAwayError", "Waker", "heard", "sqlite_path", "surely"]

T = TypeVar("T")

log = logging.getLogger(__name__)

READERS = 4
AWAY_SECONDS = 10.0
HUNG_SECONDS = 20.0  # without an answer, as of a server that stands still and keeps its connections
AGAIN = 0.25


class Backend(Protocol):
    """What differs between databases. `writers`: how many transactions write at once."""

    @property
    def writers(self) -> int: ...

    def writer(self) -> Engine:
        """For transactions that write: they are serialised, or lock the rows that they decide by."""
        ...

    def reader(self) -> Engine:
        """For transactions that read, each as of one moment."""
        ...

    def transient(self, error: DBAPIError) -> str | None:
        """Why the same may go well in a moment; None for an error that stays."""
        ...

    def tell(self, session: Session, topics: set[str]) -> None:
        """Tell other processes, as part of the transaction."""
        ...

    async def hear(self) -> None:
        """Wake those who wait for what other processes tell. Until cancelled."""
        ...


class Database:
    """`write` and `read` run a plain function with a session in a thread; a `write` is one transaction, and what it put
    into `topics` is told with the commit. What it entered in the journal is told after it to `listeners`, in that
    thread. Both raise what the function raises, after a rollback, and DatabaseAwayError when the database is away for
    some seconds; they try again meanwhile, so a function may run more than once. Where people wait, for what is read
    and for `write_first`, a database that hangs is away, too: what it was told may still come true."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.waker = Waker()
        self.listeners: list[Listener] = []
        self._backend = _backend(url, self.waker)
        self._writer = self._backend.writer()
        self._reader = self._backend.reader()
        self._writing = ThreadPoolExecutor(self._backend.writers, thread_name_prefix="write")
        self._turns = asyncio.Semaphore(max(1, self._backend.writers - 1))
        self._first = Crowd(partial(self._at_once, patience=HUNG_SECONDS))
        self._behind = Crowd(self.write, rest=2.0)
        self._reading = ThreadPoolExecutor(READERS, thread_name_prefix="read")
        self._away_since: dict[ThreadPoolExecutor, float] = {}  # a full disk is there for those who read

    async def hear(self) -> None:
        """Wake those who wait for what other processes tell. Until cancelled."""
        await self._backend.hear()

    async def write(self, work: Callable[[Session, set[str]], T]) -> T:
        async with self._turns:
            return await self._at_once(work)

    async def write_first(self, work: Callable[[Session, set[str]], T]) -> T:
        """As `write`, before all that wait for their turn, and together with its like: for what must be kept within a
        second or two."""
        return await self._first.join(work)

    async def write_behind(self, work: Callable[[Session, set[str]], T]) -> T:
        """As `write`, together with its like, for what nobody waits for: it takes a third of the time at most."""
        return await self._behind.join(work)

    async def _at_once(self, work: Callable[[Session, set[str]], T], patience: float | None = None) -> T:
        value, topics = await self._patiently(self._writing, partial(self.write_now, work), patience)
        self.waker.tell(topics)
        return value

    def write_now(self, work: Callable[[Session, set[str]], T]) -> tuple[T, set[str]]:
        topics: set[str] = set()
        with Session(self._writer, expire_on_commit=False) as session, session.begin():
            session.connection()  # where there is one lock for all, it is taken here, before anything is read
            value = work(session, topics)
            if topics:
                self._backend.tell(session, topics)
        self._note(entries(session))
        return value, topics

    def _note(self, entered: list[Entry]) -> None:
        """What is committed stays so, whatever a listener makes of it."""
        for entry in entered:
            for listener in self.listeners:
                try:
                    listener(entry)
                except Exception as error:
                    noted(log, f"telling of entry {entry.seq} of {entry.stream}", error)

    async def read(self, work: Callable[[Session], T]) -> T:
        return await self._patiently(self._reading, partial(self._read_now, work), HUNG_SECONDS)

    def _read_now(self, work: Callable[[Session], T]) -> T:
        with Session(self._reader, expire_on_commit=False) as session:
            return work(session)

    async def _patiently(self, pool: ThreadPoolExecutor, work: Callable[[], T], patience: float | None) -> T:
        until = time.monotonic() + AWAY_SECONDS
        while True:
            try:
                value = await _within(patience, asyncio.get_running_loop().run_in_executor(pool, work))
            except DBAPIError as error:
                why = self._backend.transient(error)
                if why is None:
                    raise
                self._note_away(pool, why)
                if time.monotonic() > until:
                    raise DatabaseAwayError(f"The database is away: {why}") from error
            else:
                self._note_back(pool)
                return value
            await asyncio.sleep(AGAIN)

    def _note_away(self, pool: ThreadPoolExecutor, why: str) -> None:
        if pool not in self._away_since:
            self._away_since[pool] = time.monotonic()
            log.warning("trouble with the database, which is tried again: %s", why)

    def _note_back(self, pool: ThreadPoolExecutor) -> None:
        if (since := self._away_since.pop(pool, None)) is not None:
            log.warning("the database works again, after %.1f s", time.monotonic() - since)

    async def finish(self) -> None:
        """Wait for what is being written; nothing is written afterwards, and reading goes on."""
        for crowd in (self._first, self._behind):
            crowd.close()
        await asyncio.to_thread(self._writing.shutdown)

    async def close(self) -> None:
        await self.finish()
        await asyncio.to_thread(self._reading.shutdown)
        self._writer.dispose()
        self._reader.dispose()


async def _within(seconds: float | None, doing: asyncio.Future[T]) -> T:
    """What comes of it. Raises DatabaseAwayError when nothing does in time; it goes on, for nobody can end it."""
    if seconds is None:
        return await doing
    try:
        await asyncio.wait([doing], timeout=seconds)
    except asyncio.CancelledError:
        doing.cancel()
        raise
    if doing.done():
        return doing.result()
    doing.add_done_callback(lambda done: done.cancelled() or done.exception())
    raise DatabaseAwayError(f"The database is away: no answer for {seconds:g} s")


async def surely(work: Callable[[], Awaitable[T]]) -> T:
    """Do what must be done, however long the database is away; until cancelled."""
    while True:
        with contextlib.suppress(DatabaseAwayError):
            return await work()


def _backend(url: str, waker: Waker) -> Backend:
    if sqlite_path(url) is not None:
        return Sqlite(url)
    from pipelines.storage.postgres import Postgres  # with its driver, which a bot on SQLite does without

    return Postgres(url, waker)
