"""PostgreSQL: any number of processes. What it does otherwise than SQLite: many transactions write at once and lock the
rows they decide by, the server may be away, and other processes are told of a commit by NOTIFY."""

import secrets

import psycopg
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from pipelines.storage.connecting import arguments, engine, reason
from pipelines.storage.listener import CHANNEL, Listener, packed
from pipelines.storage.waking import Waker

READERS = 4

# Codes of https://www.postgresql.org/docs/current/errcodes-appendix.html after which the same may go well: no
# connection, no resources, ended by an operator or a limit of time, a lock not granted, a standby, a lost race.
TRANSIENT = ("08", "53", "57", "55P03", "25P03", "25006", "40")


class Postgres:
    """A `Backend` whose transactions run side by side."""

    writers = 8

    def __init__(self, url: str, waker: Waker) -> None:
        self._url = url
        self._self = secrets.token_hex(4)
        self._listener = Listener(arguments(url), self._self, waker)

    def writer(self) -> Engine:
        """What waits for a locked row sees it as it was left: each statement reads anew."""
        return engine(self._url, pool_size=self.writers, isolation_level="READ COMMITTED")

    def reader(self) -> Engine:
        only = {"postgresql_readonly": True}
        return engine(self._url, pool_size=READERS, isolation_level="REPEATABLE READ", execution_options=only)

    def transient(self, error: DBAPIError) -> str | None:
        code = getattr(error.orig, "sqlstate", None)
        lost = error.connection_invalidated or (isinstance(error.orig, psycopg.OperationalError) and code is None)
        return reason(error.orig) if lost or (code or "").startswith(TRANSIENT) else None

    def tell(self, session: Session, topics: set[str]) -> None:
        """Told with the commit, and not at all without it."""
        told = {"channel": CHANNEL, "said": packed(self._self, topics)}
        session.connection().execute(text("SELECT pg_notify(:channel, :said)"), told)

    async def hear(self) -> None:
        await self._listener.run()
