"""A service of a test's own: a real repository whose scripts write a ledger, and a configuration that deploys it."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

GIT = {
    "GIT_AUTHOR_NAME": "ana",
    "GIT_AUTHOR_EMAIL": "ana@example.test",
    "GIT_COMMITTER_NAME": "ana",
    "GIT_COMMITTER_EMAIL": "ana@example.test",
    "GIT_CONFIG_NOSYSTEM": "1",
}


@dataclass
class Service:
    """`ledger` gets a line from each script as it begins and ends, written by the script itself with O_APPEND."""

    folder: Path
    targets: tuple[str, ...] = ("stg-1", "stg-2")
    channel: str | None = None

    @property
    def repository(self) -> Path:
        return self.folder / "repository"

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger"

    @property
    def config(self) -> Path:
        return self.folder / "shipmate.yml"

    def git(self, *argv: str) -> str:
        done = subprocess.run(
            ["git", *argv], cwd=self.repository, env={**os.environ, **GIT}, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str], *, message: str = "a change", tag: str | None = None) -> str:
        """Commit files (scripts, ending in .sh, are executable); the commit's id."""
        if not (self.repository / ".git").exists():
            self.repository.mkdir(parents=True, exist_ok=True)
            self.git("init", "-q", "-b", "main")
        for name, text in files.items():
            path = self.repository / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755 if name.endswith(".sh") else 0o644)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        if tag:
            self.git("tag", tag)
        return self.git("rev-parse", "HEAD")

    def script(self, name: str, body: str = "") -> str:
        """A script that notes in the ledger that it began, does its work, and notes that it ended, or was stopped."""
        facts = (
            f"{name} ${{TARGET:--}} $VERSION $DEPLOY_ID $DEPLOY_FENCE $$ $SERVICE/$ENVIRONMENT ${{EPOCHREALTIME:-0}}"
        )
        note = f'note() {{ echo "$1 {facts}" >> "{self.ledger}"; }}\ntrap "note stopped" EXIT'
        return f"#!/bin/bash\nset -e\n{note}\nnote start\n{body}\nnote end\ntrap - EXIT\n"

    def configure(self, **environments: Mapping[str, object]) -> None:
        service: dict[str, object] = {
            "repo": str(self.repository),
            "owners": ["ana", "raj"],
            "targets": {name: list(self.targets) for name in environments or {"staging": {}}},
        }
        if self.channel:
            service["channel"] = self.channel
        text = {
            "services": {"api": service},
            "environments": {name: dict(more) for name, more in (environments or {"staging": {}}).items()},
        }
        self.config.write_text(json.dumps(text, indent=1))

    def configure_itself(self, path: str) -> None:
        """The service is Shipmate, and lies in the repository under `path`."""
        service = {"repo": str(self.repository), "path": path, "channel": "#deploys", "owners": ["ana", "raj"]}
        services = {"shipmate": {**service, "targets": {"production": list(self.targets)}}}
        self.config.write_text(json.dumps({"services": services, "environments": {"production": {}}}, indent=1))

    def entries(self) -> list[list[str]]:
        """The ledger's lines as words, in the order of `tests.torture.ledger.Line`."""
        return [line.split() for line in self.ledger.read_text().splitlines()] if self.ledger.exists() else []


def six_steps(folder: Path, *, pause: float = 0.1, channel: str | None = None) -> Service:
    """A service whose deploy has six script steps: before, two installs, two checks, after; versions v1.0 to v1.2."""
    service = Service(folder=folder, channel=channel)
    lines = f'for i in 1 2 3 4; do echo "${{0##*/}} ${{TARGET:--}} line $i"; sleep {pause}; done'
    files = {f"deploy/{name}.sh": service.script(name, lines) for name in ("before", "install", "check", "after")}
    files["deploy.yml"] = (
        "deploy: deploy/install.sh\nbefore: [deploy/before.sh]\n"
        "check: [{run: deploy/check.sh}]\nafter: [deploy/after.sh]\n"
    )
    service.commit(files, tag="v1.0")
    for number in (1, 2):
        service.commit({"VERSION": f"{number}\n"}, message=f"change {number}", tag=f"v1.{number}")
    service.configure()
    return service
