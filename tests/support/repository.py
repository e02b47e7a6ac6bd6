"""A real git repository for a test, and a git in front of the real one that writes down what it was asked."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest


class Repository:
    """A service's repository on this disk; `url` is what the configuration would hold."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = folder.as_uri()
        folder.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.name", "ana")
        self.git("config", "user.email", "ana@example.com")
        self.git("config", "gc.auto", "0")

    def git(self, *args: str, stdin: str | None = None) -> str:
        done = subprocess.run(
            ["git", *args], cwd=self.folder, check=True, capture_output=True, text=True, input=stdin, timeout=60
        )
        return done.stdout.strip()

    def commit(self, subject: str = "change", files: Mapping[str, str] | None = None) -> str:
        """A new commit on the branch that is checked out; its id."""
        for name, text in (files or {"file": subject}).items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", subject)
        return self.git("rev-parse", "HEAD")

    def release(self, tag: str) -> str:
        """A new commit with an annotated tag; the commit's id."""
        commit = self.commit(f"prepare {tag}")
        self.git("tag", "--annotate", "--message", tag, tag)
        return commit

    def point(self, ref: str, commit: str) -> None:
        self.git("update-ref", ref, commit)


async def until(condition: Callable[[], bool]) -> None:
    """Returns when the condition holds; fails after 20 s."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in other processes
            await asyncio.sleep(0.005)


class Shim:
    """`git` on PATH that logs its arguments and, before a fetch and after a checkout, waits while `gate` exists."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.log = folder / "asked"
        self.gate = folder / "gate"
        self.waiting = folder / "waiting"
        real = shutil.which("git")
        assert real is not None
        script = folder / "bin" / "git"
        script.parent.mkdir(parents=True)
        script.write_text(
            f"""#!/bin/sh
echo "$*" >> '{self.log}'
hold() {{ echo $$ >> '{self.waiting}'; while [ -e '{self.gate}' ]; do sleep 0.02; done; }}
case " $* " in
  *" fetch "*) hold; exec '{real}' "$@";;
  *" checkout-index "*) '{real}' "$@"; code=$?; hold; exit $code;;
  *) exec '{real}' "$@";;
esac
"""
        )
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}{os.environ['PATH']}")

    def asked(self, word: str) -> int:
        """How many commands had this argument."""
        return sum(word in line.split() for line in self.log.read_text().splitlines()) if self.log.exists() else 0
