"""A script that prints a million lines: what following it costs the script, and what it costs the bot."""

import asyncio
import os
import subprocess
import time
from pathlib import Path

from pipelines.execution.follower import CHUNK
from pipelines.execution.masking import Masker
from tests.bench.figures import Row, median
from tests.bench.stage import Stage, cpu_seconds, deployable, on_stage
from tests.bench.starting import idle
from tests.support.service import Service

LINES = 1_000_000
SLOWER = 1.05
CPU = 1.0  # seconds of the bot's for all of it
SECRETS = tuple(f"correct-horse-{number}-battery-staple" for number in range(5))


async def output(folder: Path, *, long: bool) -> list[Row]:
    """The script's whole time, by its own clock, in turns under the bot and into `cat > file`."""
    ledger = folder / "ledger"
    body = f'for ((i = 0; i < {LINES}; i++)); do echo "line $i of what is printed"; done\n'
    body += f'echo "end $VERSION $ENVIRONMENT $EPOCHREALTIME" >> "{ledger}"'
    service = deployable(folder, body)
    hand, measured, used = [], [], []
    async with on_stage(service) as stage:
        for number in range(9 if long else 5):
            hand.append(await asyncio.to_thread(_by_hand, service, number))
            before = cpu_seconds(stage.pid)
            measured.append(await _under_the_bot(stage, number))
            await idle(stage)
            used.append(cpu_seconds(stage.pid) - before)
    out = (service.folder / "by-hand").read_bytes()  # of the bot's own file most was taken off the disk
    return _rows(hand, measured, used, out)


def _rows(hand: list[float], measured: list[float], used: list[float], out: bytes) -> list[Row]:
    masking = median([_masking(out) for _ in range(3)])
    ratios = [ours / theirs for ours, theirs in zip(measured, hand, strict=True)]
    turn = ratios.index(median(ratios))  # a pair of neighbours in time: other work on the machine comes and goes
    base, cpu = hand[turn], median(used) + masking
    return [
        Row(
            what="1,000,000 lines, the script's time",
            baseline=base,
            measured=measured[turn],
            limit=base * SLOWER,
            unit="s",
            figure="≤ 1.05× of | cat > file",
        ),
        Row(
            what="1,000,000 lines, the bot's CPU",
            measured=cpu,
            limit=CPU,
            unit="s",
            figure="≤ 1 s, five secrets",
            note=f"{len(out) / 1e6:.0f} MB, median of {len(hand)} turns; {cpu - masking:.2f} s of the bot's, no secret "
            f"registered (none can be yet) + {masking:.2f} s for masking five in the same bytes, measured apart",
        ),
    ]


def _by_hand(service: Service, number: int) -> float:
    script, file = service.repository / "deploy" / "install.sh", service.folder / "by-hand"
    env = {"PATH": os.defpath, "VERSION": "v1.2", "ENVIRONMENT": f"hand-{number}"}
    with file.open("wb") as to:
        producer = subprocess.Popen([str(script)], env=env, stdout=subprocess.PIPE)
        subprocess.run(["cat"], stdin=producer.stdout, stdout=to, check=True)
        producer.wait(60)
    return _took(service, f"hand-{number}")


async def _under_the_bot(stage: Stage, number: int) -> float:
    await stage.say(f"deploy api v1.{1 + number % 2} staging force")
    await stage.workspace.wait_for(lambda: len(_ends(stage.service, "staging")) > number, 300.0)
    return _took(stage.service, "staging")


def _ends(service: Service, environment: str) -> list[float]:
    return [float(entry[3]) for entry in service.entries() if entry[0] == "end" and entry[2] == environment]


def _took(service: Service, environment: str) -> float:
    """From the last beginning to the last end, as the script noted them."""
    begins = [float(entry[3]) for entry in service.entries() if entry[0] == "install" and entry[2] == environment]
    return _ends(service, environment)[-1] - begins[-1]


def _masking(out: bytes) -> float:
    """Processor time of masking five secrets in these bytes, in the pieces that the bot reads."""
    masker = Masker(SECRETS)
    began = time.process_time()
    for start in range(0, len(out), CHUNK):
        masker.feed(out[start : start + CHUNK])
    masker.flush()
    return time.process_time() - began
