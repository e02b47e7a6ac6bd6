"""Real runs: a script, its supervisor, and everything that came from it, found by a mark and ended after use."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.execution import cgroup, processes, rundir, supervisor
from pipelines.execution.rundir import RunState

PATIENCE = 60.0  # seconds until a condition that never comes true fails the test


def until(condition: Callable[[], object]) -> None:
    limit = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < limit, "waited in vain"
        time.sleep(0.005)


def end_scripts(folder: Path) -> None:
    """Scripts outlive the bot: those whose run folders are anywhere below are ended."""
    going = [
        run for run in folder.glob("**/runs/*/*") if rundir.state(run) in (RunState.RUNNING, RunState.UNSUPERVISED)
    ]
    for run in going:
        rundir.request_stop(run)
    until(lambda: all(rundir.state(run) in (RunState.EXITED, RunState.LOST) for run in going))


class Run:
    """One script under the supervisor. `body` is bash, or `argv` in the spec says what to run instead."""

    def __init__(self, home: Path, body: str = "", **spec: Any) -> None:
        self.dir, self.cwd, self.mark = home / "run", home, uuid.uuid4().hex
        script = home / "script.sh"
        script.write_text(f"#!/bin/bash\n{body}\n")
        script.chmod(0o755)
        self.env = {"PATH": os.defpath, "MARK": self.mark}
        given: dict[str, Any] = {"argv": [str(script)], "cwd": str(home), "env": self.env, "grace": 0.5}
        self.spec = rundir.Spec(**given | spec)
        self.supervisor_argv = [sys.executable, "-I", "-S", supervisor.__file__, str(self.dir)]
        rundir.prepare(self.dir, self.spec)

    def start(self) -> "Run":
        rundir.spawn(self.dir)
        until(lambda: self.state() is not RunState.ABSENT)
        return self

    def by_hand(self, **how: Any) -> subprocess.Popen[bytes]:
        """The supervisor as a child of the test, whose exit status the test wants."""
        return subprocess.Popen(self.supervisor_argv, **how)

    def finish(self) -> rundir.Exit:
        until(lambda: self.state() is RunState.EXITED)
        found = rundir.read_exit(self.dir)
        assert found
        return found

    def state(self) -> RunState:
        return rundir.state(self.dir)

    @property
    def started(self) -> rundir.Started:
        found = rundir.read_started(self.dir)
        assert found
        return found

    @property
    def out(self) -> str:
        file = self.dir / "out"
        return file.read_text() if file.exists() else ""

    def wait_for(self, text: str) -> None:
        until(lambda: text in self.out)

    def kill_supervisor(self) -> None:
        os.kill(self.started.pid, signal.SIGKILL)
        until(lambda: self.state() is not RunState.RUNNING)

    def living(self) -> list[int]:
        """Everything that has the script's environment, whatever session or parent it has by now."""
        return [found.pid for found in processes.processes() if found.alive and self.mark in environment(found.pid)]

    def clean(self) -> None:
        if self.state() is RunState.RUNNING:
            self.kill_supervisor()
        while pids := self.living():
            for pid in pids:
                processes.send(pid, processes.start_time(pid), signal.SIGKILL)
        cgroup.sweep()


MakeRun = Callable[..., Run]


def of_runs(runs: Path) -> list[processes.Process]:
    """Every supervisor and every script whose run folder lies below, also what changed its session or parent."""
    mark = str(runs.absolute())
    return [
        found
        for found in processes.processes()
        if found.alive and found.pid != os.getpid() and (mark in environment(found.pid) or mark in argv(found.pid))
    ]


def end_all(runs: Path) -> None:
    """What a crash of the machine does to them. Supervisors first: none is left to record what the others died of."""
    while left := of_runs(runs):
        for found in sorted(left, key=lambda one: str(runs.absolute()) not in argv(one.pid)):
            processes.send(found.pid, found.start, signal.SIGKILL)


def argv(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def environment(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
    except OSError:
        return ""
