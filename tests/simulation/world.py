"""One seed from beginning to rest: people act, things break, everything heals, and what is left must be true.

What happens is put on the agenda; after each thing the bot runs as far as it can, and the invariants are checked.
"""

import hashlib
import itertools
import logging
import shutil
import sqlite3
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy.exc import OperationalError

from handlers.slack.api import Fault
from pipelines import errors
from pipelines.domain.model import Config, Environment, Service, Target
from pipelines.execution import rundir
from tests.simulation.agenda import Agenda
from tests.simulation.bot import SimulatedBot
from tests.simulation.chance import Chance, Mix, swarm
from tests.simulation.host import Host, Run
from tests.simulation.invariants import BrokenError, Invariants
from tests.simulation.loop import SimulatedLoop
from tests.simulation.people import Delivery, People
from tests.simulation.recipes import recipe
from tests.simulation.rest import Rest
from tests.simulation.slack import SimulatedSlack
from tests.simulation.source import SimulatedSource
from tests.support.domain import NOON, commit_of

TRACE_KEPT = 400
PATIENCE = 600.0  # simulated seconds in which all comes to rest once nothing breaks any more
LOOK = 2.0
POINTS = 700  # of a seed at which the bot may be killed


def config(targets: int) -> Config:
    """Two services; `targets` is where `api` runs in staging."""
    staging = tuple(Target(name=f"stg-{number}") for number in range(1, targets + 1))
    api = Service(
        name="api",
        repo="/repo",
        owners=("ana", "raj"),
        channel="#deploys",
        targets={"staging": staging, "production": (Target(name="prod-1"),)},
    )
    return Config(
        services={"api": api, "web": Service(name="web", repo="/web", owners=("ana", "mia"))},
        environments={
            "staging": Environment(name="staging"),
            "production": Environment(name="production", protected=True),
        },
    )


class Broken(logging.Handler):
    """What the bot logs with a traceback: nobody meant that to happen, but for what the simulation itself brings about:
    a full disk, an answer that Slack does not take."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not _meant(error):
            self.found.append(f"{record.getMessage()}: {self.format(record)}")


def _meant(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(_meant(one) for one in error.exceptions)
    return isinstance(error, Fault | OperationalError)


class World:
    """`template` is a database with its tables and nothing in it; `folder` is this seed's own."""

    def __init__(self, seed: int, mix: Mix, *, folder: Path, template: Path) -> None:
        self.seed, self._folder = seed, folder
        self.trace: deque[str] = deque(maxlen=TRACE_KEPT)
        self._digest = hashlib.sha256()
        self.chance = Chance(seed)
        self.mix = mix = swarm(mix, self.chance)
        self.agenda = Agenda()
        self.jumped = timedelta()
        self._ids = itertools.count(1)
        self._points = 0
        self._deaths = self._drawn_deaths()
        self._bot: SimulatedBot | None = None
        self._loop: SimulatedLoop | None = None
        self._errors = Broken()
        path = folder / "shipmate.db"
        shutil.copyfile(template, path)
        self._url = f"sqlite:///{path}"
        self.slack = SimulatedSlack(self.agenda, self.chance, mix, clock=self._true_time)
        self.slack.note = self.note
        self.host = Host(self.agenda, self.chance, mix, self._true_time, self)
        self.invariants = Invariants(path, alive=self._alive, note=self.note)
        self.people = People(self.agenda, self.chance, mix, self.slack, self._tell, self.note)
        self._source = SimulatedSource(recipe(self.chance), away=self._source_away, clock=self.clock)
        self._healed = False
        self._config = config(self.chance.one_of([1, 1, 1, 2]))
        if self.chance.likely(0.8):
            for name, service in self._config.services.items():
                for room in self._config.environments:
                    for target in service.targets_in(room):
                        self.host.installed[f"{name}/{room}", target.name] = ("v1.0", commit_of("v1.0"))

    def _drawn_deaths(self) -> set[int]:
        return {self.chance.count(1, POINTS) for _ in range(self.chance.count(*self.mix.kills))}

    @property
    def digest(self) -> str:
        """Of all that happened: two runs of a seed have the same."""
        return self._digest.hexdigest()[:16]

    def note(self, line: str) -> None:
        text = f"{self.agenda.now:9.3f}  {line}"
        self.trace.append(text)
        self._digest.update(text.encode())

    def clock(self) -> datetime:
        """The bot's own clock."""
        return self._true_time() + self.jumped

    def _true_time(self) -> datetime:
        return NOON + timedelta(seconds=self.agenda.now)

    def _new_id(self) -> str:
        return f"d{next(self._ids):04d}"

    def _alive(self) -> set[str]:
        return {run.deploy for run in self.host.alive()}

    def _source_away(self) -> bool:
        return not self._healed and self.chance.likely(self.mix.source)

    def fails(self) -> Exception | None:
        if self._healed or not self.mix.disk or not self.chance.likely(self.mix.disk):
            return None
        self.note("the disk is full")
        return OperationalError("", None, sqlite3.OperationalError("database or disk is full"))

    def begins(self, run: Run) -> None:
        step, _, attempt = run.folder.name.rpartition(".")
        self.note(f"script     {run.name} {run.verb} begins, it will go {run.course}")
        if not run.deploy.startswith("look-"):
            self.invariants.may_run(run.deploy, step, int(attempt), int(run.env["DEPLOY_FENCE"]))

    def run(self) -> None:
        """Raises BrokenError, or whatever else goes wrong."""
        with self._swapped(), self._listening():
            try:
                self._start()
                end = self._plan()
                self._until(end)
                self._heal()
                self._rest()
            finally:
                self._end()
                self.host.close()

    @contextmanager
    def _swapped(self) -> Iterator[None]:
        """Scripts start on the simulated host, and errors are numbered as all else is."""
        swaps: list[tuple[Any, str, Any]] = [
            (rundir, "spawn", self.host.spawn),
            (rundir, "processes", self.host),
            (errors, "new_id", self._new_id),
        ]
        real = [getattr(module, name) for module, name, _ in swaps]
        for module, name, simulated in swaps:
            setattr(module, name, simulated)
        try:
            yield
        finally:
            for (module, name, _), there in zip(swaps, real, strict=True):
                setattr(module, name, there)

    @contextmanager
    def _listening(self) -> Iterator[None]:
        root, level = logging.getLogger(), logging.root.level
        root.addHandler(self._errors)
        root.setLevel(logging.ERROR)
        try:
            yield
        finally:
            root.removeHandler(self._errors)
            root.setLevel(level)

    def _plan(self) -> float:
        """Draw what people do and what breaks; when the last of it is over."""
        at = 1.0
        self.agenda.at(at, self.people.deploy)
        for _ in range(self.chance.count(*self.mix.acts)):
            at += self.chance.between(0.0, self.mix.patience)
            self.agenda.at(at, self.people.act)
        end = at + self.chance.between(0.0, 6.0)
        if self.chance.likely(self.mix.away):
            self._sometime(end, self._slack_goes)
        if self.chance.likely(self.mix.engine):
            self._sometime(end, self._deliver_again)
        if self.chance.likely(self.mix.painters):
            self._sometime(end, self._painter_dies)
        if self.chance.likely(self.mix.jumps):
            self._sometime(end, self._clock_jumps)
        if self.chance.likely(self.mix.removed):
            self._sometime(end, self._somebody_removes)
        return end

    def _sometime(self, end: float, action: object) -> None:
        assert callable(action)
        self.agenda.at(self.chance.between(0.0, end), action)

    def _slack_goes(self) -> None:
        self.note("Slack is away")
        self.slack.away = True
        self.agenda.after(self.chance.between(1.0, 40.0), self._slack_comes)

    def _slack_comes(self) -> None:
        if self.slack.away:
            self.note("Slack is back")
        self.slack.away = False

    def _running(self) -> list[str]:
        return sorted(known for known, deploy in self.invariants.deploys.items() if deploy.closed is None)

    def _somebody_removes(self) -> None:
        self.slack.remove_one(self._running())

    def _deliver_again(self) -> None:
        running = self._running()
        if self._bot is not None and self._bot.listens and running:
            deploy = self.chance.one_of(running)
            self.note(f"the engine carries {deploy} out once more")
            self._in_loop(partial(self._bot.engine.deliver_again, deploy))

    def _painter_dies(self) -> None:
        if self._bot is not None and self._bot.listens:
            self.note("the painter dies and begins again")
            self._in_loop(self._bot.paint)

    def _clock_jumps(self) -> None:
        self.jumped = timedelta(seconds=self.chance.between(-200.0, 200.0))
        self.note(f"the clock jumps by {self.jumped.total_seconds():.0f} s")

    def _in_loop(self, work: object) -> None:
        assert self._loop is not None and callable(work)
        self._loop.call_soon(work)

    def _start(self) -> None:
        self.note("the bot starts")
        loop = self._loop = SimulatedLoop(self.agenda, self)

        async def born() -> None:
            self._bot = SimulatedBot(
                loop,
                url=self._url,
                runs=self._folder / "runs",
                slack=self.slack,
                source=self._source.as_source(),
                config=self._config,
                clock=self.clock,
                new_id=self._new_id,
            )
            await self._bot.start()

        loop.create_task(born())

    def latency(self) -> float:
        return self.chance.short()

    def dies(self) -> bool:
        self._points += 1
        if self._points not in self._deaths or self._healed:
            return False
        self._kill()
        return True

    def _kill(self) -> None:
        reboot = self.chance.likely(self.mix.reboots)
        self.note("the host goes down" if reboot else "the bot is killed")
        if reboot:
            self.host.go_down()
        self._end()
        self.agenda.after(self.chance.between(0.2, 12.0), self._start)

    def _end(self) -> None:
        loop, bot, self._loop, self._bot = self._loop, self._bot, None, None
        if loop is not None:
            found = list(self._errors.found)
            loop.kill()
            self._errors.found = found  # what coroutines say that are broken off where they wait means nothing
        if bot is not None:
            bot.close()

    def _tell(self, delivery: Delivery) -> None:
        if self._bot is not None and self._bot.listens and self._loop is not None:
            self._loop.create_task(self._receive(self._bot, delivery))

    async def _receive(self, bot: SimulatedBot, delivery: Delivery) -> None:
        """As the door does it: acknowledged once it is kept; then what is to be done after."""
        keep = bot.inbox.typed if delivery.kind == "command" else bot.inbox.clicked
        with suppress(TimeoutError):
            after = await keep(delivery.body)
            delivery.acked = True
            if after is not None:
                bot.after.start(after)

    def _until(self, end: float) -> None:
        while self.agenda.now < end and self._step():
            pass

    def _step(self) -> bool:
        if not self.agenda.step():
            return False
        if self._loop is not None:
            self._loop.settle()
        self.invariants.look()
        if self._errors.found:
            raise BrokenError(f"the bot broke: {self._errors.found[0]}")
        if self._loop is not None and self._loop.broken:
            raise BrokenError(f"nobody caught: {self._loop.broken[0]}")
        return True

    def _heal(self) -> None:
        """From here on nothing breaks any more."""
        self.note("all is well from here on")
        self._healed = self.slack.healed = self.host.healed = True
        self.slack.away = False

    def _rest(self) -> None:
        rest = Rest(self._folder / "shipmate.db", self.slack, self.host, self.people, self.clock)
        limit = self.agenda.now + PATIENCE
        while (left := rest.left()) is not None:
            if self.agenda.now > limit:
                raise BrokenError(f"it does not come to rest: {left}")
            self._until(self.agenda.now + LOOK)
        rest.judge()
