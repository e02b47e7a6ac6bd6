"""Scripts and their supervisors on the simulated host: what `pipelines.execution.rundir` is to the agent.

Run folders are real, so output is followed as ever; who runs in them is drawn. They outlive the bot; a reboot ends all.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from pipelines.execution.rundir import Exit, RunState, Spec, Started, Why
from tests.simulation.agenda import Agenda
from tests.simulation.chance import Chance, Course, Mix

UNBORN = "no more processes"
TROUBLES = {
    Course.BADLY: 4.0,
    Course.NEVER: 1.5,
    Course.STUBBORN: 1.0,
    Course.LOST: 1.5,
    Course.ORPHAN: 1.0,
    Course.UNBORN: 0.3,
}


@dataclass(kw_only=True)
class Run:
    """One run folder. `alive`: the script is; `supervised`: so is its supervisor."""

    folder: Path
    spec: Spec
    course: Course = Course.WELL
    spawned: bool = False
    started: bool = False
    alive: bool = False
    supervised: bool = False
    told_to_end: bool = False
    exit: Exit | None = None

    @property
    def env(self) -> dict[str, str]:
        return dict(self.spec.env)

    @property
    def name(self) -> str:
        return f"{self.folder.parent.name}/{self.folder.name}"

    @property
    def deploy(self) -> str:
        return self.folder.parent.name

    @property
    def room(self) -> str:
        return f"{self.env['SERVICE']}/{self.env['ENVIRONMENT']}"

    @property
    def verb(self) -> str:
        return self.spec.argv[0].rsplit("/", 1)[1].removesuffix(".sh")


class Watcher(Protocol):
    """Who is told when scripts begin, and what happens to them."""

    def begins(self, run: Run) -> None: ...

    def note(self, line: str) -> None: ...


@dataclass
class SimulatedRuns:
    """`installed` is what each target really runs: version and commit."""

    agenda: Agenda
    chance: Chance
    mix: Mix
    clock: Callable[[], datetime]
    watcher: Watcher
    healed: bool = False
    runs: dict[Path, Run] = field(default_factory=dict)
    installed: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)

    def alive(self) -> list[Run]:
        return [run for run in self.runs.values() if run.alive]

    def reboot(self) -> None:
        """The host goes down: everything that runs on it ends at once."""
        for run in self.runs.values():
            run.alive = run.supervised = False
            run.spawned = run.started  # a supervisor that did not begin yet never will

    def prepare(self, run_dir: Path, spec: Spec) -> None:
        run_dir.mkdir(parents=True, exist_ok=True)
        (run_dir / "spec.json").write_text("{}")
        self.runs.setdefault(run_dir, Run(folder=run_dir, spec=spec))

    def spawn(self, run_dir: Path) -> None:
        """Raises OSError. Of several supervisors one starts the script."""
        run = self.runs[run_dir]
        course = self._course()
        if course is Course.UNBORN:
            raise OSError(UNBORN)
        if not run.spawned and run.exit is None:
            run.course = course
        run.spawned = True
        if not self.healed and self.chance.likely(self.mix.stillborn):
            self.watcher.note(f"script     {run.name} has a supervisor that dies before it begins")
            return
        self.agenda.after(self.chance.between(0.0, 0.1), partial(self._begin, run))

    def _course(self) -> Course:
        if self.healed or not self.chance.likely(self.mix.scripts):
            return Course.WELL
        return self.chance.weighted(TROUBLES)

    def _begin(self, run: Run) -> None:
        if run.started or run.exit is not None or not run.spawned:
            return
        run.started = run.alive = run.supervised = True
        (run.folder / "started").touch()
        self.watcher.begins(run)
        if run.verb != "status":  # what it prints first is its answer
            self._print(run, f"{run.verb} begins\n")
        match run.course:
            case Course.WELL | Course.BADLY:
                self.agenda.after(self._duration(), partial(self._end, run))
            case Course.NEVER | Course.STUBBORN:
                self.agenda.after(run.spec.timeout or 900.0, partial(self._out_of_time, run))
            case Course.LOST:
                self.agenda.after(self._duration(), partial(self._die, run))
            case _:
                self.agenda.after(self._duration(), partial(self._orphan, run))

    def _duration(self) -> float:
        return self.chance.between(0.02, 0.5) if self.chance.likely(0.7) else self.chance.between(0.5, 6.0)

    def _print(self, run: Run, text: str) -> None:
        with (run.folder / "out").open("a") as out:
            out.write(text)

    def _end(self, run: Run) -> None:
        if not run.alive:
            return
        if run.course is not Course.BADLY:
            self._work(run)
        self._over(run, why=Why.EXIT, rc=1 if run.course is Course.BADLY else 0)

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

    def _over(self, run: Run, *, why: Why, rc: int | None = None) -> None:
        """The script is over, and its supervisor, where there is one, wrote down how."""
        run.alive = False
        if run.supervised:
            run.exit = self._exit(why, rc)
            run.supervised = False
        self.watcher.note(f"script     {run.name} {run.verb} is over: {why}{'' if rc is None else f' {rc}'}")

    def _exit(self, why: Why, rc: int | None = None) -> Exit:
        return Exit(rc=rc, signal=None, why=why, detail="", at=self.clock(), seconds=1.0, ended=0)

    def _out_of_time(self, run: Run) -> None:
        if run.alive and run.supervised:
            self._over(run, why=Why.TIMEOUT)

    def _die(self, run: Run) -> None:
        if run.alive:
            run.alive = run.supervised = False
            self.watcher.note(f"script     {run.name} {run.verb} dies with its supervisor")

    def _orphan(self, run: Run) -> None:
        if run.alive:
            run.supervised = False
            self.watcher.note(f"script     {run.name} {run.verb} lost its supervisor")
            self.agenda.after(self.chance.between(1.0, 40.0), partial(self._end, run))

    def state(self, run_dir: Path, *, detach: bool = False) -> RunState:
        run = self.runs.get(run_dir)
        if run is None:
            return RunState.ABSENT
        if run.exit is not None:
            return RunState.EXITED
        if not run.started:
            return RunState.ABSENT
        if run.supervised:
            return RunState.RUNNING
        return RunState.UNSUPERVISED if run.alive else RunState.LOST

    def read_exit(self, run_dir: Path) -> Exit | None:
        run = self.runs.get(run_dir)
        return run.exit if run else None

    def read_started(self, run_dir: Path) -> Started | None:
        run = self.runs.get(run_dir)
        if run is None or not (run.started or run.exit):
            return None
        session = 1 if run.started else 0
        return Started(pid=session, start=1, session=session, script_start=1, boot_id="", at=self.clock())

    def rebooted(self, _run_dir: Path) -> bool:
        return False

    def forbid(self, run_dir: Path) -> bool:
        """Raises OSError where there is no folder."""
        (run_dir / "forbidden").touch()
        run = self.runs.setdefault(run_dir, Run(folder=run_dir, spec=Spec(argv=["-"], cwd="", env={})))
        if run.started or run.exit is not None:
            return False
        run.exit = self._exit(Why.ABORT)
        return True

    def request_stop(self, run_dir: Path, *, force: bool = False) -> bool:
        match self.state(run_dir):
            case RunState.ABSENT:
                return self.forbid(run_dir)
            case RunState.RUNNING | RunState.UNSUPERVISED:
                self._tell_to_end(self.runs[run_dir], force=force)
                return True
            case RunState.EXITED | RunState.LOST:
                return False

    def _tell_to_end(self, run: Run, *, force: bool) -> None:
        if run.told_to_end and not force:
            return
        run.told_to_end = True
        patient = run.course is Course.STUBBORN and not force
        wait = run.spec.grace if patient and run.supervised else self.chance.between(0.0, 0.5)
        if not (patient and not run.supervised):  # nobody is there to follow up with KILL
            self.agenda.after(wait, partial(self._ended, run))

    def _ended(self, run: Run) -> None:
        if run.alive:
            self._over(run, why=Why.ABORT)
