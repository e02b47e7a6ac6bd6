"""The bot of the simulation: one process from its start to its death, put together as the composition does it.

All of it is the product's own code, but for what is outside of a process: threads, the engine, git, Slack, scripts.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session

from handlers.slack.answers import Answers
from handlers.slack.budget import Budgets
from handlers.slack.canvas import Studio
from handlers.slack.channels import Channels
from handlers.slack.choosing import Choosing
from handlers.slack.door import IDENTITY_SECONDS
from handlers.slack.identity import SlackDoorman
from handlers.slack.inbox import Inbox
from handlers.slack.painter import Painter
from handlers.slack.private import Private
from handlers.slack.sending import Sender
from handlers.slack.tasks import Breaks, Tasks
from handlers.slack.workspace import Workspace
from pipelines.deciding import Decider
from pipelines.domain.model import Config
from pipelines.execution.agent import Agent
from pipelines.execution.rescue import SWEEP_SECONDS, Rescue
from pipelines.execution.source import Source
from pipelines.execution.turns import Turns
from pipelines.facts import Gatherer
from pipelines.looking import Looker
from pipelines.probing import Prober
from pipelines.shipmate import Shipmate
from pipelines.storage.database import Database
from tests.simulation.engine import SimulatedEngine
from tests.simulation.loop import SimulatedLoop
from tests.simulation.slack import SimulatedSession, SimulatedSlack, SimulatedWeb
from tests.simulation.waker import SteadyWaker
from tests.support.front import one_worker

log = logging.getLogger(__name__)

BEGIN_AGAIN = 1.0
HOST = "simulated"
ENGINES: dict[
    tuple[str, str], Engine
] = {}  # of all bots on the same file, one after the other: they know its statements


class SimulatedBot:
    """Made within its loop, which must be the running one; `start` makes it work."""

    def __init__(
        self,
        loop: SimulatedLoop,
        *,
        url: str,
        runs: Path,
        slack: SimulatedSlack,
        source: Source,
        config: Config,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self.database = database = Database(url)
        database.waker = SteadyWaker()
        for name, engine in list(vars(database).items()):
            if isinstance(engine, Engine):
                setattr(database, name, ENGINES.setdefault((url, name), engine))
        self.engine = SimulatedEngine(database)
        budgets = Budgets(clock=loop.time)
        web = SimulatedWeb(slack, loop, budgets=budgets, patient=True)
        self._workspace = Workspace(web)
        channels = Channels(web, self._workspace, clock=loop.time)
        doorman = SlackDoorman(web, self._workspace, channels, lambda: config)
        private = Private(web, SimulatedSession.of(slack, loop))
        gatherer = Gatherer(source=source, doorman=doorman, clock=clock)
        prober = Prober(database=database, gatherer=gatherer, workers=one_worker, clock=clock, new_id=new_id)
        enqueue = self.engine.enqueue
        decider = Decider(
            database=database,
            enqueue=enqueue,
            gatherer=gatherer,
            prober=prober,
            doorman=doorman,
            config=lambda: config,
            clock=clock,
            new_id=new_id,
        )
        self.shipmate = Shipmate(
            database=database,
            enqueue=enqueue,
            decider=decider,
            looker=Looker(database=database, gatherer=gatherer, prober=prober, decider=decider, config=lambda: config),
            config=lambda: config,
            clock=clock,
            new_id=new_id,
        )
        self._rescue = Rescue(database, self.engine, nobody)
        self._turns = Turns(database=database, enqueue=enqueue, host=HOST, config=lambda: config, clock=clock)
        self._agent = Agent(
            database=database, source=source, host=HOST, runs=runs, path="/bin", environ={}, clock=clock
        )
        self._answers = Answers(self.shipmate, private=private, channels=channels, clock=clock)
        choosing = Choosing(self.shipmate, web, self._workspace, answers=self._answers, clock=clock)
        self.inbox = Inbox(
            self.shipmate,
            doorman=doorman,
            workspace=self._workspace,
            private=private,
            choosing=choosing,
            clock=clock,
        )
        self.after = Tasks()
        studio = Studio(
            shipmate=self.shipmate,
            sender=Sender(SimulatedWeb(slack, loop, budgets=budgets, patient=False)),
            budgets=budgets,
            channels=channels,
            private=private,
            clock=clock,
        )
        self._painter = Painter(studio)
        for part in (self._painter, self._answers):
            part._breaks = Breaks(clock=loop.time)
        self.listens = False
        self._painting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self.engine.start(self._turns.carry_out)
        for part in (self._agent.run, self._sweep):
            asyncio.create_task(_kept(part))  # noqa: RUF006 (the loop knows its tasks)
        identified = asyncio.create_task(_kept(self._workspace.keep_asking))
        await asyncio.wait({identified}, timeout=IDENTITY_SECONDS)
        asyncio.create_task(_kept(self._answers.run))  # noqa: RUF006
        self.paint()
        self.listens = True

    def paint(self) -> None:
        """Begin to paint; a painter that paints is broken off."""
        if self._painting is not None:
            self._painting.cancel()
        self._painting = asyncio.create_task(_kept(self._painter.run))

    async def _sweep(self) -> None:
        while True:
            await self._rescue.sweep()
            await self.shipmate.sweep()
            await asyncio.sleep(SWEEP_SECONDS)

    def close(self) -> None:
        """Connections of a dead process are closed by its host."""
        for engine in vars(self.database).values():
            if isinstance(engine, Engine):
                engine.dispose()


def nobody(_session: Session, _host: str) -> bool:
    """One host is all there is, and it is never gone."""
    return False


async def _kept(part: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            return await part()
        except Exception:
            log.exception("a part of the bot broke; it begins again")
            await asyncio.sleep(BEGIN_AGAIN)
