"""Completion in real shells: what a person gets who presses Tab, with a bot that runs and without one."""

import os
import pty
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.process import Bot
from tests.support.scene import make_service

BASH = """
eval "$(shipmate completion bash)"
COMP_WORDS=({words})
COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
_shipmate shipmate
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
ZSH = """
autoload -Uz compinit && compinit -u -d {dump}
eval "$(shipmate completion zsh)"
compadd() {{ shift 3; print -l -- "$@" }}
_files() {{ print -- paths }}
words=({words})
CURRENT=$#words
_shipmate
"""
FISH = """
shipmate completion fish | source
complete --do-complete {line}
"""


@dataclass
class Shell:
    bot: Bot
    folder: Path

    @property
    def env(self) -> dict[str, str]:
        return {
            **self.bot.environment(),
            "PATH": f"{self.folder}:{os.environ['PATH']}",
            "SHIPMATE_DATA": str(self.bot.data),
            "TERM": "dumb",
            "HOME": str(self.folder),
        }

    def run(self, argv: list[str], script: str) -> list[str]:
        done = subprocess.run(
            [*argv, script], cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=30
        )
        assert done.stderr == "", done.stderr
        return [line for line in done.stdout.splitlines() if line]

    def bash(self, *words: str) -> list[str]:
        return self.run(["bash", "--norc", "-c"], BASH.format(words=" ".join(map(shlex.quote, ["shipmate", *words]))))

    def zsh(self, *words: str) -> list[str]:
        quoted = " ".join(map(shlex.quote, ["shipmate", *words]))
        return self.run(["zsh", "-f", "-c"], ZSH.format(words=quoted, dump=self.folder / "dump"))

    def fish(self, *words: str) -> list[str]:
        line = shlex.quote(" ".join(["shipmate", *words]))
        return self.run(["fish", "--no-config", "-c"], FISH.format(line=line))


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    folder = tmp_path_factory.mktemp("completion")
    program = folder / "shipmate"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m bot "$@"\n')
    program.chmod(0o755)
    service = make_service(folder / "service", channel=None)
    bot = Bot(data=folder / "data", config=service.config)
    try:
        bot.start()
        assert bot.say("status").status == 0  # which fetches the repository
        yield Shell(bot=bot, folder=folder)
    finally:
        bot.kill()


@pytest.fixture(params=["bash", "zsh", "fish"])
def name(request: pytest.FixtureRequest) -> str:
    if shutil.which(request.param) is None:
        pytest.skip(f"there is no {request.param} here")
    return str(request.param)


def test_commands_and_flags(shell: Shell, name: str) -> None:
    complete = getattr(shell, name)
    assert {"run", "doctor", "say", "demo", "completion", "check", "init"} <= set(complete(""))
    assert complete("do") == ["doctor"]
    assert complete("say", "--w") == ["--wait"]
    assert set(complete("completion", "")) == {"bash", "zsh", "fish"}
    assert complete("completion", "z") == ["zsh"]
    assert complete("nonsense", "") == []


def test_the_words_of_a_sentence(shell: Shell, name: str) -> None:
    complete = getattr(shell, name)
    first = complete("say", "")
    assert {"api", "rollback", "status", "abort", "help"} <= set(first) and "freeze" not in first
    assert complete("say", "ro") == ["rollback"]
    assert complete("say", "rollback", "a") == ["api"]
    assert complete("say", "--as", "ana", "--wait", "rollback", "api", "") == ["staging", "production"]
    assert complete("say", "api", "v1") == ["v1.2", "v1.1", "v1.0"]
    assert {"v4.0", "main", "latest", "previous"} <= set(complete("say", "api", ""))
    assert complete("say", "api", "v1.2", "to", "p") == ["production"]
    assert complete("say", "api@v3") == ["api@v3.0"]
    assert complete("say", "shop", "") == []


def test_a_quoted_sentence_is_completed_as_a_whole(shell: Shell) -> None:
    assert shell.bash("say", '"api v1.2 st') == ["api v1.2 staging"]
    assert shell.bash("say", "'rollback a") == ["rollback api"]


def test_what_bash_makes_words_of(shell: Shell) -> None:
    assert shell.bash("say", "api", "@", "v3") == ["v3.0"]
    assert shell.bash("say", "api", "@", "v3.0", "st") == ["staging"]
    other = str(shell.folder / "nobody")
    assert shell.bash("say", "--data", "=", other, "ro") == []
    assert shell.bash("say", "--data", other, "ro") == []
    assert shell.bash("say", f"--data={shell.bot.data}", "ro") == ["rollback"]


def test_paths_are_the_shells_own(shell: Shell) -> None:
    (shell.folder / "my config.yml").touch()
    assert "my config.yml" in shell.bash("run", "--config", "my")
    assert shell.bash("run", "--data", "serv") == ["service"]


def test_without_a_bot_there_is_nothing_and_no_noise(shell: Shell, name: str) -> None:
    data, shell.bot.data = shell.bot.data, shell.folder / "nobody"
    try:
        assert getattr(shell, name)("say", "a") == []
        assert getattr(shell, name)("do") == ["doctor"]
    finally:
        shell.bot.data = data


def test_a_bot_that_does_not_answer_is_not_waited_for(shell: Shell) -> None:
    assert shell.bot.process is not None
    shell.bot.process.send_signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert shell.bash("say", "a") == []
        assert time.monotonic() - began < 10
    finally:
        shell.bot.process.send_signal(signal.SIGCONT)
    assert shell.bash("say", "ro") == ["rollback"]


class Typing:
    """A person at a bash of their own."""

    def __init__(self, shell: Shell) -> None:
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(shell.folder)
            os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"], {**shell.env, "PS1": "ready> "})
        self.seen = ""

    def types(self, keys: str, until: str, seconds: float = 45.0) -> None:
        os.write(self.terminal, keys.encode())
        end = time.monotonic() + seconds
        while not re.search(until, self.seen):
            ready, _, _ = select.select([self.terminal], [], [], max(0.0, end - time.monotonic()))
            assert ready, self.seen
            self.seen += os.read(self.terminal, 65_536).decode(errors="replace")
        self.seen = ""

    def end(self) -> None:
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


def test_somebody_types_and_presses_tab(shell: Shell) -> None:
    somebody = Typing(shell)
    try:
        somebody.types('eval "$(shipmate completion bash)"\n', r"\n.*ready> $")
        somebody.types("shipmate doc\t", "shipmate doctor ")
        somebody.types("\x15shipmate say ap\t", "shipmate say api ")
        somebody.types("v1.2 st\t", "v1.2 staging ")
        somebody.types("--w\t", "--wait ")
        somebody.types("\n", "api v1.2 is live in staging")
    finally:
        somebody.end()
