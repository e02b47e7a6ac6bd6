"""A host on which Shipmate deploys itself, by the very files that are the example for it."""

import hashlib
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.process import ROOT, Bot, until
from tests.support.service import Service
from tests.support.workspace import Threaded

EXAMPLE = "config/shipmate-itself"
PARTS = ("bot", "handlers", "pipelines", EXAMPLE, "pyproject.toml", "requirements.lock")
PATIENCE = 25


@dataclass
class Host:
    """`release` commits a version of this program to `service`'s repository; `bot` is kept from `current`."""

    root: Path
    service: Service
    bot: Bot

    @classmethod
    def made(cls, folder: Path, env: dict[str, str], *, patience: int = PATIENCE) -> "Host":
        """With v1.0 installed by hand, as the first must be; `patience`: seconds that a bot may take to come back."""
        root, service = folder / "host", Service(folder=folder, targets=("here",))
        for part in PARTS:
            _copy(ROOT / part, service.repository / part)
        _set(service.repository / EXAMPLE / "lib.sh", root=root, patience=patience)
        host = cls(root=root, service=service, bot=Bot(data=root / "data", config=folder / "shipmate.yml"))
        host._install(service.commit({}, message="begin", tag="v1.0"))
        service.configure_itself(EXAMPLE)
        host.bot.role, host.bot.folder = "supervise", root / "current"
        host.bot.python = str(root / "current/.venv/bin/python")
        host.bot.env = {**env, "PYTHONPATH": "", "PWD": str(root / "current")}
        return host

    def _install(self, commit: str) -> None:
        lock = hashlib.sha256((ROOT / "requirements.lock").read_bytes()).hexdigest()[:16]
        environment = self.root / "envs" / lock
        environment.mkdir(parents=True)
        for part in ("bin", "lib", "pyvenv.cfg"):  # what the tests run with
            (environment / part).symlink_to(Path(sys.prefix) / part)
        (environment / "complete").touch()
        release = self.root / "releases" / commit
        shutil.copytree(self.service.repository, release, ignore=shutil.ignore_patterns(".git"))
        (release / ".venv").symlink_to(f"../../envs/{lock}")
        (self.root / "current").symlink_to(f"releases/{commit}")

    def release(self, version: str, files: dict[str, str] | None = None) -> str:
        return self.service.commit({"VERSION": version, **(files or {})}, message=f"make {version}", tag=version)

    def runs(self) -> str:
        """The commit whose code the bot runs."""
        return Path(f"/proc/{self.bot.pid()}/cwd").readlink().name


def newest(slack: Threaded) -> tuple[str, list[str]]:
    """The newest message in the channel, and all that its thread says."""
    messages = slack.workspace.messages("#deploys")
    if not messages:
        return "", []
    replies = slack.workspace.thread("#deploys", messages[-1]["ts"])
    files = [slack.workspace.state.files[one]["content"] for reply in replies for one in reply.get("_files", [])]
    return str(messages[-1]["text"]), [*(str(reply.get("text")) for reply in replies), *files]


def deploys_itself(host: Host, slack: Threaded, version: str, *, seconds: float = 180) -> None:
    commit = host.release(version)
    before = host.bot.pid()
    said = host.bot.say(f"shipmate {version} production", wait=True, seconds=seconds)
    assert said.status == 0, said.text + host.bot.log()[-3000:]
    assert host.runs() == commit and host.bot.pid() != before
    until(lambda: f"shipmate {version} is live in production" in newest(slack)[0], what="the message's end")
    until(lambda: complete(newest(slack)[1], version), what=lambda: f"a complete thread: {newest(slack)[1]}")


def complete(thread: list[str], version: str) -> bool:
    """The whole log, from before and after the restart, and one closing line."""
    printed = f"Shipmate {version} is unpacked; restarting\nShipmate {version} answers\n"
    return any(printed in said for said in thread) and sum("went live in production" in said for said in thread) == 1


def _copy(source: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, to, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, to)


def _set(script: Path, **values: object) -> None:
    """What a person changes in the example for a host of their own."""
    lines = script.read_text().splitlines()
    for name, value in values.items():
        found = [number for number, line in enumerate(lines) if line.startswith(f"{name}=")]
        assert len(found) == 1, name
        lines[found[0]] = f"{name}={value}"
    script.write_text("\n".join(lines) + "\n")
