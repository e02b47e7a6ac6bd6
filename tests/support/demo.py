"""The demo as a process of its own, asked and ended the way a person or a CI job would.

What its page shows is `tests/stories/test_browser.py`'s.
"""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.demo import sample
from tests.support.process import ROOT, Said, until

QUICK = 0.02  # seconds that the sample's scripts rest between two lines
STOP_SECONDS = 15.0
READY_SECONDS = 120.0


@dataclass
class Demo:
    """`python -m bot demo --headless` on a folder. `pace` counts at the first start alone."""

    data: Path
    pace: float = QUICK
    port: int = 0
    ready: dict[str, Any] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None

    def environment(self) -> dict[str, str]:
        ours = ("SLACK_", "SHIPMATE_", "DATABASE_URL")
        return {**{k: v for k, v in os.environ.items() if not k.startswith(ours)}, "PYTHONPATH": str(ROOT)}

    def launch(self, *flags: str) -> None:
        """Start it without waiting."""
        sample.build(self.data / "repositories" / "api", self.pace)
        argv = [sys.executable, "-m", "bot", "demo", "--headless", "--port", str(self.port), "--data", str(self.data)]
        self.launch_by([*argv, *flags])

    def launch_by(self, argv: list[str]) -> None:
        """Start it by any command, in a session of its own."""
        with self.out.open("wb") as out, self.err.open("ab") as err:
            self.process = subprocess.Popen(
                argv,
                cwd=ROOT,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def start(self, *flags: str) -> "Demo":
        """Start it and wait for its line."""
        self.launch(*flags)
        until(self._is_ready, seconds=READY_SECONDS, what="the demo's line on stdout")
        self.ready = json.loads(self.out.read_text())
        return self

    @property
    def out(self) -> Path:
        return self.data.with_name(self.data.name + ".out")

    @property
    def err(self) -> Path:
        return self.data.with_name(self.data.name + ".err")

    @property
    def log(self) -> str:
        return self.err.read_text(errors="replace") if self.err.exists() else ""

    @property
    def page(self) -> str:
        return str(self.ready["page"])

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the demo ended: {self.log[-3000:]}"
        return self.out.read_text().endswith("\n")

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def ended(self, seconds: float = STOP_SECONDS) -> int:
        """Wait for its end; the exit status."""
        assert self.process is not None
        return self.process.wait(seconds)

    def stop(self) -> int:
        """SIGTERM; the exit status. Fails when it takes more than 15 s."""
        self.signal(signal.SIGTERM)
        return self.ended()

    def crash(self) -> None:
        """kill -9, and nobody tidies up."""
        self.signal(signal.SIGKILL)
        self.ended()

    def end(self) -> None:
        """Whatever happened before, nothing of it runs afterwards."""
        if self.process is not None and self.process.poll() is None:
            self.signal(signal.SIGTERM)
            try:
                self.ended()
            except subprocess.TimeoutExpired:
                self.crash()
        for pid in self.processes():
            end_one(pid)

    def processes(self) -> dict[int, str]:
        """What runs of this demo: process to command line. Everything of it names its folder, or stands in it."""
        if not Path("/proc/self").exists():
            return self._listed()
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal() and (line := self._of_ours(entry)):
                found[int(entry.name)] = line
        return found

    def _of_ours(self, entry: Path) -> str | None:
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            folder = str((entry / "cwd").readlink())
        except OSError:
            return None
        mine = str(self.data)
        return line if mine in line or folder == mine or folder.startswith(mine + "/") else None

    def _listed(self) -> dict[int, str]:
        """The same where there is no /proc: by command lines alone."""
        listing = subprocess.run(["ps", "-axww", "-o", "pid=,command="], capture_output=True, text=True, check=True)
        lines = (line.split(maxsplit=1) for line in listing.stdout.splitlines())
        return {int(pid): line for pid, line in lines if str(self.data) in line}

    def apps(self) -> dict[int, str]:
        """The releases that run on its hosts."""
        return {pid: line for pid, line in self.processes().items() if "/hosts/" in line}

    def get(self, environment: str, path: str = "/version") -> tuple[int, str]:
        """Status and text of one answer of an environment's router."""
        try:
            with urllib.request.urlopen(self.ready["routers"][environment] + path, timeout=10) as answer:
                return answer.status, answer.read().decode().strip()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode().strip()

    def version(self, environment: str) -> str:
        """The version that a target behind the router reports."""
        status, text = self.get(environment)
        assert status == 200, text
        return text.split()[0]

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

    def say(self, text: str, *, by: str = "ana", wait: bool = False, seconds: float = 90.0) -> Said:
        saying = self.saying(text, by=by, wait=wait)
        out, _ = saying.communicate(timeout=seconds)
        return Said(status=saying.returncode, text=out)

    def messages(self, channel: str = "deploys", user: str = "ana") -> list[dict[str, Any]]:
        """What a person's page shows in a channel: threads and private answers too, oldest first."""
        import asyncio

        return asyncio.run(_messages(self.page, channel, user))

    def message(self, begins: str, *, channel: str = "deploys") -> dict[str, Any] | None:
        """The newest message in the channel itself whose text begins so."""
        roots = [m for m in self.messages(channel) if m.get("thread_ts") in (None, m["ts"])]
        return next((m for m in reversed(roots) if m["text"].startswith(begins)), None)

    def click(self, message: dict[str, Any], label: str, *, user: str = "ana", channel: str = "#deploys") -> None:
        """A person clicks the button whose text begins so."""
        said = {"user": user, "channel": channel, "ts": message["ts"], "click": label}
        request = urllib.request.Request(
            self.page + "_person", json.dumps(said).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200


def end_one(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


async def _messages(page: str, channel: str, user: str) -> list[dict[str, Any]]:
    import aiohttp

    async with aiohttp.ClientSession() as session, session.ws_connect(page + "page") as socket:
        await socket.send_json({"op": "hello", "user": user})
        while (state := await socket.receive_json(timeout=10))["op"] != "state":
            pass  # changes may come first
        ids = {found["name"]: found["id"] for found in state["channels"]}
        return list(state["messages"][ids[channel]])


@contextmanager
def running(data: Path, **how: Any) -> Iterator[Demo]:
    """A demo that is ready, ended whatever happens."""
    demo = Demo(data=data, **how)
    try:
        yield demo.start()
    finally:
        demo.end()
