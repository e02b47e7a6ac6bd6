"""Preparing what a process stands on before anything of it begins: its database is waited for, its schema looked at,
and its names on the database taken."""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from bot.roles import Role
from pipelines.execution import disk
from pipelines.execution.engine import DurableEngine
from pipelines.storage.checkup import refuse_broken
from pipelines.storage.database import Database, sqlite_path
from pipelines.storage.errors import NoRoomError, UnreachableError
from pipelines.storage.schema import make_ready

if TYPE_CHECKING:
    from pipelines.storage.slot import Slot

log = logging.getLogger(__name__)

WAIT_SECONDS = 60.0


async def prepare(url: str, engine: DurableEngine) -> None:
    """Raises StorageError, and SQLAlchemy's DBAPIError for a broken file."""
    await there(url)
    try:
        await asyncio.to_thread(_room, url)
        await asyncio.to_thread(refuse_broken, url)
        copy = await asyncio.to_thread(make_ready, url)
        await asyncio.to_thread(engine.check)
    except DBAPIError as error:
        if sqlite_path(url) is not None:
            raise
        raise UnreachableError(f"The database does not do what it is asked: {error.orig}") from error
    if copy is not None:
        log.info("the database was brought up to date; a copy of how it was is %s", copy)


def _room(url: str) -> None:
    """Raises NoRoomError: a start writes, so it would break."""
    path = sqlite_path(url)
    if path is not None and path.parent.exists() and disk.full(path.parent):
        raise NoRoomError(f"The disk of {path} is full: make room on it, then start again. Nothing is lost meanwhile.")


async def there(url: str) -> None:
    """Wait until the database answers, for a minute. Raises UnreachableError."""
    if sqlite_path(url) is None:
        from pipelines.storage.connecting import wait_for

        await wait_for(url, WAIT_SECONDS, lambda words: print(words, file=sys.stderr, flush=True))


def slots(url: str, roles: frozenset[Role], host: str) -> "list[Slot]":
    """The names that a process has for itself on its database: one web, and one worker a host. A SQLite file needs
    none."""
    if sqlite_path(url) is not None:
        return []
    from pipelines.storage.slot import Slot

    names = {Role.WEB: "web", Role.WORKER: _worker(host)}
    return [Slot(url, names[role]) for role in Role if role in roles]


def worker_there(url: str) -> Callable[[Session, str], bool]:
    """Whether a worker of a host is at work on this database; of a SQLite file there is no other."""

    def there(session: Session, host: str) -> bool:
        from pipelines.storage.slot import is_held

        return is_held(session, _worker(host))

    return there if sqlite_path(url) is None else lambda _session, _host: True


def _worker(host: str) -> str:
    return f"{Role.WORKER} {host}"


def workers(url: str, roles: frozenset[Role], database: Database) -> Callable[[], Awaitable[int]]:
    """How many processes there are that carry deploys out: this one, or those that the database knows."""

    async def here() -> int:
        return 1

    async def elsewhere() -> int:
        from pipelines.storage.slot import held

        return sum(name.startswith(Role.WORKER) for name in await database.read(held))

    return here if Role.WORKER in roles or sqlite_path(url) is not None else elsewhere
