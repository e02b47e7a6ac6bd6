"""SQLite: one file, one process, one writer. What a SQLite database does otherwise than PostgreSQL."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

BUSY_SECONDS = 30.0


def sqlite_path(url: str) -> Path | None:
    """The file behind a SQLite URL, None for any other database."""
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None


class Sqlite:
    """A `Backend` whose writers stand in one queue: a transaction that writes has the whole file from its beginning."""

    writers = 1

    def __init__(self, url: str) -> None:
        self._url = url

    def writer(self) -> Engine:
        return _engine(self._url, begin="BEGIN IMMEDIATE")

    def reader(self) -> Engine:
        return _engine(self._url, begin="BEGIN")

    def transient(self, error: DBAPIError) -> str | None:
        """Whoever has the file was waited for. A disk that is full, or fails, may not be so in a moment; what else may
        be wrong stays so."""
        number = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF  # what is above it says more exactly where
        return {sqlite3.SQLITE_FULL: "its disk is full", sqlite3.SQLITE_IOERR: "its disk fails"}.get(number)

    def tell(self, _session: Session, _topics: set[str]) -> None:
        """There is no other process to tell."""

    async def hear(self) -> None:
        """There is no other process to hear."""
        await asyncio.Event().wait()


def _engine(url: str, *, begin: str) -> Engine:
    arguments = {"timeout": BUSY_SECONDS, "check_same_thread": False}
    engine = create_engine(url, connect_args=arguments, hide_parameters=True)
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
