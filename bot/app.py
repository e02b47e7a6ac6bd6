"""The composition: the one place that names concrete classes and says who works with whom."""

import asyncio
import contextlib
import fcntl
import logging
import os
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot import ops
from bot.control import Control, Question
from bot.readiness import Asking
from bot.settings import Settings, SlackSettings
from bot.spans import Span, spans
from bot.timer import Timer
from bot.traces import tracing
from bot.upkeep import Upkeep
from handlers.terminal import completion
from handlers.terminal.door import TerminalDoor
from handlers.terminal.identity import NoSlack
from pipelines.catalog import ConfigFile
from pipelines.deciding import Decider
from pipelines.domain.deploy import Deploy
from pipelines.domain.model import Config
from pipelines.errors import noted
from pipelines.execution import disk
from pipelines.execution.agent import Agent
from pipelines.execution.engine import DurableEngine
from pipelines.execution.pruner import PRUNE_SECONDS, Keep, Pruner
from pipelines.execution.rundir import Limits
from pipelines.execution.source import Source
from pipelines.execution.turns import Turns
from pipelines.facts import Doorman, Gatherer
from pipelines.ids import new_id
from pipelines.looking import Looker
from pipelines.probing import Prober
from pipelines.shipmate import SWEEP_SECONDS, Shipmate
from pipelines.storage.database import Database
from pipelines.storage.schema import bring_up_to_date

if TYPE_CHECKING:
    from handlers.slack.door import SlackDoor

log = logging.getLogger(__name__)

PAUSE = 1.0
CONFIG_SECONDS = 1.0
HOST_NAME = "local"  # on SQLite there is one process, so one host


class AlreadyRunningError(Exception):
    """Another bot holds the data folder. The message says which process."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class App:
    """A whole bot in one process. `start`, then `stop`; scripts that run outlive it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._held = contextlib.ExitStack()
        self._holds = False
        self._work = contextlib.AsyncExitStack()
        self._cleanup = contextlib.AsyncExitStack()
        self._tasks: set[asyncio.Task[None]] = set()
        self._config: ConfigFile | None = None
        self._pruner: Pruner | None = None
        self.port = 0
        self.ops_port: int | None = None
        self.shipmate: Shipmate

    def hold(self) -> None:
        """Take the data folder for this process, before anything in it is touched. Raises AlreadyRunningError."""
        if not self._holds:
            self.settings.data.mkdir(parents=True, exist_ok=True)
            self.settings.data.chmod(0o700)  # tokens of scripts and their output are in there
            self._held.callback(_hold(self.settings))
            self._holds = True

    async def start(self) -> None:
        """Raises ConfigErrors, NewerSchemaError, AlreadyRunningError, OSError (the port is taken)."""
        try:
            self.hold()
            await self._compose(self.settings)
        except BaseException:
            await self.stop()
            raise

    async def _compose(self, settings: Settings) -> None:
        config = self._config = ConfigFile(settings.config)
        copy = bring_up_to_date(settings.database)
        if copy is not None:
            log.info("the database was brought up to date; a copy of how it was is %s", copy)
        database = Database(settings.database)
        database.listeners.append(ops.note)
        self._cleanup.push_async_callback(database.close)
        engine = DurableEngine(settings.database)
        source = Source(settings.data / "git")
        self._cleanup.push_async_callback(source.close)
        door = _slack_door(settings.slack, config) if settings.slack else None
        doorman: Doorman = door.doorman if door else NoSlack(config)
        short = partial(disk.short, settings.data, settings.upkeep.keep_free)
        gatherer = Gatherer(source=source, doorman=doorman, clock=utc_now, disk_short=short)
        prober = Prober(database=database, gatherer=gatherer, host=HOST_NAME, clock=utc_now, new_id=new_id)
        decider = Decider(
            database=database,
            enqueue=engine.enqueue,
            gatherer=gatherer,
            prober=prober,
            doorman=doorman,
            config=config,
            clock=utc_now,
            new_id=new_id,
        )
        looker = Looker(
            database=database,
            gatherer=gatherer,
            prober=prober,
            decider=decider,
            config=config,
            problems=lambda: tuple(str(problem) for problem in config.problems),
        )
        self.shipmate = Shipmate(
            database=database,
            enqueue=engine.enqueue,
            engine=engine,
            decider=decider,
            looker=looker,
            config=config,
            clock=utc_now,
            new_id=new_id,
        )
        turns = Turns(database=database, enqueue=engine.enqueue, host=HOST_NAME, config=config, clock=utc_now)
        upkeep, runs = settings.upkeep, settings.data / "runs"
        agent = Agent(database=database, source=source, host=HOST_NAME, runs=runs, limits=limits(upkeep), clock=utc_now)
        self._pruner = Pruner(database=database, source=source, runs=runs, keep=keep(upkeep), clock=utc_now)
        await engine.start(turns.carry_out)
        self._work.push_async_callback(engine.stop)
        self._work.push_async_callback(self._let_go)
        self._work.push_async_callback(self.shipmate.stop)
        self._trace(database)
        self._keep(agent.run)
        await self._open_doors(settings, door, doorman, ops.loops(database, engine, turns, agent, utc_now))
        self._tick()

    async def _open_doors(
        self, settings: Settings, door: "SlackDoor | None", doorman: Doorman, loops: tuple[tuple[str, Asking], ...]
    ) -> None:
        site = web.Application()
        watch = site if settings.ops_port is None else web.Application()
        self._cleanup.callback(ops.watched(watch, settings, self.shipmate, door, loops).stop)
        if settings.ops_port is not None:
            self.ops_port = await self._serve(watch, settings.host, settings.ops_port)
        if door is not None:
            door.routes(site)
            await door.start(self.shipmate)
            self._cleanup.push_async_callback(door.stop)
        self.port = await self._serve(site, settings.host, settings.port)
        terminal = TerminalDoor(self.shipmate, doorman=doorman, clock=utc_now, has_slack=door is not None)
        questions: dict[str, Question] = {
            "facts": partial(self._facts, door),
            "words": partial(completion.answer, self.shipmate),
        }
        control = Control(settings.data, terminal.converse, questions)
        await control.start()
        self._cleanup.push_async_callback(control.stop)

    async def _facts(self, door: "SlackDoor | None", _request: object) -> dict[str, Any]:
        """What the doctor asks of a bot that runs."""
        hello = door.hello if door is not None else None
        return {
            "pid": os.getpid(),
            "port": self.port,
            "config": str(self.settings.config.absolute()),
            "config_problems": [str(problem) for problem in (self._config.problems if self._config else ())],
            "connections": {"number": hello.connections, "at": hello.at.isoformat()} if hello else None,
        }

    async def _serve(self, site: web.Application, host: str, port: int) -> int:
        runner = web.AppRunner(site, access_log=None, shutdown_timeout=2)
        await runner.setup()
        self._cleanup.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, host, port).start()
        return int(runner.addresses[0][1])

    def _trace(self, database: Database) -> None:
        async def read(deploy: Deploy) -> list[Span]:
            return spans(deploy, await self.shipmate.journal(deploy))

        if (traces := tracing(os.environ, read)) is not None:
            database.listeners.append(traces.note)
            self._cleanup.push_async_callback(traces.stop)
            self._keep(traces.run)

    def _tick(self) -> None:
        timer = Timer()
        timer.every(SWEEP_SECONDS, self.shipmate.sweep)
        if self._pruner is not None:
            timer.every(PRUNE_SECONDS, self._pruner.prune)
        if self._config is not None:
            timer.every(CONFIG_SECONDS, partial(asyncio.to_thread, self._config.look))
        timer.start()
        self._work.callback(timer.stop)
        self._work.callback(self.shipmate.close)
        self._keep(self.shipmate.sweep, once=True)

    def _keep(self, part: Callable[[], Coroutine[Any, Any, None]], *, once: bool = False) -> None:
        """Run a part of the bot as long as the bot runs; one that breaks is told of and begun again."""
        task = asyncio.create_task(_kept(part, once=once))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def read_config_again(self) -> None:
        """Read the configuration's file now, whether it changed or not."""
        if self._config is not None:
            self._keep(partial(asyncio.to_thread, self._config.read_again), once=True)

    async def _let_go(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def rest(self) -> None:
        """End everything, but keep the data folder for this process. The doors stand open until all work is let go of,
        to tell whoever comes that the bot is restarting."""
        await self._work.aclose()
        await self._cleanup.aclose()

    async def stop(self) -> None:
        await self.rest()
        self._held.close()


def limits(upkeep: Upkeep) -> Limits:
    """What one script may take."""
    return Limits(
        memory=upkeep.limit_memory,
        processes=upkeep.limit_processes,
        files=upkeep.limit_files,
        no_new_privs=upkeep.no_new_privs,
    )


def keep(upkeep: Upkeep) -> Keep:
    return Keep(runs=upkeep.keep_runs, trees=upkeep.keep_trees, logs=upkeep.keep_logs)


def _slack_door(slack: SlackSettings, config: Callable[[], Config]) -> "SlackDoor":
    from handlers.slack.door import SlackDoor  # a bot without Slack starts faster and smaller without its libraries

    return SlackDoor(slack, config=config, clock=utc_now)


async def _kept(part: Callable[[], Coroutine[Any, Any, None]], *, once: bool) -> None:
    while True:
        try:
            await part()
        except Exception as error:
            noted(log, "doing a part of the bot's work, which begins again", error)
        if once:
            return
        await asyncio.sleep(PAUSE)


def _hold(settings: Settings) -> Any:
    """Take the data folder for this process; the way to let go of it."""
    held = os.open(settings.data / "bot.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = os.read(held, 32).decode().strip() or "unknown"
        os.close(held)
        raise AlreadyRunningError(
            f"A bot is running on {settings.data} already: process {holder}. "
            "Stop it first, or give this one a folder of its own with --data."
        ) from None
    os.ftruncate(held, 0)
    os.pwrite(held, f"{os.getpid()}\n".encode(), 0)
    return partial(os.close, held)
