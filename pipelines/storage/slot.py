"""Slots: at most one process of a name works on a PostgreSQL database. A slot is an advisory lock on a connection of
its own, so it is free again the moment its process ends, however it ends."""

import asyncio
import logging
import os
import socket
import time
import zlib
from typing import Any

import psycopg
from sqlalchemy import text
from sqlmodel import Session

from pipelines.storage.connecting import arguments
from pipelines.storage.errors import SlotTakenError

log = logging.getLogger(__name__)

SPACE = 0x5350  # of our locks, among all the advisory locks of a database
PATIENCE = 10.0
AGAIN = 0.5
LOOK_SECONDS = 5.0
# the server learns within half a minute that a host is gone, else the slot of a host that vanished is taken for hours
SETTINGS = {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"}
TAKEN = (
    " FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND granted "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
HOLDER = (
    "SELECT application_name, coalesce(host(client_addr), 'this host')" + TAKEN + " AND classid = %s AND objid = %s"
)
HOLDERS = text("SELECT application_name" + TAKEN + " AND classid = :space").bindparams(space=SPACE)
HELD = text("SELECT 1" + TAKEN + " AND classid = :space AND objid = :key").bindparams(space=SPACE)
OURS = "shipmate "


def is_held(session: Session, name: str) -> bool:
    """Whether a process is this one at the moment."""
    return session.execute(HELD, {"key": _number(name)}).first() is not None


def held(session: Session) -> list[str]:
    """The names of the slots that processes hold at this moment, such as `web` and `worker HOST`."""
    found = session.execute(HOLDERS).scalars()
    return sorted(str(one).removeprefix(OURS).partition(",")[0] for one in found)


def _number(name: str) -> int:
    return zlib.crc32(name.encode()) & 0x7FFF_FFFF


class Slot:
    """`patience`: for how many seconds a process that is just ending is waited for, or a database that is away."""

    def __init__(self, url: str, name: str, *, patience: float = PATIENCE) -> None:
        self.name = name
        self._key = (SPACE, _number(name))
        who = f"{OURS}{name}, process {os.getpid()} on {socket.gethostname()}"
        self._arguments: dict[str, Any] = {**arguments(url, SETTINGS), "application_name": who[:63]}
        self._patience = patience
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def take(self) -> None:
        """Raises SlotTakenError, and psycopg's errors when the database stays away."""
        until = time.monotonic() + self._patience
        connection = await self._connected(until)
        try:
            while not await self._locked(connection):
                if time.monotonic() > until:
                    raise SlotTakenError(await self._holder(connection))
                await asyncio.sleep(AGAIN)
        except BaseException:
            await connection.close()
            raise
        self._connection = connection

    async def _connected(self, until: float) -> psycopg.AsyncConnection[Any]:
        while True:
            try:
                return await psycopg.AsyncConnection.connect(**self._arguments, autocommit=True)
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
            await asyncio.sleep(AGAIN)

    async def _locked(self, connection: psycopg.AsyncConnection[Any]) -> bool:
        row = await (await connection.execute("SELECT pg_try_advisory_lock(%s, %s)", self._key)).fetchone()
        return bool(row and row[0])

    async def _holder(self, connection: psycopg.AsyncConnection[Any]) -> str:
        row = await (await connection.execute(HOLDER, self._key)).fetchone()
        who = f"{row[0]} (from {row[1]})" if row else "nobody can tell which"
        return f"Another process is {self.name!r} on this database already: {who}. End it first."

    async def keep(self) -> None:
        """Hold the slot until cancelled; take it again after the connection was lost. Raises SlotTakenError when
        another process was faster."""
        while True:
            try:
                if self._connection is None:
                    await self.take()
                assert self._connection is not None
                await self._connection.execute("SELECT 1")
                await asyncio.sleep(LOOK_SECONDS)
            except psycopg.Error as error:
                log.info("slot %s has to be taken again: %s", self.name, error)
                await self.leave()
                await asyncio.sleep(AGAIN)

    async def leave(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
