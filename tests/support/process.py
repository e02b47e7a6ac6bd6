"""The real bot as a process of its own, and `say` as a person would use it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.sockets import address

ROOT = Path(__file__).parent.parent.parent
READY_SECONDS = 120.0  # a machine may have much else to do


def until(
    condition: Callable[[], bool], *, seconds: float = 60.0, what: str | Callable[[], str] = "the condition"
) -> None:
    """Wait until something holds; fail loudly when it does not in time, with `what` as it is then."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what if isinstance(what, str) else what()} did not come true within {seconds:g} s")
        time.sleep(0.02)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@dataclass
class Said:
    status: int
    text: str


@dataclass
class Bot:
    """`python -m bot run` on a data folder, or another command (`role`: web, worker, supervise); `crash` names the
    point at which it dies (see `tests.support.crash`), "" where `crash_file` will tell it later; `later` is how many
    seconds its clock is ahead, `lag` the file that its loop's delays are written to (see `tests.support.lag`), `swift`
    the one that says how fast its time passes (see `tests.support.swift`)."""

    data: Path
    config: Path
    env: Mapping[str, str] = field(default_factory=dict)
    role: str = "run"
    process: "subprocess.Popen[bytes] | None" = None
    folder: Path = ROOT
    python: str = sys.executable
    _logged: int = 0

    def environment(self) -> dict[str, str]:
        kept = {
            k: v for k, v in os.environ.items() if not k.startswith(("SLACK_", "SHIPMATE_")) and k != "DATABASE_URL"
        }
        return {**kept, "PORT": "0", "PYTHONPATH": str(ROOT), **self.env}

    def start(
        self,
        *,
        crash: str | None = None,
        later: float = 0.0,
        lag: Path | None = None,
        swift: Path | None = None,
        wait: bool = True,
    ) -> None:
        module = ["bot"]
        if crash is not None:
            module = ["tests.support.crash", str(self.crash_file)]
        if later:
            module = ["tests.support.later", str(later)]
        if lag:
            module = ["tests.support.lag", str(lag)]
        if swift:
            module = ["tests.support.swift", str(swift)]
        argv = [self.python, "-m", *module, self.role, "--data", str(self.data), "--config", str(self.config)]
        self.data.mkdir(parents=True, exist_ok=True)
        if crash:
            self.crash_file.write_text(crash)
        with self._log.open("ab") as log:
            self._logged = log.tell()
            self.process = subprocess.Popen(
                argv, cwd=self.folder, env=self.environment(), stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        if wait:
            until(self.answers, seconds=READY_SECONDS, what=f"a bot on {self.data} ({self.log()[-2000:]})")

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the bot ended: {self.log()[-2000:]}"
        if self.role == "worker":  # has no door; it says when it is ready
            return "worker is ready" in self._log.read_bytes()[self._logged :].decode(errors="replace")
        try:
            with address(self.data) as path, socket.socket(socket.AF_UNIX) as probe:
                probe.connect(path)
        except OSError:
            return False
        return True

    def pid(self) -> int:
        """The process that holds the data folder; 0 while it writes that down."""
        return int((self.data / "bot.lock").read_text() or 0)

    @property
    def crash_file(self) -> Path:
        """Where it is told to die."""
        return self.data / "crash"

    @property
    def _log(self) -> Path:
        return self.data / ("bot.log" if self.role == "run" else f"{self.role}.log")

    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def kill(self) -> None:
        """kill -9, and wait for the end."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def dead(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def stop(self, seconds: float = 10.0) -> int:
        """SIGTERM; the exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(seconds)

    def saying(self, text: str, *, by: str = "ana", wait: bool = False) -> "subprocess.Popen[str]":
        argv = [sys.executable, "-m", "bot", "say", text, "--as", by, "--data", str(self.data)]
        return subprocess.Popen(
            [*argv, *(["--wait"] if wait else [])],
            cwd=ROOT,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def say(self, text: str, *, by: str = "ana", wait: bool = False, seconds: float = 60.0) -> Said:
        saying = self.saying(text, by=by, wait=wait)
        out, _ = saying.communicate(timeout=seconds)
        return Said(status=saying.returncode, text=out)
