"""A run folder seen from outside: prepare it, start its supervisor, tell how the run stands, ask it to stop.

The supervisor writes these files, this module reads them and decides nothing: what a lost run means, when to start one,
how its output is read, is the agent's. Everything blocks, but for milliseconds only; the standard library is enough.
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from pipelines.execution import cgroup, processes, supervisor

# The shell leaves at once, so the supervisor is an orphan from the first moment and whoever is process 1 collects it.
ROOM = 4096  # bytes
FOLLOWED_ROOM = "followed.room"  # for whoever reads the output
ORPHAN = '"$@" </dev/null >/dev/null 2>&1 &'


class RunState(StrEnum):
    """How a run stands. Only `absent` may be started; `lost` is `unsupervised` once its last process has ended."""

    ABSENT = "absent"
    RUNNING = "running"
    EXITED = "exited"
    LOST = "lost"
    UNSUPERVISED = "unsupervised"


class Why(StrEnum):
    """What ended a run; `spawn` means that its script never began."""

    EXIT = "exit"
    TIMEOUT = "timeout"
    SILENCE = "silence"
    ABORT = "abort"
    SPAWN = "spawn"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one script may take; None is as much as the bot itself may. `memory` is in bytes and holds for each process,
    `files` for each process, `processes` for all that the bot's user runs, and for root not at all. `no_new_privs`:
    nothing in it gets more rights than the bot has, so no sudo."""

    memory: int | None = None
    processes: int | None = None
    files: int | None = None
    no_new_privs: bool = False


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What to run. `env` is all of the script's environment; `timeout`, `silence` and `grace` are in seconds."""

    argv: Sequence[str]
    cwd: str
    env: Mapping[str, str] = field(repr=False)  # it may hold secrets
    stdin: str | None = None
    timeout: float | None = None
    silence: float | None = None
    grace: float = 10
    detach: bool = False
    limits: Limits = Limits()


@dataclass(frozen=True, kw_only=True)
class Started:
    """Who runs it: the supervisor's process, the script's session; starts in clock ticks since boot (None on macOS)."""

    pid: int
    start: int | None
    session: int
    script_start: int | None
    boot_id: str | None
    at: datetime
    cgroup: str = ""


@dataclass(frozen=True, kw_only=True)
class Exit:
    """How it ended: `rc` or `signal` of the script (neither: it never began, or could not be ended), one sentence of
    detail, how long it took in seconds, how many processes besides the script's first had to be ended, and the ids of
    those that could not be.
    """

    rc: int | None
    signal: int | None
    why: Why
    detail: str
    at: datetime
    seconds: float
    ended: int
    left: str = ""


def prepare(run_dir: Path, spec: Spec) -> None:
    """Makes the folder and writes `spec.json`, both for our eyes only: the environment may hold secrets. What we and
    the supervisor will write has its place on the disk then, so a full one is met here. Raises OSError.
    """
    run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    rooms = {"lock": 0, "out": 0, **dict.fromkeys((supervisor.STARTED_ROOM, supervisor.EXIT_ROOM, FOLLOWED_ROOM), ROOM)}
    for name, size in rooms.items():
        with os.fdopen(os.open(run_dir / name, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(bytes(size))
    supervisor.record(str(run_dir), "spec.json", json.dumps(asdict(spec)))


def spawn(run_dir: Path) -> None:
    """Starts the supervisor of a prepared folder, detached from this process, and does not wait for the script.

    Harmless to repeat: of any number of supervisors one starts the script. OSError or CalledProcessError: no process
    could be started.
    """
    argv = [sys.executable, "-I", "-S", supervisor.__file__, str(run_dir.absolute())]
    env = {"PATH": os.defpath, "LANG": "C.UTF-8"}
    null = subprocess.DEVNULL
    subprocess.run(
        ["/bin/sh", "-c", ORPHAN, "sh", *argv],
        stdin=null, stdout=null, stderr=null, cwd="/", env=env, start_new_session=True, check=True,
    )  # fmt: skip


def read_started(run_dir: Path) -> Started | None:
    facts = _read(run_dir / "started")
    return Started(**facts) if facts else None


def read_exit(run_dir: Path) -> Exit | None:
    facts = _read(run_dir / "exit")
    return Exit(**facts | {"why": Why(facts["why"])}) if facts else None


def last_sign(run_dir: Path) -> datetime | None:
    """When a run that has begun was last seen to live: its start, or the last it printed."""
    started = read_started(run_dir)
    try:
        printed = datetime.fromtimestamp((run_dir / "out").stat().st_mtime, UTC)
    except FileNotFoundError:
        return started.at if started else None
    return max(started.at, printed) if started else printed


def state(run_dir: Path, *, detach: bool = False) -> RunState:
    """How the run stands now. The lock is tried only once the run has started, so that no supervisor finds it taken.
    Of a script that leaves processes behind on purpose (`detach`) only its first tells that it still runs.
    """
    if (run_dir / "exit").exists():
        return RunState.EXITED
    started = read_started(run_dir)
    if started is None:
        return RunState.ABSENT
    if _locked(run_dir):
        return RunState.RUNNING
    if (run_dir / "exit").exists():  # written between the two looks: the lock falls only after it
        return RunState.EXITED
    members = _members(run_dir, started)
    alive = any(member.pid == started.session for member in members) if detach else members
    return RunState.UNSUPERVISED if alive else RunState.LOST


def rebooted(run_dir: Path) -> bool:
    """Whether the machine, or the container, was restarted since the run started: nothing of it can live."""
    started = read_started(run_dir)
    return started is not None and started.boot_id != processes.boot_id()


def request_stop(run_dir: Path, *, force: bool = False) -> bool:
    """Asks for the end of the run; False when there was nothing to ask.

    A running one is asked by way of its supervisor, which ends the whole tree. The processes of an unsupervised one are
    signalled themselves (`force`: killed). One that has not started never will.
    """
    match state(run_dir):
        case RunState.ABSENT:
            return forbid(run_dir) or request_stop(run_dir, force=force)
        case RunState.RUNNING:
            return _ask(read_started(run_dir))
        case RunState.UNSUPERVISED:
            return _end_all(run_dir, signal.SIGKILL if force else signal.SIGTERM)
        case RunState.EXITED | RunState.LOST:
            return False


def _read(path: Path) -> dict[str, Any] | None:
    try:
        facts: dict[str, Any] = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    return facts | {"at": datetime.fromtimestamp(facts["at"], UTC)}


def _locked(run_dir: Path) -> bool:
    try:
        with (run_dir / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def _members(run_dir: Path, started: Started) -> list[processes.Process]:
    """The living processes of the script: those of its session, unless the id is another's by now, those in its cgroup,
    and those that were started with the run folder in their environment. None after a restart of the machine.
    """
    first = started.script_start
    if not started.session or first is None or started.boot_id != processes.boot_id():
        return []
    leader = processes.process(started.session)
    session = started.session if leader is None or leader.start == first else None
    mark = f"={run_dir.absolute()}{os.sep}".encode()
    group = cgroup.members(started.cgroup) if started.cgroup else frozenset()
    later = [found for found in processes.processes() if found.alive and found.start >= first]
    ours = [found for found in later if found.session == session or found.pid in group]
    return ours + [found for found in later if found not in ours and mark in processes.environment(found.pid)]


def _ask(started: Started | None) -> bool:
    if started is None or not started.pid or started.boot_id != processes.boot_id():
        return False
    told = processes.send(started.pid, started.start, signal.SIGTERM)
    processes.send(started.pid, started.start, signal.SIGCONT)  # whoever stopped it: it has something to do
    return told


def _end_all(run_dir: Path, number: int) -> bool:
    started = read_started(run_dir)
    members = _members(run_dir, started) if started else []
    if started and members and number == signal.SIGKILL:
        cgroup.kill(started.cgroup)
    told = [processes.send(member.pid, member.start, number) for member in members]
    for member in members:
        processes.send(member.pid, member.start, signal.SIGCONT)
    return any(told)


def forbid(run_dir: Path) -> bool:
    """Takes the one right to start, and writes an end; False when a supervisor was faster. Makes the folder. Raises
    OSError: the right was not taken.
    """
    run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    at = datetime.now(UTC).timestamp()
    nobody = {"pid": 0, "start": None, "session": 0, "script_start": None, "boot_id": None, "at": at}
    try:
        supervisor.record(str(run_dir), "started", json.dumps(nobody), once=True)
    except FileExistsError:
        return False
    end = {"rc": None, "signal": None, "why": Why.ABORT, "detail": "was stopped before it began", "at": at}
    supervisor.record(str(run_dir), "exit", json.dumps(end | {"seconds": 0.0, "ended": 0}))
    return True
