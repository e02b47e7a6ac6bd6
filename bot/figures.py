"""The figures of the bot for Prometheus: what ended is counted as it is entered in the journal, what waits and runs is
counted when somebody looks.

Labels are services and environments of the configuration and words of the code: nothing that grows.
"""

import asyncio
import logging
import math
import platform
import tomllib
from collections.abc import Awaitable, Callable
from pathlib import Path

from prometheus_client import Counter, Gauge, Histogram, Info, disable_created_metrics

from pipelines.domain.events import Closed, Held, Refused
from pipelines.execution.disk import left
from pipelines.storage.figures import Figures
from pipelines.storage.journal import Entry

log = logging.getLogger(__name__)

PATIENCE = 1.5
SECONDS = (5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200)
ROOM = ("service", "environment")

DEPLOYS = Counter("shipmate_deploys", "Deploys that ended", [*ROOM, "purpose", "outcome"])
DURATION = Histogram(
    "shipmate_deploy_seconds", "From a yes to the end of the deploy", [*ROOM, "outcome"], buckets=SECONDS
)
REFUSALS = Counter("shipmate_refusals", "Gates that stopped what was asked", ["gate"])
HELD = Counter("shipmate_held", "Deploys whose next step was late, so that a person was asked")
BUILD = Info("shipmate_build", "What runs here")
WAITS = {
    "undecided": Gauge("shipmate_undecided_asks", "Asks that are kept and wait to be decided"),
    "unanswered": Gauge("shipmate_unanswered_asks", "Asks from Slack whose people have not been told yet"),
    "running": Gauge("shipmate_running_deploys", "Deploys that are not over"),
    "waiting": Gauge("shipmate_waiting_deploys", "Deploys that wait for a person's answer"),
    "scripts": Gauge("shipmate_running_scripts", "Scripts that run, or are about to"),
    "unpainted": Gauge("shipmate_unpainted_postings", "Deploys that are over and whose messages do not say so yet"),
}
PAINTED = ("unpainted", "unanswered")
DATABASE = Gauge("shipmate_database_up", "Whether the database answered when this was read")
SLACK = Gauge("shipmate_slack_up", "Whether Slack and the bot reach each other; no number where there is no Slack")
FREE = Gauge("shipmate_data_free_bytes", "Room on the disk where the data folder is")


def note(entry: Entry) -> None:
    """Count what was just entered in the journal."""
    match entry.event:
        case Closed(outcome=outcome) if entry.deploy is not None:
            plan, deploy = entry.deploy.plan, entry.deploy
            DEPLOYS.labels(plan.service, plan.environment, deploy.purpose, outcome).inc()
            DURATION.labels(plan.service, plan.environment, outcome).observe((entry.at - deploy.at).total_seconds())
        case Refused(refusal=refusal):
            for gate in refusal.gates:
                REFUSALS.labels(gate.code).inc()
        case Held():
            HELD.inc()
        case _:
            return


Reached = Callable[[], Awaitable[tuple[bool, str]]]


class Looking:
    """What is counted only when somebody looks. `reached` tells whether Slack and the bot reach each other; None where
    there is no Slack, and so nothing to be painted."""

    def __init__(self, counted: Callable[[], Awaitable[Figures]], data: Path, reached: Reached | None) -> None:
        self._counted = counted
        self._data = data
        self._reached = reached
        disable_created_metrics()  # type: ignore[no-untyped-call]
        BUILD.info({"version": release(), "python": platform.python_version()})

    async def look(self) -> None:
        """Within two seconds; what cannot be counted is not a number until it can."""
        FREE.set(left(self._data))
        SLACK.set((await self._reached())[0] if self._reached else math.nan)
        try:
            async with asyncio.timeout(PATIENCE):
                counted = await self._counted()
        except Exception as error:
            log.warning("the figures of what waits and runs could not be counted: %s", type(error).__name__)
            DATABASE.set(0)
            for gauge in WAITS.values():
                gauge.set(math.nan)
            return
        DATABASE.set(1)
        for name, gauge in WAITS.items():
            gauge.set(getattr(counted, name) if self._reached or name not in PAINTED else 0)


def release() -> str:
    """The version in the checkout that this program runs from."""
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())
    return str(project["project"]["version"])
