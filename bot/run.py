"""`run`: a whole bot until it is told to end. Scripts that run are left alone; the next start takes them up.

Ending is quick whatever hangs. Everything that matters is in the database and in run folders by then, so what cannot be
ended in time (a database that does not answer, a Slack that takes no connection down) is left, as by `kill -9`.
"""

import asyncio
import logging
import os
import signal
import sys
import threading

from bot.app import AlreadyRunningError, App
from bot.logs import log_to_stderr
from bot.settings import Settings
from pipelines.catalog import ConfigErrors
from pipelines.errors import noted
from pipelines.storage.schema import NewerSchemaError

NO_SLACK = "No Slack: SLACK_BOT_TOKEN is not set. This bot serves the command line alone (shipmate say …)."
END_SECONDS = 8.0  # of the ten that are promised

log = logging.getLogger(__name__)


def run(settings: Settings) -> int:
    """The exit status: 0 told to end, 1 could not start (the reason is on stderr)."""
    log_to_stderr(settings.log_format, settings.log_level)
    try:
        asyncio.run(_run(settings))
    except ConfigErrors as errors:
        for problem in errors.problems:
            print(problem, file=sys.stderr)
        print(f"Shipmate did not start: mend {settings.config} first.", file=sys.stderr)
        return 1
    except (AlreadyRunningError, NewerSchemaError, OSError) as error:
        print(f"Shipmate did not start. {error}", file=sys.stderr)
        return 1
    except Exception as error:
        print(_broke(error, noted(log, "being the bot", error)), file=sys.stderr)
        return 1
    return 0


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


async def _run(settings: Settings) -> None:
    told = await told_to_end()
    app = App(settings)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, app.read_config_again)
    await app.start()
    try:
        if settings.slack is None:
            log.info(NO_SLACK)
        if app.ops_port is not None:
            log.info("health and figures are on http://%s:%d", settings.host, app.ops_port)
        log.info("Shipmate is ready on http://%s:%d with data in %s", settings.host, app.port, settings.data)
        await told.wait()
    finally:
        await app.stop()
