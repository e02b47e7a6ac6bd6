"""A deploy as last known: one plan, how far each of its steps is, how it ended. `fold` keeps it true."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pipelines.domain.commands import Choice, Pin
from pipelines.domain.events import AbortAsked, Changes, Held, Outcome, Place, Progress, Purpose
from pipelines.domain.model import Person
from pipelines.domain.plan import Plan, Step, Verb
from pipelines.domain.recipe import OnLost
from pipelines.domain.room import Live, TargetState

GOING = frozenset({Progress.RUNNING, Progress.UNSUPERVISED})
BAD = frozenset({Progress.FAILED, Progress.TIMED_OUT, Progress.ABORTED})
RERUNS = 3  # how often `on_lost: rerun` runs a step again by itself before a person is asked all the same


@dataclass(frozen=True, kw_only=True)
class StepRun:
    attempt: int
    progress: Progress
    started: datetime
    ended: datetime | None = None
    detail: str = ""
    answer: str = ""  # what a person said of it: a `Choice`, or `left` when the deploy was aborted instead


@dataclass(frozen=True, kw_only=True)
class Used:
    """A button's effect happened, or a question was answered: who did it, and what they chose."""

    by: Person
    at: datetime
    choice: Choice | Literal[""] = ""


@dataclass(frozen=True, kw_only=True)
class Deploy:
    """`seq` is the room's number of the last event that touched it: what a painter compares. `now_runs` is what its
    targets were known to run when it ended; `followed`: another deploy was planned after it. `condemned` are the good
    versions that it, a rollback, goes back from; `last_before` is the commit of the room's deploy before it. `answered`
    is when a person last answered: from then on its time is counted anew. `ready` is when what comes next could be
    started, `held` says that this was too long ago to do it unasked, `went_on` who said that it still shall be."""

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
    answered: datetime | None = None
    stumbled: str = ""  # while it stands still because Shipmate itself broke: the id of the error
    outcome: Outcome | None = None
    why: str = ""
    ended: datetime | None = None
    now_runs: Mapping[str, TargetState] = field(default_factory=dict)
    rollback: Pin | None = None
    superseded: Used | None = None
    superseded_by: str = ""
    retried_by: str | None = None
    followed: bool = False
    condemned: tuple[str, ...] = ()
    last_before: str | None = None
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

    @property
    def trouble(self) -> str | None:
        """Why this deploy goes no further, as one clause; None while all is well."""
        if self.abort is not None:
            return f"aborted by {self.abort.by.name}"
        if self.expired:  # before the steps that were ended because of it
            return f"took longer than {self.plan.recipe.timeout:g} s"
        for step in self.plan.steps:
            run = self.runs.get(step.id)
            if run is not None and run.progress in BAD and not may_repeat(step, run):
                return f"{step.label} {run.detail}".strip()
        return None

    def lost(self) -> tuple[Step, StepRun] | None:
        """The step that a person is asked about: nobody can know its end, or its script runs without a supervisor."""
        for step in self.steps:
            run = self.runs.get(step.id)
            if run is not None and self.choices(step, run):
                return step, run
        return None

    def waits(self) -> bool:
        """Nothing goes on before a person answers."""
        return self.lost() is not None or (self.held is not None and self.outcome is None)

    def choices(self, step: Step, run: StepRun) -> tuple[Choice, ...]:
        """What a person may answer for a step now, beside Roll back and Abort; nothing: nobody is asked.

        An abort answers for all steps of the plan, a rollback for those of the recovery too. Of a deploy that fails
        anyway nothing is run again, but how a step ended must be said before the room is free."""
        by_abort = self.abort is not None and (not step.recovers or self.abort.then is not None)
        if self.outcome is not None or by_abort:
            return ()
        fails = self.trouble is not None and not step.recovers
        match run.progress:
            case Progress.UNSUPERVISED if not run.answer and not fails:
                return ("wait", "stop")
            case Progress.LOST if fails and step.on_lost is OnLost.ASK and run.answer in ("", "again"):
                return ("worked",)
            case Progress.LOST if not fails and not run.answer and not runs_again(step, run):
                return ("again", "worked")
            case _:
                return ()

    @property
    def changed_something(self) -> bool:
        """True once a step that changes a target, its traffic or the environment was started."""
        return any(step.id in self.runs for step in self.plan.steps if step.verb is not Verb.STATUS)

    @property
    def touched_targets(self) -> bool:
        """True once a step that changes a target or its traffic was started."""
        touching = (Verb.DEPLOY, Verb.STOP, Verb.ROUTE)
        return any(step.id in self.runs for step in self.plan.steps if step.verb in touching)


def may_repeat(step: Step, run: StepRun) -> bool:
    """Whether a step that did not go well is tried again by itself."""
    return run.progress in (Progress.FAILED, Progress.TIMED_OUT) and run.attempt <= step.retries


def runs_again(step: Step, run: StepRun) -> bool:
    """Whether a lost step is run again: a person said so, or its recipe does, a few times."""
    by_recipe = step.on_lost is OnLost.RERUN and run.attempt <= step.retries + RERUNS
    return run.progress is Progress.LOST and (run.answer == "again" or (by_recipe and not run.answer))


def question(step: str, attempt: int, choice: Choice) -> str:
    """Names what is asked of one attempt, among what was used: it is answered once, by whatever button or word. Of a
    script that was waited for it may be asked later how it ended."""
    return f"{'alone' if choice in ('wait', 'stop') else 'lost'}_{step}_{attempt}"
