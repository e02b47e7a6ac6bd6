"""What people look at where a million deploys are remembered, beside hand-written SQL for the same answer; and what the
past costs whoever starts a bot, or deploys once more in the room where most was deployed.

By hand means: the fewest rows by the best statements on a connection of the driver's own, in a thread as any database
is used beside a loop, and what stands in the rows read by the one codec there is.
"""

import asyncio
import json
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import psycopg

from bot.parts import Ground, front_desk
from bot.settings import Settings
from handlers.terminal.identity import NoSlack
from pipelines.catalog import ConfigFile
from pipelines.domain.commands import History, Look, Pin, Recent, Status, Who
from pipelines.domain.deploy import Deploy
from pipelines.domain.model import Person, room_name
from pipelines.domain.room import Room
from pipelines.domain.views import StatusView
from pipelines.domain.ways_back import way_back
from pipelines.execution.engine import DurableEngine
from pipelines.execution.source import Source
from pipelines.shipmate import Refusal, Shipmate
from pipelines.storage import codec
from pipelines.storage.database import Database, sqlite_path
from tests.bench.beginning import imports, took
from tests.bench.figures import Row, median, percentile
from tests.bench.filling import ROOMS, fill
from tests.bench.machine import load
from tests.bench.stage import TARGET, Stage, deployable, on_stage
from tests.support import postgres
from tests.support.front import one_worker
from tests.support.process import ROOT
from tests.support.service import Service

SLOWER = 2.0
MOST = 100.0  # milliseconds, at p99
STARTS_SLOWER = 1.5
PLANS_SLOWER = 2.0
ANA = Person(id="ana", name="ana")
SERVICE, ENVIRONMENT = ROOMS[0]
SERVICES = list(dict.fromkeys(service for service, _ in ROOMS))
ENVIRONMENTS = list(dict.fromkeys(environment for _, environment in ROOMS))
SHOWN, LATELY, RECENT = 10, 50, 5
AGAIN = ("v1.1", "v1.0") * 4
OVER_SECONDS = 120.0

Ask = Callable[[str, Sequence[object]], list[tuple[Any, ...]]]


@dataclass(frozen=True, kw_only=True)
class Question:
    """`shown` is what a view shows of what `by_hand` finds."""

    what: str
    look: Look
    shown: Callable[[Any], object]
    by_hand: Callable[[Ask], object]


def _deploys(rooms: Sequence[str], limit: int, ask: Ask) -> list[str]:
    """The newest deploys of some rooms: of each room only what may be among them, and bodies only of these."""
    one = f"SELECT * FROM (SELECT id, at FROM deploy WHERE room = % ORDER BY at DESC LIMIT {limit}) r"
    newest = f"SELECT id FROM ({' UNION ALL '.join([one] * len(rooms))}) n ORDER BY at DESC LIMIT {limit}"
    return [body for (body,) in ask(f"SELECT body FROM deploy WHERE id IN ({newest}) ORDER BY at DESC", rooms)]


def _history(environments: Sequence[str], ask: Ask) -> object:
    rooms = [room_name(SERVICE, environment) for environment in environments]
    return [codec.load(Deploy, body) for body in _deploys(rooms, SHOWN + 1, ask)][:SHOWN]


def _status(rooms: Sequence[tuple[str, str]], ask: Ask) -> object:
    running = [codec.load(Deploy, body) for (body,) in ask("SELECT body FROM deploy WHERE state = 'running'", ())]
    names = [room_name(*room) for room in rooms]
    found = ask(f"SELECT name, body FROM stream WHERE name IN ({', '.join('%' * len(names))})", names)
    live = {name: codec.load(Room, body).live([TARGET]) for name, body in found}
    return [(live[name], one) for name in names for one in [next((d for d in running if d.room == name), None)]]


def _who(ask: Ask) -> object:
    bodies = _deploys([room_name(SERVICE, environment) for environment in ENVIRONMENTS], LATELY, ask)
    return Counter(json.loads(body)["by"]["name"] for body in bodies)


def _recent(ask: Ask) -> object:
    def ways() -> Iterator[tuple[Deploy, Pin]]:
        for (body,) in ask(f"SELECT body FROM deploy ORDER BY id DESC LIMIT {LATELY}", ()):
            deploy = codec.load(Deploy, body)
            ((room,),) = ask("SELECT body FROM stream WHERE name = %", (deploy.room,))
            if (to := way_back(deploy, codec.load(Room, room))) is not None:
                yield deploy, to

    return list(islice(ways(), RECENT))


def _lives(view: StatusView) -> object:
    return [(room.live, room.running) for room in view.rooms]


QUESTIONS = (
    Question(
        what="history of the busiest room",
        look=History(service=SERVICE, environment=ENVIRONMENT),
        shown=lambda view: list(view.deploys),
        by_hand=partial(_history, [ENVIRONMENT]),
    ),
    Question(
        what="history of a service",
        look=History(service=SERVICE),
        shown=lambda view: list(view.deploys),
        by_hand=partial(_history, ENVIRONMENTS),
    ),
    Question(
        what="status of a service",
        look=Status(service=SERVICE),
        shown=_lives,
        by_hand=partial(_status, [room for room in ROOMS if room[0] == SERVICE]),
    ),
    Question(what="status of all", look=Status(), shown=_lives, by_hand=partial(_status, ROOMS)),
    Question(
        what="who",
        look=Who(service=SERVICE),
        shown=lambda view: {one.name: one.deploys for one in view.services[0].lately},
        by_hand=_who,
    ),
    Question(
        what="rollback, bare",
        look=Recent(),
        shown=lambda view: [(way.deploy, way.to) for way in view.ways],
        by_hand=_recent,
    ),
)


async def history(folder: Path, *, long: bool) -> list[Row]:
    count, times = (1_000_000, 200) if long else (20_000, 50)
    found: list[Row] = []
    for name in ("SQLite", "PostgreSQL"):
        with postgres.running() if name == "PostgreSQL" else nullcontext() as server:
            where = f"{name}, {count:,} deploys"
            found += await _remembered(folder / name, server.fresh() if server else None, where, count, times)
    return found


async def _remembered(folder: Path, database: str | None, where: str, count: int, times: int) -> list[Row]:
    service = _service(folder)
    url = database or f"sqlite:///{folder / 'data' / 'shipmate.db'}"
    async with on_stage(service, database=database) as stage:
        for version in ("v1.0", "v1.1", "v1.2", "v1.1", "v1.0"):
            await _deployed(stage, version)
        before = [await _deployed(stage, version) for version in AGAIN]
    began = time.monotonic()
    await asyncio.to_thread(fill, url, count)
    filled = time.monotonic() - began
    looks = await _looks(service, url, times, where)
    async with on_stage(service, database=database, started=False) as stage:
        imported = partial(subprocess.run, await asyncio.to_thread(imports), check=True, cwd=ROOT)
        baseline = median([await asyncio.to_thread(took, imported) for _ in range(3)])
        ready = await asyncio.to_thread(took, stage.bot.start)
        after = [await _deployed(stage, version) for version in AGAIN]
    return [
        *looks,
        Row(
            what=f"start → ready, {where}",
            baseline=baseline,
            measured=ready,
            limit=baseline * STARTS_SLOWER,
            unit="s",
            figure="≤ 1.5× of imports",
        ),
        Row(
            what=f"ask → accepted, busiest room, {where}",
            baseline=median(before),
            measured=median(after),
            limit=median(before) * PLANS_SLOWER,
            unit="s",
            figure="≤ 2× of before",
            note=f"a fetch in it; before: the same without the past, which was written in {filled:.0f} s; {load()}",
        ),
    ]


def _service(folder: Path) -> Service:
    """As many services as there are, all of one repository; v1.2 fails."""
    service = deployable(folder, '[ "$VERSION" = v1.2 ] && exit 1; true', environments=ENVIRONMENTS)
    configured = json.loads(service.config.read_text())
    configured["services"] = dict.fromkeys(SERVICES, configured["services"]["api"])
    service.config.write_text(json.dumps(configured))
    return service


async def _deployed(stage: Stage, version: str) -> float:
    """A whole deploy to the busiest room; the seconds until it was accepted."""
    began = time.perf_counter()
    await stage.say(f"deploy {SERVICE} {version} {ENVIRONMENT} force")
    accepted = time.perf_counter() - began
    async with asyncio.timeout(OVER_SECONDS):
        while "running" in await stage.say(f"history {SERVICE} {ENVIRONMENT}"):  # noqa: ASYNC110 (no event for it)
            await asyncio.sleep(0.1)
    return accepted


async def _looks(service: Service, url: str, times: int, where: str) -> list[Row]:
    """Each question in turn with its answer by hand."""
    found: list[Row] = []
    async with _desk(service, url) as desk:
        with closing(_connected(url)) as connection:
            for question in QUESTIONS:
                found += await _look(desk, connection, question, times, where)
    return found


async def _look(desk: Shipmate, connection: Any, question: Question, times: int, where: str) -> list[Row]:
    ask = partial(_asked, connection)
    ours: list[float] = []
    hand: list[float] = []
    for number in range(times + 1):
        began = time.perf_counter()
        view = await desk.look(question.look, by=ANA)
        between = time.perf_counter()
        by_hand = await asyncio.to_thread(question.by_hand, ask)
        if number == 0:
            if isinstance(view, Refusal) or question.shown(view) != by_hand:
                raise RuntimeError(f"{question.what}: the answers differ: {view} is not {by_hand}")
            continue
        ours.append((between - began) * 1000)
        hand.append((time.perf_counter() - between) * 1000)
    middle = median(hand)
    return [
        Row(
            what=f"{question.what}, {where}, p50",
            baseline=middle,
            measured=median(ours),
            limit=middle * SLOWER,
            unit="ms",
            figure="≤ 2× of SQL by hand",
        ),
        Row(
            what=f"{question.what}, {where}, p99",
            baseline=percentile(hand, 0.99),
            measured=percentile(ours, 0.99),
            limit=MOST,
            unit="ms",
            figure="≤ 100 ms",
        ),
    ]


@asynccontextmanager
async def _desk(service: Service, url: str) -> AsyncIterator[Shipmate]:
    """The front desk as the bot composes it."""
    data = service.folder / "data"
    config = ConfigFile(service.config)
    ground = Ground(
        config=config,
        database=Database(url),
        engine=DurableEngine(url),
        source=Source(data / "git"),
        host="local",
        workers=one_worker,
    )
    try:
        yield front_desk(ground, NoSlack(config), Settings(config=service.config, data=data))
    finally:
        await ground.engine.stop()
        await ground.source.close()
        await ground.database.close()


def _connected(url: str) -> Any:
    path = sqlite_path(url)
    return psycopg.connect(url) if path is None else sqlite3.connect(path, check_same_thread=False)


def _asked(connection: Any, statement: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
    mark = "?" if isinstance(connection, sqlite3.Connection) else "%s"
    found: list[tuple[Any, ...]] = connection.execute(statement.replace("%", mark), tuple(parameters)).fetchall()
    if mark == "%s":
        connection.rollback()  # each look as of its own moment
    return found
