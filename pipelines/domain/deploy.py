"""A deploy as last known: one plan, how far each of its steps is, how it ended. `fold` keeps it true."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pipelines.domain.commands import Pin
from pipelines.domain.events import AbortAsked, Changes, Held, Outcome, Place, Progress, Purpose
from pipelines.domain.model import Person
from pipelines.domain.plan import Plan, Step, Verb
from pipelines.domain.room import Live, TargetState

GOING = frozenset({Progress.RUNNING, Progress.UNSUPERVISED})
BAD = frozenset({Progress.FAILED, Progress.TIMED_OUT, Progress.ABORTED})


@dataclass(frozen=True, kw_only=True)
class StepRun:
    attempt: int
    progress: Progress
    started: datetime
    ended: datetime | None = None
    detail: str = ""
    answer: str = ""  # what a person said of it: again, worked, wait, stop


@dataclass(frozen=True, kw_only=True)
class Used:
    """A button's effect happened: who did it."""

    by: Person
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Deploy:
    """`seq` is the room's number of the last event that touched it: what a painter compares. `now_runs` is what its
    targets were known to run when it ended. `ready` is when what comes next could be started, `held` says that this
    was too long ago to do it unasked, `went_on` who said that it still shall be."""

    id: str
    ask: str
    purpose: Purpose
    plan: Plan
    fence: int
    by: Person
    place: Place
    at: datetime
    seq: int
    because: str = ""
    replaces: Live | None = None
    replaces_since: datetime | None = None
    left: str = ""
    changes: Changes = field(default_factory=Changes)
    retry_of: str | None = None
    attempt: int = 1
    runs: Mapping[str, StepRun] = field(default_factory=dict)
    recovery: tuple[Step, ...] | None = None
    abort: AbortAsked | None = None
    ready: datetime | None = None
    held: Held | None = None
    went_on: Used | None = None
    expired: bool = False
    outcome: Outcome | None = None
    why: str = ""
    ended: datetime | None = None
    now_runs: Mapping[str, TargetState] = field(default_factory=dict)
    rollback: Pin | None = None
    superseded: Used | None = None
    superseded_by: str = ""
    retried_by: str | None = None
    used: Mapping[str, Used] = field(default_factory=dict)

    @property
    def room(self) -> str:
        return f"{self.plan.service}/{self.plan.environment}"

    @property
    def steps(self) -> tuple[Step, ...]:
        return self.plan.steps + (self.recovery or ())

    def step(self, step_id: str) -> Step:
        """Raises KeyError for an id that is not of this deploy."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise KeyError(step_id)

    def going(self) -> Iterator[tuple[Step, StepRun]]:
        """The steps whose scripts may be alive at this moment."""
        for step in self.steps:
            run = self.runs.get(step.id)
            if run is not None and run.progress in GOING:
                yield step, run

    def lost(self) -> tuple[Step, StepRun] | None:
        """The step whose end nobody can know and no person answered for yet (lost, or running unsupervised). To abort
        is an answer too."""
        for step in self.steps if self.abort is None and self.outcome is None else ():
            run = self.runs.get(step.id)
            if run is not None and run.progress in (Progress.LOST, Progress.UNSUPERVISED) and not run.answer:
                return step, run
        return None

    def waits(self) -> bool:
        """Nothing goes on before a person answers."""
        return self.lost() is not None or (self.held is not None and self.outcome is None)

    @property
    def changed_something(self) -> bool:
        """True once a step that changes a target, its traffic or the environment was started."""
        return any(step.id in self.runs for step in self.plan.steps if step.verb is not Verb.STATUS)
