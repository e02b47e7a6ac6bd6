"""`run`, `web` and `worker`: a bot, or a part of one, until it is told to end. Scripts that run are left alone; the
next start takes them up."""

import asyncio
import logging
import signal
import sys
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from bot.app import AlreadyRunningError, App
from bot.roles import BOTH, Role
from bot.settings import Settings
from pipelines.catalog import ConfigErrors
from pipelines.errors import noted
from pipelines.storage.database import sqlite_path
from pipelines.storage.errors import StorageError

log = logging.getLogger(__name__)

NO_SLACK = "No Slack: SLACK_BOT_TOKEN is not set. This bot serves the command line alone (shipmate say …)."
TWO_PROCESSES = (
    "Shipmate did not start: two processes need PostgreSQL, and a SQLite file is for one process.\n"
    "Run the whole bot in one process: shipmate run\n"
    "or give both of them DATABASE_URL=postgresql://…, prepared once by: shipmate migrate"
)


def log_to_stderr() -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for chatty in ("aiohttp.access", "apscheduler", "alembic", "slack_bolt", "slack_sdk", "dbos"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def run(settings: Settings, roles: frozenset[Role] = BOTH) -> int:
    """The exit status: 0 told to end, 1 could not start or go on (the reason is on stderr)."""
    log_to_stderr()
    if roles != BOTH and sqlite_path(settings.database) is not None:
        print(TWO_PROCESSES, file=sys.stderr)
        return 1
    try:
        return asyncio.run(_run(settings, roles))
    except ConfigErrors as errors:
        for problem in errors.problems:
            print(problem, file=sys.stderr)
        print(f"Shipmate did not start: mend {settings.config} first.", file=sys.stderr)
        return 1
    except (AlreadyRunningError, StorageError, OSError) as error:
        print(f"Shipmate did not start. {error}", file=sys.stderr)
        return 1
    except Exception as error:
        print(_broke(error, noted(log, "being the bot", error)), file=sys.stderr)
        return 1


def _broke(error: Exception, number: str) -> str:
    reason = str(getattr(error, "orig", error)).splitlines()[:1]  # a database's own words are inside of SQLAlchemy's
    return (
        f"Shipmate broke and ended: {''.join(reason)}. Try: shipmate doctor. "
        f"What is above is for those who mend it, as error {number}."
    )


async def told_to_end() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    return told


async def _run(settings: Settings, roles: frozenset[Role]) -> int:
    told = await told_to_end()
    app = App(settings, roles)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, app.read_config_again)
    if not await _done_before(app.start(), told):
        return 0
    try:
        print(_ready(app), file=sys.stderr, flush=True)
        if await _done_before(app.broken.wait(), told):
            print(f"Shipmate stops. {app.why}", file=sys.stderr)
            return 1
        return 0
    finally:
        await app.stop()


async def _done_before(work: Coroutine[Any, Any, object], told: asyncio.Event) -> bool:
    """Do something unless told to end; whether it was done. Raises what it raises."""
    doing, ending = asyncio.create_task(work), asyncio.create_task(told.wait())
    await asyncio.wait({doing, ending}, return_when=asyncio.FIRST_COMPLETED)
    for task in (doing, ending):
        task.cancel()
    with suppress(asyncio.CancelledError):
        await doing
        return True
    return False


def _ready(app: App) -> str:
    settings = app.settings
    if Role.WEB not in app.roles:
        return f"Shipmate's worker is ready, with data in {settings.data}"
    where = f"Shipmate is ready on http://{settings.host}:{app.port} with data in {settings.data}"
    return where if settings.slack else f"{NO_SLACK}\n{where}"
