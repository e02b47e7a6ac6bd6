"""`run`: a whole bot until it is told to end. Scripts that run are left alone; the next start takes them up."""

import asyncio
import logging
import signal
import sys

from bot.app import AlreadyRunningError, App
from bot.settings import Settings
from pipelines.catalog import ConfigErrors
from pipelines.errors import noted
from pipelines.storage.schema import NewerSchemaError

log = logging.getLogger(__name__)

NO_SLACK = "No Slack: SLACK_BOT_TOKEN is not set. This bot serves the command line alone (shipmate say …)."


def log_to_stderr() -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for chatty in ("aiohttp.access", "apscheduler", "alembic", "slack_bolt", "slack_sdk", "dbos"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def run(settings: Settings) -> int:
    """The exit status: 0 told to end, 1 could not start (the reason is on stderr)."""
    log_to_stderr()
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
    """An event that SIGTERM and SIGINT set."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    return told


async def _run(settings: Settings) -> None:
    told = await told_to_end()
    app = App(settings)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, app.read_config_again)
    await app.start()
    try:
        if settings.slack is None:
            print(NO_SLACK, file=sys.stderr)
        print(f"Shipmate is ready on http://{settings.host}:{app.port} with data in {settings.data}", file=sys.stderr)
        await told.wait()
    finally:
        await app.stop()
