"""Command → acknowledgement, by signed HTTP, while deploys run and print; beside a Bolt app that only acknowledges."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import aiohttp

from tests.bench.figures import Row, percentile
from tests.bench.machine import load
from tests.bench.stage import WAITS, cpu_seconds, deployable, free_port, on_stage
from tests.support import postgres
from tests.support.process import ROOT

RATE = 20.0
STREAM = WAITS + "for i in {1..100000}; do echo line $i of what this deploy prints; pause 0.1; done"
MORE = 0.06  # seconds that Shipmate may add at p99, on SQLite
SLOWER = 2.0  # on PostgreSQL
MOST = 1.0


async def ack(folder: Path, *, long: bool) -> list[Row]:
    """Each command is a deploy that the busy room refuses: one insert before the ack, git and a decision after it."""
    found = await _acked(folder / "SQLite", "SQLite", None, long=long)
    with postgres.running() as server:
        return found + await _acked(folder / "PostgreSQL", "PostgreSQL", server.fresh(), long=long)


async def _acked(folder: Path, name: str, database: str | None, *, long: bool) -> list[Row]:
    deploys, seconds = (20, 30.0) if long else (5, 15.0)
    rooms = [f"room{number}" for number in range(deploys)]
    service = deployable(folder, STREAM, environments=rooms)
    texts = [f"api v1.2 {room}" for room in rooms]
    with bare() as url:
        await reached(url)
        baseline = await sent(url, seconds, texts)
    port = free_port()
    async with on_stage(service, http_port=port, database=database) as stage:
        for room in rooms:
            await stage.say(f"deploy api v1.1 {room}")
        for room in rooms:
            await stage.noted("install", "v1.1", room, 1)
        before = cpu_seconds(stage.pid)
        measured = await sent(f"http://127.0.0.1:{port}/slack/events", seconds, texts)
        used = (cpu_seconds(stage.pid) - before) / seconds
    middle = [f"{percentile(one, 0.5) * 1000:.1f} ms" for one in (measured, baseline)]
    streams = f"{len(measured)} commands, {deploys} deploys printing 10 lines/s, the bot used {used:.0%} of a core"
    return rows(name, baseline, measured, f"{streams}; p50 {middle[0]}, bare {middle[1]}; {load()}")


def rows(name: str, baseline: Sequence[float], measured: Sequence[float], note: str) -> list[Row]:
    base = percentile(baseline, 0.99)
    return [
        Row(
            what=f"command → ack, 20/s, {name}, p99",
            baseline=base * 1000,
            measured=percentile(measured, 0.99) * 1000,
            limit=(base + MORE if name == "SQLite" else base * SLOWER) * 1000,
            unit="ms",
            figure="≤ bare Bolt + 60 ms" if name == "SQLite" else "≤ 2× bare Bolt",
        ),
        Row(
            what=f"command → ack, 20/s, {name}, max",
            baseline=max(baseline) * 1000,
            measured=max(measured) * 1000,
            limit=MOST * 1000,
            unit="ms",
            figure="< 1 s",
            note=note,
        ),
    ]


@contextmanager
def bare() -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.bare", str(port)], cwd=ROOT)
    try:
        yield f"http://127.0.0.1:{port}/slack/events"
    finally:
        process.terminate()
        process.wait(10)


async def reached(url: str) -> None:
    """Wait until somebody listens there."""
    async with asyncio.timeout(20), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(url):
                    return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)


async def sent(url: str, seconds: float, texts: Sequence[str]) -> list[float]:
    """The seconds to each acknowledgement. Raises RuntimeError when one did not come."""
    argv = [sys.executable, "-m", "tests.bench.sender", url, str(RATE), str(seconds), *texts]
    process = await asyncio.create_subprocess_exec(*argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        async with asyncio.timeout(seconds + 60):
            out, wrong = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise RuntimeError(wrong.decode().strip().splitlines()[-1])
    return [float(one) for one in json.loads(out)]
