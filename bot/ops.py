"""Health and figures, put together: which parts are asked whether the bot is ready, and where that is served."""

from collections.abc import Callable
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
from pipelines.shipmate import Shipmate
from pipelines.storage.database import Database
from pipelines.storage.journal import Entry

if TYPE_CHECKING:
    from handlers.slack.door import SlackDoor


def note(entry: Entry) -> None:
    """What was entered in the journal goes into the log and the figures."""
    journal_lines.note(entry)
    figures.note(entry)


def parts(
    settings: Settings, shipmate: Shipmate, door: "SlackDoor | None", *loops: tuple[str, readiness.Asking]
) -> dict[str, readiness.Asking]:
    """What must answer before the bot is ready, by name."""

    async def open_() -> Check:
        return Check(ok=not shipmate.closed, says="restarting" if shipmate.closed else "takes commands")

    async def slack() -> Check:
        if door is None:
            return Check(ok=True, says="there is none: the command line alone is served")
        ok, says = await door.reached()
        return Check(ok=ok, says=says, needed=False)

    return {
        "desk": open_,
        "database": readiness.database(shipmate.probe),
        "disk": readiness.disk(settings.data, settings.upkeep.keep_free),
        "slack": slack,
        **dict(loops),
    }


def loops(
    database: Database, engine: DurableEngine, turns: Turns, agent: Agent, clock: Callable[[], datetime]
) -> tuple[tuple[str, readiness.Asking], ...]:
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


def watched(
    site: web.Application,
    settings: Settings,
    shipmate: Shipmate,
    door: "SlackDoor | None",
    loops: tuple[tuple[str, readiness.Asking], ...],
) -> readiness.Readiness:
    """Serve health and figures on this site; what is to be stopped at the end."""

    ready = readiness.Readiness(parts(settings, shipmate, door, *loops))
    health.routes(site, ready.look)
    metrics.routes(site, figures.Looking(shipmate, settings.data, door.reached if door else None).look)
    return ready
