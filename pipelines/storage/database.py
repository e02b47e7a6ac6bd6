"""One database behind one URL: transactions in threads, and waking those who wait for what a commit changed.

SQLite and PostgreSQL differ in `Backend` alone: how a writing transaction begins. Nothing here knows a table.
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine, create_engine, event
from sqlmodel import Session

from pipelines.errors import noted
from pipelines.storage.journal import Entry, Listener, entries

log = logging.getLogger(__name__)

T = TypeVar("T")

BUSY_SECONDS = 30.0


class Waker:
    """Tells those who wait on a topic that it changed. They also wake by themselves: a missed call costs only time."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)

    @contextlib.contextmanager
    def listening(self, *topics: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever one of the topics is told; the listener clears it before it looks."""
        told = asyncio.Event()
        for topic in topics:
            self._waiting[topic].add(told)
        try:
            yield told
        finally:
            for topic in topics:
                self._waiting[topic].discard(told)
                if not self._waiting[topic]:
                    del self._waiting[topic]

    def tell(self, topics: set[str]) -> None:
        for topic in topics:
            for told in self._waiting.get(topic, ()):
                told.set()


async def heard(told: asyncio.Event, seconds: float) -> None:
    """Wait until told, or until the time is over."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await told.wait()


class Database:
    """`write` and `read` run a plain function with a session in a thread; a `write` is one transaction under the write
    lock, and what it put into `topics` is told after the commit, as is what it entered in the journal, to `listeners`
    and in that thread. Raises what the function raises, after a rollback."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self.waker = Waker()
        self.listeners: list[Listener] = []
        self._writer = _engine(url, begin="BEGIN IMMEDIATE")
        self._reader = _engine(url, begin="BEGIN")
        self._writing = ThreadPoolExecutor(1 if self.is_sqlite else 8, thread_name_prefix="write")
        self._behind = asyncio.Semaphore(1 if self.is_sqlite else 4)
        self._reading = ThreadPoolExecutor(4, thread_name_prefix="read")

    async def write_behind(self, work: Callable[[Session, set[str]], T]) -> T:
        """As `write`, for what nobody waits for and what comes in crowds: one of them at a time stands in the queue of
        the writes, so an ask has at most one of them before it."""
        async with self._behind:
            return await self.write(work)

    async def write(self, work: Callable[[Session, set[str]], T]) -> T:
        loop = asyncio.get_running_loop()
        value, topics = await loop.run_in_executor(self._writing, self.write_now, work)
        self.waker.tell(topics)
        return value

    def write_now(self, work: Callable[[Session, set[str]], T]) -> tuple[T, set[str]]:
        topics: set[str] = set()
        with Session(self._writer, expire_on_commit=False) as session, session.begin():
            session.connection()  # the lock is taken here, before anything is read
            value = work(session, topics)
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
        return await asyncio.get_running_loop().run_in_executor(self._reading, self._read_now, work)

    def _read_now(self, work: Callable[[Session], T]) -> T:
        with Session(self._reader, expire_on_commit=False) as session:
            return work(session)

    async def close(self) -> None:
        self._writing.shutdown(wait=True)
        self._reading.shutdown(wait=True)
        self._writer.dispose()
        self._reader.dispose()


def sqlite_path(url: str) -> Path | None:
    """The file behind a SQLite URL, None for any other database."""
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None


def _engine(url: str, *, begin: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, hide_parameters=True)
    arguments = {"timeout": BUSY_SECONDS, "check_same_thread": False}
    engine = create_engine(
        url, connect_args=arguments, hide_parameters=True
    )  # errors are logged, what was typed is not
    event.listen(engine, "connect", _settle)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _settle(connection: Any, _record: object) -> None:
    """The driver sends no BEGIN of its own before the first write, so two deciders would both read, then both start:
    transactions begin where `begin` says so, at once."""
    assert isinstance(connection, sqlite3.Connection)
    connection.isolation_level = None
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
