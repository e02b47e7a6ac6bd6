"""A service of one's own, from nothing: `init`, `check`, the line to fill in, two targets on this machine, and back.

What is typed is what `init` tells to type."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.support.process import ROOT, Bot, free_port
from tests.support.service import GIT

APP = """import http.server, os

class Web(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["VERSION"].encode() if self.path == "/version" else b"well")

http.server.ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Web).serve_forever()
"""


@dataclass
class Own:
    folder: Path
    bot: Bot
    targets: tuple[str, ...]

    @property
    def repository(self) -> Path:
        return self.folder / "web-shop"

    def shell(self, line: str, *, typed: str = "") -> str:
        """A line as a person types it in the repository."""
        line = re.sub(r"^shipmate\b", f"'{sys.executable}' -m bot", line)
        env = {**os.environ, **GIT, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            ["bash", "-c", line], cwd=self.repository, env=env, input=typed, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def runs(self) -> list[str]:
        """What the service itself says on each target."""
        return [urlopen(f"http://{target}/version", timeout=5).read().decode() for target in self.targets]

    def end(self) -> None:
        for file in self.folder.glob("place/**/pid"):
            os.kill(int(file.read_text().split()[0]), signal.SIGKILL)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Own]:
    bot = Bot(data=tmp_path / "data", config=tmp_path / "shipmate.yml")
    there = Own(folder=tmp_path, bot=bot, targets=(f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"))
    there.repository.mkdir()
    (there.repository / "app.py").write_text(APP)
    yield there
    bot.kill()
    there.end()


@pytest.mark.long
def test_a_service_of_ones_own(own: Own) -> None:
    own.shell("git init -q -b main && git add app.py && git commit -q -m 'the service'")
    said = own.shell("shipmate init", typed="\n\n\n")
    lines = said.partition("Then:\n")[2].partition("\n\n")[0].splitlines()
    assert own.shell("shipmate check .").startswith("deploy.yml is good.")
    for line in lines:
        own.shell(line.strip())
    configuration = said.partition("such as shipmate.yml:\n")[2].partition("\n\n")[0]
    for example, target in zip(("127.0.0.1:8001", "127.0.0.1:8002"), own.targets, strict=True):
        configuration = configuration.replace(example, target)
    own.bot.config.write_text(configuration)
    own.bot.start()

    unfilled = own.bot.say("web-shop v1.0 staging", wait=True)
    assert unfilled.status == 1 and f"install on {own.targets[0]} exited 1" in unfilled.text

    install = own.repository / "deploy" / "install.sh"
    text = install.read_text().replace("/var/tmp/shipmate", f"{own.folder}/place")  # a test keeps to its own folder
    install.write_text(text.replace("START=''", f"START='exec {sys.executable} app.py'"))
    own.shell("git commit -qam 'how it is started' && git tag v1.1")
    own.shell("git commit -q --allow-empty -m 'a change' && git tag v1.2")
    for version in ("v1.1", "v1.2"):
        deployed = own.bot.say(f"web-shop {version} staging", wait=True)
        assert deployed.status == 0 and f"✅ web-shop {version} is live in staging" in deployed.text, deployed.text
        assert own.runs() == [version, version]
    back = own.bot.say("rollback web-shop staging", wait=True)
    assert back.status == 0 and "web-shop v1.1 is live in staging · rolled back from v1.2" in back.text
    assert own.runs() == ["v1.1", "v1.1"]
    again = own.bot.say("web-shop v1.1 staging force", wait=True)
    assert again.status == 0 and own.runs() == ["v1.1", "v1.1"]
