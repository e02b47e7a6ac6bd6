"""Output by the gigabyte, with five secrets to look for in it: the bot neither grows nor stands still, the message
ends true, and little of it stays on the disk. Measured are the process's own peak and by how much its loop was late."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.storage.steps import KEPT_FIRST
from tests.support.process import Bot, until
from tests.support.service import Service
from tests.support.workspace import Threaded

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="reads the bot's memory from /proc"),
]

MB = 1 << 20
GROWTH, LAG = 64 * MB, 0.050
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
    left: int
    most: int

    @property
    def met(self) -> bool:
        return self.growth <= GROWTH and self.lag <= LAG and self.left <= LEFT

    def __str__(self) -> str:
        return (
            f"| output: {self.what} | memory +{self.growth / MB:.0f} MB (≤ 64) | loop lag p99 {self.lag * 1000:.1f} ms "
            f"(≤ 50) | on the disk at most {self.most / MB:.0f} MB, in the end {self.left / MB:.0f} | "
            f"{'met' if self.met else 'NOT MET'} |"
        )


@dataclass
class Stage:
    slack: Threaded
    bot: Bot
    service: Service
    lags: Path
    most: int = 0

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

    def measured(self, what: str, version: str) -> Measured:
        self.forget_peak()
        self.most = 0
        before, skip = self.memory("VmRSS"), len(self.lags.read_text())
        self.deploy(version)
        lags = sorted(float(line) for line in self.lags.read_text()[skip:].splitlines())
        outs = [file.stat() for file in (self.bot.data / "runs").glob("*/*/out")]
        return Measured(
            what=what,
            growth=self.memory("VmHWM") - before,
            lag=lags[int(len(lags) * 0.99)],
            left=max(out.st_blocks * 512 for out in outs),
            most=self.most,
        )


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("floods")
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


@pytest.mark.parametrize("number", range(1, len(FLOODS) + 1), ids=FLOODS)
def test_a_flood(stage: Stage, number: int, capsys: pytest.CaptureFixture[str]) -> None:
    measured = stage.measured(list(FLOODS)[number - 1], f"v1.{number}")
    with capsys.disabled():
        print(f"\n{measured}")
    assert measured.met
