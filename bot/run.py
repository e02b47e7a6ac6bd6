"""`run`, `web` and `worker`: a bot, or a part of one, until it is told to end. Scripts that run are left alone; the
next start takes them up.

Ending is quick whatever hangs. Everything that matters is in the database and in run folders by then, so what cannot be
ended in time (a database that does not answer, a Slack that takes no connection down) is left, as by `kill -9`.
"""

import asyncio
import errno
import logging
import os
import signal
import sys
import threading
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from typing import Any

from bot.app import AlreadyRunningError, App
from bot.logs import log_to_stderr
from bot.roles import BOTH, Role
from bot.settings import Settings
from pipelines.catalog import ConfigErrors
from pipelines.errors import noted
from pipelines.storage.database import sqlite_path
from pipelines.storage.errors import StorageError

log = logging.getLogger(__name__)

END_SECONDS = 8.0  # of the ten that are promised
NO_SLACK = "No Slack: SLACK_BOT_TOKEN is not set. This bot serves the command line alone (shipmate say …)."
TWO_PROCESSES = (
    "Shipmate did not start: two processes need PostgreSQL, and a SQLite file is for one process.\n"
    "Run the whole bot in one process: shipmate run\n"
    "or give both of them DATABASE_URL=postgresql://…, prepared once by: shipmate migrate"
)


def run(settings: Settings, roles: frozenset[Role] = BOTH) -> int:
    """The exit status: 0 told to end, 1 could not start or go on (the reason is on stderr)."""
    log_to_stderr(settings.log_format, settings.log_level)
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
        print(f"Shipmate did not start. {_reason(error, settings)}", file=sys.stderr)
        return 1
    except Exception as error:
        print(_broke(error, noted(log, "being the bot", error)), file=sys.stderr)
        return 1


def _reason(error: Exception, settings: Settings) -> str:
    match getattr(error, "errno", None):
        case errno.EADDRINUSE:
            return _taken(settings)
        case errno.ENOSPC | errno.EDQUOT:
            return f"The disk of {settings.data} is full: make room on it, then start again. Nothing is lost meanwhile."
        case _:
            return str(error)


def _taken(settings: Settings) -> str:
    ports = f"port {settings.port}" + (f" or {settings.ops_port}" if settings.ops_port else "")
    return f"Something else listens on {settings.host}, {ports}. Set PORT (or OPS_PORT) to a free one."


def _broke(error: Exception, number: str) -> str:
    reason = str(getattr(error, "orig", error)).splitlines()[:1]  # a database's own words are inside of SQLAlchemy's
    return (
        f"Shipmate broke and ended: {''.join(reason)}. Try: shipmate doctor. "
        f"What is above is for those who mend it, as error {number}."
    )


async def told_to_end() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set. From then on the process has END_SECONDS left, whatever it does."""
    told, loop = asyncio.Event(), asyncio.get_running_loop()

    def on_signal(_number: int, _frame: object) -> None:
        limit = threading.Timer(END_SECONDS, _leave)
        limit.daemon = True
        limit.start()
        loop.call_soon_threadsafe(told.set)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)  # not the loop's own handler: a loop that hangs would never call it
    return told


def _leave() -> None:
    log.warning("something hangs, so the process ends without it; nothing is lost")
    os._exit(0)


async def _run(settings: Settings, roles: frozenset[Role]) -> int:
    told = await told_to_end()
    app = App(settings, roles)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, app.read_config_again)
    if not await _done_before(app.start(), told):
        return 0
    try:
        for line in _ready(app):
            log.info(line)
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


def _ready(app: App) -> Iterator[str]:
    settings = app.settings
    if app.ops_port is not None:
        yield f"health and figures are on http://{settings.host}:{app.ops_port}"
    if Role.WEB not in app.roles:
        yield f"Shipmate's worker is ready, with data in {settings.data}"
        return
    if settings.slack is None:
        yield NO_SLACK
    yield f"Shipmate is ready on http://{settings.host}:{app.port} with data in {settings.data}"
