"""The host of the simulation: run folders are real, the processes in them are not.

`rundir` reads and writes its files as ever. What a supervisor writes is written from here, and `rundir` finds here the
processes that it looks for and signals. They outlive the bot; when the host goes down all of them end.
"""

import fcntl
import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

from pipelines.execution import supervisor
from tests.simulation.agenda import Agenda
from tests.simulation.chance import Chance, Course, Mix

TROUBLES = {
    Course.BADLY: 4.0,
    Course.NEVER: 1.5,
    Course.STUBBORN: 1.0,
    Course.LOST: 1.5,
    Course.ORPHAN: 1.0,
    Course.UNBORN: 0.3,
}
NO_TIMEOUT = 900.0


@dataclass(kw_only=True)
class Run:
    """A supervisor and its script. `lock` is its hold on the run folder while it lives."""

    folder: Path
    spec: dict[str, Any]
    course: Course
    supervisor: int
    script: int
    start: int = 0
    lock: int | None = None
    alive: bool = False
    told_to_end: bool = False

    @property
    def env(self) -> dict[str, str]:
        return dict(self.spec["env"])

    @property
    def deploy(self) -> str:
        return self.folder.parent.name

    @property
    def name(self) -> str:
        return f"{self.deploy}/{self.folder.name}"

    @property
    def room(self) -> str:
        return f"{self.env['SERVICE']}/{self.env['ENVIRONMENT']}"

    @property
    def verb(self) -> str:
        return str(self.spec["argv"][0]).rsplit("/", 1)[1].removesuffix(".sh")


class Watcher(Protocol):
    """Who is told when scripts begin, and what happens to them."""

    def begins(self, run: Run) -> None: ...

    def note(self, line: str) -> None: ...


@dataclass
class Host:
    """`installed` is what each target really runs: version and commit."""

    agenda: Agenda
    chance: Chance
    mix: Mix
    clock: Callable[[], datetime]
    watcher: Watcher
    healed: bool = False
    boot: int = 1
    runs: list[Run] = field(default_factory=list)
    installed: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)

    def alive(self) -> list[Run]:
        return [run for run in self.runs if run.alive]

    def go_down(self) -> None:
        """Everything that runs ends at once; the host is up again when the bot is."""
        self.boot += 1
        for run in self.runs:
            self._release(run)
            run.alive = False

    def spawn(self, run_dir: Path) -> None:
        """In the place of `rundir.spawn`. Raises OSError."""
        course = self._course()
        if course is Course.UNBORN:
            raise OSError("no more processes")
        spec = json.loads((run_dir / "spec.json").read_text()) if (run_dir / "spec.json").exists() else {}
        number = 1000 + 2 * len(self.runs)
        run = Run(folder=run_dir, spec=spec, course=course, supervisor=number, script=number + 1)
        self.runs.append(run)
        if not self.healed and self.chance.likely(self.mix.stillborn):
            self.watcher.note(f"script     {run.name} has a supervisor that dies before it begins")
            return
        self.agenda.after(self.chance.between(0.0, 0.1), partial(self._begin, run, self.boot))

    def _course(self) -> Course:
        if self.healed or not self.chance.likely(self.mix.scripts):
            return Course.WELL
        return self.chance.weighted(TROUBLES)

    def _begin(self, run: Run, boot: int) -> None:
        """What a supervisor does first: of several in a folder one starts the script."""
        if boot != self.boot:
            return
        run.lock = os.open(run.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(run.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            run.start = int(self.agenda.now * 100)
            supervisor.record(str(run.folder), "started", json.dumps(self._started(run)), once=True)
        except (BlockingIOError, FileExistsError):
            self._release(run)
            return
        run.alive = True
        self.watcher.begins(run)
        if run.verb != "status":  # what it prints first is its answer
            self._print(run, f"{run.verb} begins\n")
        self._goes(run)

    def _started(self, run: Run) -> dict[str, Any]:
        who = {"pid": run.supervisor, "start": run.start, "session": run.script, "script_start": run.start}
        return {**who, "boot_id": self.boot_id(), "at": self.clock().timestamp(), "cgroup": ""}

    def _goes(self, run: Run) -> None:
        match run.course:
            case Course.WELL | Course.BADLY:
                self.agenda.after(self._duration(), partial(self._end, run))
            case Course.NEVER | Course.STUBBORN:
                self.agenda.after(run.spec["timeout"] or NO_TIMEOUT, partial(self._out_of_time, run))
            case Course.LOST:
                self.agenda.after(self._duration(), partial(self._die, run))
            case _:
                self.agenda.after(self._duration(), partial(self._orphan, run))

    def _duration(self) -> float:
        return self.chance.between(0.02, 0.5) if self.chance.likely(0.7) else self.chance.between(0.5, 6.0)

    def _print(self, run: Run, text: str) -> None:
        out, now = run.folder / "out", self.clock().timestamp()
        with out.open("a") as file:
            file.write(text)
        os.utime(out, (now, now))

    def _end(self, run: Run) -> None:
        if not run.alive:
            return
        if run.course is not Course.BADLY:
            self._work(run)
        self._over(run, why="exit", rc=1 if run.course is Course.BADLY else 0)

    def _work(self, run: Run) -> None:
        target = (run.room, run.env["TARGET"])
        match run.verb:
            case "install":
                self.installed[target] = (run.env["VERSION"], run.env["COMMIT"])
                self._print(run, f"{run.env['VERSION']} is on {target[1]}\n")
            case "status":
                self._print(run, " ".join(self.installed.get(target, ("nothing",))) + "\n")
            case _:
                self._print(run, f"{run.verb} is done\n")

    def _over(self, run: Run, *, why: str, rc: int | None = None) -> None:
        """The script is over, and its supervisor, where there is one, writes down how."""
        run.alive = False
        if run.lock is not None:
            facts = {"rc": rc, "signal": None if rc is not None else 15, "why": why, "detail": "", "ended": 0}
            times = {"at": self.clock().timestamp(), "seconds": 1.0}
            supervisor.record(str(run.folder), "exit", json.dumps(facts | times))
            self._release(run)
        self.watcher.note(f"script     {run.name} {run.verb} is over: {why}{'' if rc is None else f' {rc}'}")

    def _release(self, run: Run) -> None:
        if run.lock is not None:
            os.close(run.lock)
            run.lock = None

    def _out_of_time(self, run: Run) -> None:
        if run.alive and run.lock is not None:
            self._over(run, why="timeout")

    def _die(self, run: Run) -> None:
        if run.alive:
            run.alive = False
            self._release(run)
            self.watcher.note(f"script     {run.name} {run.verb} dies with its supervisor")

    def _orphan(self, run: Run) -> None:
        if run.alive:
            self._release(run)
            self.watcher.note(f"script     {run.name} {run.verb} lost its supervisor")
            self.agenda.after(self.chance.between(1.0, 40.0), partial(self._end, run))

    def close(self) -> None:
        for run in self.runs:
            self._release(run)

    # In the place of the module `processes`, as far as `rundir` asks it.

    def boot_id(self) -> str:
        return f"boot {self.boot}"

    def process(self, pid: int) -> SimpleNamespace | None:
        return next((found for found in self.processes() if found.pid == pid), None)

    def processes(self) -> list[SimpleNamespace]:
        return [
            SimpleNamespace(pid=run.script, start=run.start, session=run.script, parent=1, alive=True)
            for run in self.alive()
        ]

    def environment(self, pid: int) -> bytes:
        return next((f"HOME={run.folder}/home".encode() for run in self.alive() if run.script == pid), b"")

    def send(self, pid: int, start: int | None, number: int) -> bool:
        for run in self.alive():
            supervised = run.lock is not None
            if pid == (run.supervisor if supervised else run.script) and start == run.start:
                self._signalled(run, number)
                return True
        return False

    def _signalled(self, run: Run, number: int) -> None:
        if number == signal.SIGKILL:
            self._told_to_end(run, self.chance.between(0.0, 0.1))
        elif number == signal.SIGTERM and not run.told_to_end:
            run.told_to_end = True
            if run.course is not Course.STUBBORN:
                self._told_to_end(run, self.chance.between(0.0, 0.5))
            elif run.lock is not None:  # its supervisor will kill it
                self._told_to_end(run, run.spec["grace"])

    def _told_to_end(self, run: Run, wait: float) -> None:
        self.agenda.after(wait, partial(self._ended, run))

    def _ended(self, run: Run) -> None:
        if run.alive:
            self._over(run, why="abort")
