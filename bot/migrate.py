"""`migrate`: bring the database up to date. On PostgreSQL it is a step of its own, before the processes of a newer
version start; a SQLite file is brought up to date by `run` itself, so there this is for the impatient."""

import asyncio
import logging
import sys
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from bot.holding import AlreadyRunningError, hold
from bot.logs import log_to_stderr
from bot.preparing import there
from bot.roles import Role
from bot.settings import Settings
from pipelines.execution import engine
from pipelines.storage.checkup import refuse_broken
from pipelines.storage.database import sqlite_path
from pipelines.storage.errors import StorageError
from pipelines.storage.schema import bring_up_to_date


def migrate(settings: Settings) -> int:
    """The exit status: 0 it is up to date, 1 it is not (the reason is on stderr)."""
    log_to_stderr(settings.log_format, settings.log_level)
    logging.getLogger("dbos").setLevel(logging.ERROR)  # it misses a database beside ours, which nobody needs
    try:
        copy = _migrate(settings)
    except (AlreadyRunningError, StorageError, OSError) as error:
        print(f"The database was not brought up to date. {error}", file=sys.stderr)
        return 1
    except DBAPIError as error:
        print(f"The database was not brought up to date. It says: {error.orig}", file=sys.stderr)
        return 1
    print("The database is up to date." + (f" A copy of how it was is {copy}" if copy else ""))
    return 0


def _migrate(settings: Settings) -> Path | None:
    """The copy that was made of a SQLite file before."""
    url = settings.database
    if sqlite_path(url) is None:
        asyncio.run(there(url))
        bring_up_to_date(url)
        engine.make_tables(url)
        return None
    settings.data.mkdir(parents=True, exist_ok=True)
    let_go = hold(settings.data, Role.WORKER)
    try:
        refuse_broken(url)
        return bring_up_to_date(url)
    finally:
        let_go()
