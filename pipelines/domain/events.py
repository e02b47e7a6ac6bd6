"""What happened: the journal's entries as values. Each belongs to a stream: a room's, or `front`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from pipelines.domain.commands import Button, Choice, Command, Pin
from pipelines.domain.model import Person
from pipelines.domain.plan import Plan, Step
from pipelines.domain.recipe import Recipe
from pipelines.domain.refusals import Refusal
from pipelines.domain.room import Live


class Purpose(StrEnum):
    DEPLOY = "deploy"
    ROLLBACK = "rollback"


class Progress(StrEnum):
    """How far one attempt of a step is. `LOST`: it was started and nobody can know how it ended. `UNSUPERVISED`:
    the script lives, its supervisor does not. `MISSED`: it was not begun in time, and never will be."""

    RUNNING = "running"
    OK = "ok"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    ABORTED = "aborted"
    LOST = "lost"
    UNSUPERVISED = "unsupervised"
    MISSED = "missed"


class Outcome(StrEnum):
    LIVE = "live"
    FAILED = "failed"
    ABORTED = "aborted"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a command was typed and where answers go. `surface` is `slack` or `terminal`; `channel` is where the
    deploy's message belongs (None: nowhere), `reply` how the door reaches the person in private."""

    surface: str = "terminal"
    channel: str | None = None
    thread: str | None = None
    reply: str | None = None


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a target says it runs: `line` is the first line of its answer, `version` and `commit` what that was
    found to mean in the repository, where it was looked up. An empty line: it did not say, `detail` tells why."""

    line: str = ""
    version: str | None = None
    commit: str | None = None
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Changes:
    """The commits between what is live and what is asked: how many, by whom, the newest subjects first. `behind` is
    how many commits of what is live the new version lacks; `stale` is when the repository was last reached."""

    count: int = 0
    behind: int = 0
    authors: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    stale: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Asked:
    kind: Literal["asked"] = "asked"
    ask: str
    key: str
    command: Command
    by: Person
    place: Place


@dataclass(frozen=True, kw_only=True)
class Misread:
    kind: Literal["misread"] = "misread"
    text: str
    by: Person


@dataclass(frozen=True, kw_only=True)
class Refused:
    kind: Literal["refused"] = "refused"
    ask: str
    command: Command
    by: Person
    refusal: Refusal


@dataclass(frozen=True, kw_only=True)
class Found:
    """`status` told what the targets run, before this room's first deploy."""

    kind: Literal["found"] = "found"
    reports: Mapping[str, Report]


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A deploy was accepted; its workflow is enqueued in the same transaction. `left` is the version that a rollback
    goes back from when that one never came to be live. `since` is when it could have begun, where that was before."""

    kind: Literal["planned"] = "planned"
    deploy: str
    ask: str
    purpose: Purpose
    plan: Plan
    fence: int
    by: Person
    place: Place
    because: str = ""
    replaces: Live | None = None
    left: str = ""
    changes: Changes = field(default_factory=Changes)
    button: Button | None = None
    retry_of: str | None = None
    attempt: int = 1
    since: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class StepStarted:
    kind: Literal["step_started"] = "step_started"
    deploy: str
    step: str
    attempt: int


@dataclass(frozen=True, kw_only=True)
class StepEnded:
    """`detail` is one plain clause: `exited 1`, `answered 500`. `report` is what `status` said. `ended` is when it
    really ended, where that is known: nobody may have been there to see it."""

    kind: Literal["step_ended"] = "step_ended"
    deploy: str
    step: str
    attempt: int
    progress: Progress
    detail: str = ""
    report: Report | None = None
    ended: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class StepAnswered:
    kind: Literal["step_answered"] = "step_answered"
    deploy: str
    step: str
    choice: Choice
    by: Person
    button: Button | None = None


@dataclass(frozen=True, kw_only=True)
class Held:
    """This step could have been started at `since`, and nobody was there to do it: whether it still shall be, a person
    must say."""

    kind: Literal["held"] = "held"
    deploy: str
    step: str
    since: datetime


@dataclass(frozen=True, kw_only=True)
class WentOn:
    """Somebody said that a deploy which was held shall go on."""

    kind: Literal["went_on"] = "went_on"
    deploy: str
    ask: str
    by: Person
    button: Button | None = None


@dataclass(frozen=True, kw_only=True)
class Then:
    """The rollback that follows an abort: everything it needs, gathered when it was asked for."""

    version: str
    commit: str
    digest: str
    recipe: Recipe
    ask: str
    deploy: str
    by: Person
    place: Place
    because: str = ""


@dataclass(frozen=True, kw_only=True)
class AbortAsked:
    kind: Literal["abort_asked"] = "abort_asked"
    deploy: str
    ask: str
    by: Person
    because: str = ""
    then: Then | None = None
    button: Button | None = None


@dataclass(frozen=True, kw_only=True)
class Expired:
    """The deploy took longer than `timeout` in its deploy.yml."""

    kind: Literal["expired"] = "expired"
    deploy: str


@dataclass(frozen=True, kw_only=True)
class Stumbled:
    """Shipmate itself broke, so the deploy stands still; `error` is the id that the log has. Empty: it goes on."""

    kind: Literal["stumbled"] = "stumbled"
    deploy: str
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Recovering:
    """After an abort or a failure: what is done so that what still runs serves, and what is learned of the rest."""

    kind: Literal["recovering"] = "recovering"
    deploy: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, kw_only=True)
class Closed:
    kind: Literal["closed"] = "closed"
    deploy: str
    outcome: Outcome
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Superseded:
    """Another deploy went live in the room of this one."""

    kind: Literal["superseded"] = "superseded"
    deploy: str
    version: str
    by: Person


Event = (
    Asked
    | Misread
    | Refused
    | Found
    | Planned
    | StepStarted
    | StepEnded
    | StepAnswered
    | Held
    | WentOn
    | AbortAsked
    | Expired
    | Stumbled
    | Recovering
    | Closed
    | Superseded
)

FRONT = "front"

__all__ = ["FRONT", "Button", "Event", "Pin"]
