"""Output by the gigabyte, with five secrets to look for in it: the bot neither grows nor stands still, the message
ends true, and little of it stays on the disk. Measured are the process's own peak and by how much its loop was late.
`make bench` prints the same."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.storage.steps import KEPT_FIRST
from tests.support.process import Bot, until
from tests.support.service import Service
from tests.support.workspace import Threaded
from tests.torture.rows import SQLITE, Fault, Place, Verdict

MB = 1 << 20
GROWTH, LAG = 64 * MB, 0.050
ENOUGH = 300 * len("0.0001\n")  # bytes of samples
LEFT = KEPT_FIRST + 32 * MB  # on the disk, of what a script printed, when it is over
SECRETS = [f"SECRET_{number}" for number in range(5)]
RECIPE = f"deploy: deploy/install.sh\nsecrets: [{', '.join(SECRETS)}]\n"
FLOODS = {
    "1 GB of lines": "yes 'a line of what is printed, as long as lines often are' | head -c 1G",
    "200 MB without a newline": "head -c 200M /dev/zero | tr '\\0' x",
    "400 MB of binary": "head -c 400M /dev/urandom",
    "100,000 lines a second": "for i in {1..100}; do seq 10000; read -rt 0.08 <> <(:) || true; done",
}


@dataclass(frozen=True, kw_only=True)
class Measured:
    what: str
    growth: int
    lag: float
    calm: float
    left: int
    most: int

    def __str__(self) -> str:
        told = (
            self.what,
            f"memory +{self.growth / MB:.0f} MB",
            f"loop lag p99 {self.lag * 1000:.1f} ms, {self.calm * 1000:.1f} at rest",
            f"on the disk at most {self.most / MB:.0f} MB, in the end {self.left / MB:.0f}",
        )
        return ", ".join(told)


@dataclass
class Stage:
    slack: Threaded
    bot: Bot
    service: Service
    lags: Path
    most: int = 0
    _from: int = 0

    def deploy(self, version: str) -> None:
        self.slack.types("ana", "/deploy", f"api {version} staging", "#deploys")
        until(
            lambda: self.look() and f"api {version} is live in staging" in self.newest(), seconds=240, what=self.newest
        )

    def look(self) -> bool:
        """What output lies on the disk now, and the most that did."""
        outs = (self.bot.data / "runs").glob("*/*/out")
        self.most = max([self.most, *(out.stat().st_blocks * 512 for out in outs)])
        return True

    def newest(self) -> str:
        return next((str(m["text"]) for m in reversed(self.slack.workspace.messages("#deploys"))), "nothing")

    def memory(self, field: str) -> int:
        """`VmRSS` now, or its peak `VmHWM`, in bytes."""
        assert self.bot.process is not None
        status = Path(f"/proc/{self.bot.process.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith(f"{field}:"))) * 1024

    def forget_peak(self) -> None:
        assert self.bot.process is not None
        Path(f"/proc/{self.bot.process.pid}/clear_refs").write_text("5")

    def rested(self) -> bool:
        """Whether there are enough samples since `lag` began to tell what is rare."""
        return len(self.lags.read_text()) - self._from > ENOUGH

    def lag(self, meanwhile: Callable[[], None]) -> float:
        """By how much the loop was late while something was done: 99 of 100 times by less, in seconds."""
        self._from = len(self.lags.read_text())
        meanwhile()
        lags = sorted(float(line) for line in self.lags.read_text()[self._from :].splitlines())
        return lags[int(len(lags) * 0.99)]

    def measured(self, what: str, version: str) -> Measured:
        self.forget_peak()
        self.most = 0
        calm = self.lag(lambda: until(self.rested, seconds=30, what="some seconds at rest"))
        before = self.memory("VmRSS")
        lag = self.lag(lambda: self.deploy(version))
        outs = [file.stat() for file in (self.bot.data / "runs").glob("*/*/out")]
        return Measured(
            what=what,
            growth=self.memory("VmHWM") - before,
            lag=lag,
            calm=calm,
            left=max(out.st_blocks * 512 for out in outs),
            most=self.most,
        )


@contextmanager
def flooded(folder: Path) -> Iterator[Stage]:
    """A bot that has deployed once; the version v1.N of its service prints the N-th flood."""
    service = Service(folder=folder, targets=("one",), channel="#deploys")
    for number, body in enumerate(["echo hello", *FLOODS.values()]):
        files = {"deploy.yml": RECIPE, "deploy/install.sh": f"#!/bin/bash\n{body}\n"}
        service.commit(files, tag=f"v1.{number}")
    (folder / "secrets").mkdir(mode=0o700)
    for name in SECRETS:
        (folder / "secrets" / name).write_text(f"correct-horse-{name}-battery-staple")
    service.configure(staging={"secrets_from": f"file://{folder}/secrets/{{name}}"})
    with Threaded() as slack:
        bot = Bot(data=folder / "data", config=service.config, env=slack.env)
        lags = folder / "lags"
        bot.start(lag=lags)
        stage = Stage(slack=slack, bot=bot, service=service, lags=lags)
        try:
            until(lambda: bool(slack.workspace.deliverer.sockets.connections), what="the bot's connection")
            stage.deploy("v1.0")
            yield stage
        finally:
            bot.kill()


def flood(stage: Stage, number: int) -> Measured:
    """One of the floods, in a deploy."""
    return stage.measured(list(FLOODS)[number], f"v1.{number + 1}")


def survived(place: Place, tries: int) -> Verdict:
    if sys.platform != "linux":
        pytest.skip("reads the bot's memory from /proc")
    with flooded(place.folder) as stage:
        found = [flood(stage, number % len(FLOODS)) for number in range(tries)]
    others = {
        "grew by more than 64 MB": sum(one.growth > GROWTH for one in found),
        "late by more than 50 ms": sum(one.lag - one.calm > LAG for one in found),
        "left too much": sum(one.left > LEFT for one in found),
    }
    grew, late = max(one.growth for one in found) / MB, max(one.lag for one in found) * 1000
    seen = f"at most +{grew:.0f} MB, loop lag p99 {late:.0f} ms"
    return Verdict(tries=tries, others=others, seen=seen, wrong=[str(one) for one in found])


FAULTS = (
    Fault(
        name="floods",
        what="output: 1 GB, 200 MB without a newline, binary, 100,000 lines/s",
        run=survived,
        tries=2 * len(FLOODS),
        long=len(FLOODS),
        on=(SQLITE,),
    ),
)
