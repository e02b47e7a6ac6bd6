"""The life of a bot: its parts begin in order, and end in the other order. What they are made of is in `parts`."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot import ops
from bot.control import Control, Question
from bot.holding import AlreadyRunningError, hold, hold_file
from bot.host import host_name
from bot.parts import Ground, front_desk, keep, limits, utc_now
from bot.preparing import prepare, slots, worker_there, workers
from bot.roles import BOTH, Role
from bot.settings import Settings, SlackSettings
from bot.spans import Span, spans
from bot.timer import Timer
from bot.traces import tracing
from handlers.terminal import completion
from handlers.terminal.door import TerminalDoor
from handlers.terminal.identity import NoSlack
from pipelines.catalog import ConfigFile
from pipelines.domain.deploy import Deploy
from pipelines.domain.model import Config
from pipelines.errors import noted
from pipelines.execution.agent import Agent
from pipelines.execution.engine import DurableEngine
from pipelines.execution.gone import GoneHosts
from pipelines.execution.pruner import PRUNE_SECONDS, Pruner
from pipelines.execution.rescue import SWEEP_SECONDS, Rescue
from pipelines.execution.source import Source
from pipelines.execution.turns import Turns
from pipelines.facts import Doorman
from pipelines.shipmate import Shipmate
from pipelines.storage.database import Database, sqlite_path
from pipelines.storage.errors import SlotTakenError
from pipelines.storage.journal import of_deploy
from pipelines.storage.latest import Latest

if TYPE_CHECKING:
    from handlers.slack.door import SlackDoor
    from pipelines.storage.slot import Slot

__all__ = ["AlreadyRunningError", "App"]

log = logging.getLogger(__name__)

PAUSE = 1.0
CONFIG_SECONDS = 1.0
SQLITE_HOST = "local"  # on SQLite there is one process, so one host


class App:
    """A bot in one process, in one of its roles or both. `start`, then `stop`; scripts that run outlive it. `broken` is
    set when it cannot go on, and `why` says the reason then."""

    def __init__(self, settings: Settings, roles: frozenset[Role] = BOTH) -> None:
        self.settings = settings
        self.roles = roles
        self.broken = asyncio.Event()
        self.why = ""
        self._held = contextlib.ExitStack()
        self._holds = False
        self._doing = contextlib.AsyncExitStack()
        self._cleanup = contextlib.AsyncExitStack()
        self._doors = contextlib.AsyncExitStack()
        self._tasks: set[asyncio.Task[None]] = set()
        self._config: ConfigFile | None = None
        self._closed = False
        self.port = 0
        self.ops_port: int | None = None
        self.shipmate: Shipmate

    def hold(self) -> None:
        """Take the data folder for this process, before anything in it is touched. Raises AlreadyRunningError."""
        if not self._holds:
            self.settings.data.mkdir(parents=True, exist_ok=True)
            self.settings.data.chmod(0o700)  # tokens of scripts and their output are in there
            for role in self.roles:
                self._held.callback(hold(self.settings.data, role))
            if (database := sqlite_path(self.settings.database)) is not None:
                # a folder that is not there, or not ours to write in, is told of later
                with contextlib.suppress(OSError):
                    self._held.callback(hold_file(database))
            self._holds = True

    async def start(self) -> None:
        """Raises ConfigErrors, StorageError, AlreadyRunningError, OSError (the port is taken)."""
        try:
            self.hold()
            await self._compose(self.settings)
        except BaseException:
            await self.stop()
            raise

    async def _compose(self, settings: Settings) -> None:
        ground = self._ground(settings)
        self._doing.push_async_callback(self._let_go)
        await prepare(settings.database, ground.engine)
        for slot in slots(settings.database, self.roles, ground.host):
            await self._take(slot)
        self._keep(ground.database.hear)
        timer = Timer()
        timer.every(CONFIG_SECONDS, partial(asyncio.to_thread, ground.config.look))
        self._trace(ground.database)
        loops = await self._work(ground, timer) if Role.WORKER in self.roles else ops.elsewhere(ground.workers)
        if Role.WEB in self.roles:
            await self._open(ground, timer, loops)
        else:
            await self._watch(None, ground, loops)
        timer.start()
        self._doing.push_async_callback(timer.stop)
        self._doing.callback(self._close)

    def _ground(self, settings: Settings) -> Ground:
        """What ends last, so that all else may still use it. Nothing here touches the database yet."""
        config, url = ConfigFile(settings.config), settings.database
        self._config = config
        host = SQLITE_HOST if sqlite_path(url) else host_name(settings.data)
        database, source, engine = Database(url), Source(settings.data / "git"), DurableEngine(url, executor=host)
        database.listeners.append(ops.note)
        if (path := sqlite_path(url)) is not None:
            latest = Latest(path)
            database.listeners.append(latest.note)
            self._cleanup.callback(latest.close)
        self._doors.push_async_callback(database.close)
        for end in (database.finish, source.close):
            self._cleanup.push_async_callback(end)
        self._doing.push_async_callback(engine.stop)
        there = workers(url, self.roles, database)
        return Ground(config=config, database=database, engine=engine, source=source, host=host, workers=there)

    async def _take(self, slot: "Slot") -> None:
        await slot.take()
        self._cleanup.push_async_callback(slot.leave)
        self._begin(self._guard(slot))

    async def _guard(self, slot: "Slot") -> None:
        try:
            await slot.keep()
        except SlotTakenError as error:
            self.why = str(error)
            self.broken.set()

    async def _work(self, ground: Ground, timer: Timer) -> ops.Loops:
        """What was decided is carried out here; the loops that do it."""
        database, engine = ground.database, ground.engine
        turns = Turns(database=database, enqueue=engine.enqueue, host=ground.host, config=ground.config, clock=utc_now)
        upkeep, runs, source = self.settings.upkeep, self.settings.data / "runs", ground.source
        agent = Agent(
            database=database, source=source, host=ground.host, runs=runs, limits=limits(upkeep), clock=utc_now
        )
        pruner = Pruner(database=database, source=source, runs=runs, keep=keep(upkeep), clock=utc_now)
        await engine.start(turns.carry_out)
        self._keep(agent.run)
        hosts = GoneHosts(database, host=ground.host, there=worker_there(database.url), clock=utc_now)
        for sweep in (hosts.sweep, Rescue(database, engine, hosts.gone).sweep):
            self._sweep(sweep, timer)
        timer.every(PRUNE_SECONDS, pruner.prune)
        return ops.loops(database, engine, turns, agent, utc_now)

    async def _open(self, ground: Ground, timer: Timer, loops: ops.Loops) -> None:
        """People are heard and answered here."""
        slack = self.settings.slack
        door = _slack_door(slack, ground.config) if slack else None
        doorman: Doorman = door.doorman if door else NoSlack(ground.config)
        shipmate = self.shipmate = front_desk(ground, doorman, self.settings)
        self._doing.push_async_callback(shipmate.stop)
        self._doing.callback(shipmate.close)
        site = web.Application()
        await self._watch(site, ground, loops, door)
        await self._open_doors(site, shipmate, door, doorman)
        self._sweep(shipmate.sweep, timer)

    async def _watch(
        self, site: web.Application | None, ground: Ground, loops: ops.Loops, door: "SlackDoor | None" = None
    ) -> None:
        """Health and figures, on a port of their own, else on `site`; nowhere for a process with neither."""
        own = self.settings.ops_port
        watch = site if own is None else web.Application()
        if watch is None:
            return
        ready = ops.watched(
            watch, self.settings, database=ground.database, door=door, loops=loops, closed=lambda: self._closed
        )
        self._cleanup.callback(ready.stop)
        if own is not None:
            self.ops_port = await self._serve(watch, self.settings.host, own)

    async def _open_doors(
        self, site: web.Application, shipmate: Shipmate, door: "SlackDoor | None", doorman: Doorman
    ) -> None:
        if door is not None:
            door.routes(site)
            await door.start(shipmate)
            self._doors.push_async_callback(door.stop)
        self.port = await self._serve(site, self.settings.host, self.settings.port)
        terminal = TerminalDoor(shipmate, doorman=doorman, clock=utc_now, has_slack=door is not None)
        questions: dict[str, Question] = {
            "facts": partial(self._facts, door),
            "words": partial(completion.answer, shipmate),
        }
        control = Control(self.settings.data, terminal.converse, questions)
        await control.start()
        self._doors.push_async_callback(control.stop)

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
        self._doors.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, host, port).start()
        return int(runner.addresses[0][1])

    def _trace(self, database: Database) -> None:
        async def read(deploy: Deploy) -> list[Span]:
            return spans(deploy, await database.read(lambda session: of_deploy(session, deploy)))

        if (traces := tracing(os.environ, read)) is not None:
            database.listeners.append(traces.note)
            self._cleanup.push_async_callback(traces.stop)
            self._keep(traces.run)

    def _close(self) -> None:
        """Whoever looks whether this process is ready is told that it is not any more."""
        self._closed = True

    def _sweep(self, sweep: Callable[[], Coroutine[Any, Any, None]], timer: Timer) -> None:
        timer.every(SWEEP_SECONDS, sweep)
        self._begin(_kept(sweep, once=True))

    def _keep(self, part: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a part of the bot as long as the bot runs; one that breaks is told of and begun again."""
        self._begin(_kept(part, once=False))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def read_config_again(self) -> None:
        """Read the configuration's file now, whether it changed or not."""
        if self._config is not None:
            self._begin(_kept(partial(asyncio.to_thread, self._config.read_again), once=True))

    async def _let_go(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def rest(self) -> None:
        """End everything, but keep the data folder for this process. The doors stand open to the last, to tell whoever
        comes that the bot is restarting."""
        await self._doing.aclose()
        await self._cleanup.aclose()
        await self._doors.aclose()

    async def stop(self) -> None:
        await self.rest()
        self._held.close()


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
