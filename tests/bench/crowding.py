"""Hundreds of deploys at once on one bot: what each costs it in memory, whether its loop still turns, and that half of
them end by themselves and the other half when they are told to."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from pipelines.execution import rundir
from pipelines.execution.rundir import RunState
from tests.bench.figures import Row, median, percentile
from tests.bench.machine import load
from tests.bench.stage import WAITS, Stage, cpu_seconds, deployable, on_stage, proportional_bytes
from tests.support import postgres

MEMORY = 1.0  # MB, of a million bytes
SUPERVISOR = 4.0
LAG = 50.0  # milliseconds, as while output floods
SETTLE = 10.0
PLACES = 50
BEGUN_SECONDS = OVER_SECONDS = 600.0


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What was measured of one crowd: bytes for each deploy and each supervisor, seconds."""

    deploys: int
    each: float
    supervisors: Sequence[int]
    lags: Sequence[float]
    calm: Sequence[float]
    begun: float
    over: float
    used: float


async def many(folder: Path, *, long: bool) -> list[Row]:
    deploys, seconds = (500, 30.0) if long else (50, 10.0)
    found = []
    for name in ("SQLite", "PostgreSQL"):
        with postgres.running() if name == "PostgreSQL" else nullcontext() as server:
            seen = await _crowd(folder / name, deploys, seconds, server.fresh() if server else None)
            found += _rows(name, seen)
    return found


async def _crowd(folder: Path, deploys: int, seconds: float, database: str | None) -> Seen:
    rooms = [f"room{number}" for number in range(deploys)]
    go = folder / "go"
    body = f'{WAITS}for ((i = 0; ; i++)); do [ -e "{go}" ] && [ $i -gt 0 ] && exit; echo line $i; pause 5; done'
    service = deployable(folder, body, environments=["first", *rooms])
    lag = folder / "lags"
    async with on_stage(service, database=database, lag=lag) as stage:
        await _warm(stage, go)
        calm = await _lags(lag, seconds)
        before = proportional_bytes(stage.pid)
        asked = time.time()
        await _said(stage, [f"deploy api v1.1 {room}" for room in rooms])
        begun = [await stage.noted("install", "v1.1", room, 1, BEGUN_SECONDS) for room in rooms]
        await asyncio.sleep(SETTLE)
        cpu = cpu_seconds(stage.pid)
        lags = await _lags(lag, seconds)
        cpu = (cpu_seconds(stage.pid) - cpu) / seconds
        each = (proportional_bytes(stage.pid) - before) / deploys
        running = _supervisors(stage)
        if len(running) != deploys:
            raise RuntimeError(f"{len(running)} scripts ran, not {deploys}")
        supervisors = [proportional_bytes(pid) for pid in running]
        over = await _ended(stage, rooms, go)
    return Seen(
        deploys=deploys,
        each=each,
        supervisors=supervisors,
        lags=lags,
        calm=calm,
        begun=max(begun) - asked,
        over=over,
        used=cpu,
    )


async def _warm(stage: Stage, go: Path) -> None:
    """One deploy from its beginning to its end: what is loaded for the first is not the second's."""
    await stage.say("deploy api v1.1 first")
    await stage.noted("install", "v1.1", "first", 1)
    go.touch()
    await stage.until_said("history api first", "✅", OVER_SECONDS)
    go.unlink()
    await asyncio.sleep(SETTLE)


async def _ended(stage: Stage, rooms: Sequence[str], go: Path) -> float:
    """Abort every second deploy, let the others end; the seconds until each has ended so. Raises TimeoutError when one
    did not."""
    began = time.time()
    wanted = {room: "⏹" if number % 2 else "✅" for number, room in enumerate(rooms)}
    await _said(stage, [f"abort api {room}" for room, end in wanted.items() if end == "⏹"])
    go.touch()
    for room, end in wanted.items():
        await stage.until_said(f"history api {room}", end, OVER_SECONDS)
    if _supervisors(stage):
        raise RuntimeError("every deploy is over, and a script still runs")
    return time.time() - began


async def _said(stage: Stage, texts: Sequence[str]) -> None:
    """Say all of it, as much at once as the socket has places for."""
    places = asyncio.Semaphore(PLACES)

    async def said(text: str) -> None:
        async with places:
            await stage.say(text, OVER_SECONDS)

    await asyncio.gather(*map(said, texts))


def _supervisors(stage: Stage) -> list[int]:
    """The supervisors that live."""
    runs = [run for run in (stage.bot.data / "runs").glob("*/*") if rundir.state(run) is RunState.RUNNING]
    return [started.pid for run in runs if (started := rundir.read_started(run)) is not None]


async def _lags(path: Path, seconds: float) -> list[float]:
    """By how much the loop was late, in that many seconds from now on."""
    start = path.stat().st_size
    await asyncio.sleep(seconds)
    with path.open() as file:
        file.seek(start)
        return [float(line) for line in file]


def _rows(name: str, seen: Seen) -> list[Row]:
    worst = percentile(seen.lags, 0.99) * 1000
    what = f"{seen.deploys} deploys at once, {name}"
    calm = f"{median(seen.calm) * 1000:.1f} / {percentile(seen.calm, 0.99) * 1000:.1f} ms at rest"
    return [
        Row(
            what=f"{what}: the bot's memory for each",
            measured=seen.each / 1e6,
            limit=MEMORY,
            unit="MB",
            figure="≤ 1 MB",
            note=f"all had begun after {seen.begun:.0f} s; half aborted, half done: over after {seen.over:.0f} s",
        ),
        Row(
            what=f"{what}: a supervisor's memory (PSS)",
            measured=max(seen.supervisors) / 1e6,
            limit=SUPERVISOR,
            unit="MB",
            figure="≤ 4 MB",
            note=f"the largest; the middle one has {median(seen.supervisors) / 1e6:.1f} MB",
        ),
        Row(
            what=f"{what}: loop lag p99",
            baseline=percentile(seen.calm, 0.99) * 1000,
            measured=worst,
            limit=percentile(seen.calm, 0.99) * 1000 + LAG,
            unit="ms",
            figure="≤ at rest + 50 ms",
            note=f"p50 {median(seen.lags) * 1000:.1f} ms; {calm}; the bot used {seen.used:.0%} of a core; {load()}",
        ),
    ]
