"""Start → ready, beside importing the same libraries and nothing else; and what a bot at rest uses."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.bench.figures import Row, median
from tests.bench.stage import cpu_seconds, deployable, on_stage, resident_bytes
from tests.support.process import ROOT

SLOWER = 1.5
MEMORY = 130.0  # MB, of a million bytes
CPU = 3.0  # percent of one core
SETTLE, IDLE = 5.0, 10.0  # seconds
OURS = ("bot", "handlers", "pipelines", "tests", "__")
LOADED = """
import sys
before = set(sys.modules)
import bot.__main__, bot.app, bot.run, handlers.slack.door
print(*(name for name in sys.modules if name not in before))
"""


async def start(folder: Path, *, long: bool) -> list[Row]:
    """From the command to an answering control socket: on a new data folder, and again on the same one."""
    turns = 7 if long else 3
    imported = await asyncio.to_thread(imports)
    first: list[float] = []
    again: list[float] = []
    baseline: list[float] = []
    for number in range(turns):
        baseline.append(await asyncio.to_thread(took, partial(subprocess.run, imported, check=True, cwd=ROOT)))
        service = deployable(folder / f"turn-{number}")
        for taken in (first, again):
            async with on_stage(service, started=False) as stage:
                taken.append(await asyncio.to_thread(took, stage.bot.start))
    base = median(baseline)
    return [
        Row(
            what=f"start → ready, {what}",
            baseline=base,
            measured=median(taken),
            limit=base * SLOWER,
            unit="s",
            figure="≤ 1.5× of imports",
        )
        for what, taken in (("a new data folder", first), ("again", again))
    ]


async def idle(folder: Path, *, long: bool) -> list[Row]:
    """A bot that has deployed once, connected to Slack, with nothing to do."""
    service = deployable(folder)
    async with on_stage(service) as stage:
        await stage.say("deploy api v1.1 staging")
        await stage.noted("install", "v1.1", "staging", 1)
        await asyncio.sleep(SETTLE)  # until its messages are painted, and some more
        before = cpu_seconds(stage.pid)
        seconds = IDLE * (6 if long else 1)
        await asyncio.sleep(seconds)
        used = (cpu_seconds(stage.pid) - before) / seconds * 100
        memory = resident_bytes(stage.pid) / 1e6
    return [
        Row(what="idle, memory (RSS)", measured=memory, limit=MEMORY, unit="MB", figure="≤ 130 MB"),
        Row(what="idle, CPU", measured=used, limit=CPU, unit="%", figure="≤ 3 % of a core", note=f"over {seconds:g} s"),
    ]


def imports() -> list[str]:
    """A command that imports every module of others that the bot imports, in the bot's order."""
    listed = subprocess.run([sys.executable, "-c", LOADED], check=True, cwd=ROOT, capture_output=True, text=True)
    names = [name for name in listed.stdout.split() if not name.startswith(OURS)]
    program = f"import importlib, contextlib\nfor name in {names!r}:\n"
    program += "    with contextlib.suppress(ImportError):\n        importlib.import_module(name)\n"
    return [sys.executable, "-c", program]


def took(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
