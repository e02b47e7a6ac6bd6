"""Health and figures, put together: which parts are asked whether the bot is ready, and where that is served."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING

from aiohttp import web

from bot import figures, journal_lines, readiness
from bot.settings import Settings
from handlers.web import health, metrics
from handlers.web.health import Check
from pipelines.execution.agent import Agent
from pipelines.execution.engine import DurableEngine
from pipelines.execution.turns import Turns
from pipelines.storage import figures as stored
from pipelines.storage.database import Database
from pipelines.storage.journal import Entry

if TYPE_CHECKING:
    from handlers.slack.door import SlackDoor


Loops = tuple[tuple[str, readiness.Asking], ...]


def note(entry: Entry) -> None:
    """What was entered in the journal goes into the log and the figures."""
    journal_lines.note(entry)
    figures.note(entry)


def parts(
    settings: Settings, database: Database, door: "SlackDoor | None", closed: Callable[[], bool]
) -> dict[str, readiness.Asking]:
    """What must answer before a process is ready, by name."""

    async def open_() -> Check:
        return Check(ok=not closed(), says="restarting" if closed() else "takes what comes")

    async def write() -> None:
        await database.write(lambda session, _: stored.probe(session))

    async def slack() -> Check:
        if door is None:
            return Check(ok=True, says="there is none here: the command line alone is served")
        ok, says = await door.reached()
        return Check(ok=ok, says=says, needed=False)

    return {
        "desk": open_,
        "database": readiness.database(write),
        "disk": readiness.disk(settings.data, settings.upkeep.keep_free),
        "slack": slack,
    }


def loops(
    database: Database, engine: DurableEngine, turns: Turns, agent: Agent, clock: Callable[[], datetime]
) -> Loops:
    """The loops of a process that carries deploys out."""

    async def queue() -> float:
        return await database.read(lambda session: engine.waiting(session, clock()))

    async def turned() -> float:
        return turns.pulse.longest()

    async def looked() -> float:
        return agent.pulse.longest()

    return (
        ("agent", readiness.turning("since it last looked for scripts to start", looked)),
        ("engine", readiness.turning("since a running deploy was last looked at", turned)),
        ("queue", readiness.turning("since the oldest deploy that nobody took up was planned", queue)),
    )


def elsewhere(workers: Callable[[], Awaitable[int]]) -> Loops:
    """Of a process that leaves that to others: whether there are any. It takes commands all the same."""

    async def there() -> Check:
        number = await workers()
        says = (
            f"{number} there" if number else "none there: what is asked is kept until one is; start it: shipmate worker"
        )
        return Check(ok=number > 0, says=says, needed=False)

    return (("workers", there),)


def watched(
    site: web.Application,
    settings: Settings,
    *,
    database: Database,
    door: "SlackDoor | None",
    loops: Loops,
    closed: Callable[[], bool],
) -> readiness.Readiness:
    """Serve health and figures on this site; what is to be stopped at the end. `closed`: this process ends soon."""

    async def counted() -> stored.Figures:
        return await database.read(lambda session: stored.figures(session, "slack"))

    ready = readiness.Readiness({**parts(settings, database, door, closed), **dict(loops)})
    health.routes(site, ready.look)
    metrics.routes(site, figures.Looking(counted, settings.data, door.reached if door else None).look)
    return ready
