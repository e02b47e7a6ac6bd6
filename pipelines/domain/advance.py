"""What happens next in a running deploy: `advance(deploy, room, now)` gives actions; the engine carries them out.

Forward: stage by stage, checks tried again, until every step is good. On trouble (a failed step, an abort, the
deploy's time over): stop what runs, start nothing new, give traffic back to what still runs the old version, look
what runs where, close. A step whose end nobody can know waits for a person; so does all that could have been started
long ago and was not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipelines.domain.deploy import BAD, Deploy, StepRun
from pipelines.domain.events import Outcome, Progress
from pipelines.domain.lateness import late_since
from pipelines.domain.plan import Making, Step, Verb, status
from pipelines.domain.recipe import OnLost
from pipelines.domain.room import Room, Traffic
from pipelines.domain.strategies import numbered, route_step, table

RECOVERY_STAGE = 10_000


@dataclass(frozen=True, kw_only=True)
class Start:
    """Claim this attempt of a step: whoever carries it out starts it at most once."""

    step: Step
    attempt: int


@dataclass(frozen=True, kw_only=True)
class Stop:
    """End the script of this attempt, with all its processes."""

    step: str
    attempt: int


@dataclass(frozen=True, kw_only=True)
class Hold:
    """Ask a person whether this step, which could have been started at `since`, still shall be."""

    step: str
    since: datetime


@dataclass(frozen=True, kw_only=True)
class Expire:
    """The deploy's own time is over."""


@dataclass(frozen=True, kw_only=True)
class Recover:
    steps: tuple[Step, ...]


@dataclass(frozen=True, kw_only=True)
class Close:
    outcome: Outcome
    why: str = ""


Action = Start | Stop | Hold | Expire | Recover | Close


def advance(deploy: Deploy, room: Room, now: datetime) -> tuple[Action, ...]:
    """What to do now; nothing means wait: for a running step, for time to pass, or for a person."""
    actions = () if deploy.outcome is not None else _next(deploy, room, now)
    starts = [action for action in actions if isinstance(action, Start)]
    since = late_since(deploy, now)
    if not starts or (deploy.held is None and since is None):
        return actions
    others = tuple(action for action in actions if not isinstance(action, Start))
    if deploy.held is not None or since is None:
        return others
    return (*others, Hold(step=starts[0].step.id, since=since))


def _next(deploy: Deploy, room: Room, now: datetime) -> tuple[Action, ...]:
    """What would be done if nothing were late."""
    if (why := trouble(deploy)) is None:
        expires = expires_at(deploy)
        if expires is not None and now >= expires and not finished(deploy):
            return (Expire(),)
        return _forward(deploy)
    if stops := tuple(Stop(step=step.id, attempt=run.attempt) for step, run in deploy.going() if _of_plan(step)):
        return stops
    if deploy.recovery is None:
        return (Recover(steps=recovery(deploy, room)),)
    starts = _next_recovery(deploy)
    if starts is not None:
        return starts
    outcome = Outcome.ABORTED if deploy.abort else Outcome.FAILED
    return (Close(outcome=outcome, why=why),)


def expires_at(deploy: Deploy) -> datetime | None:
    seconds = deploy.plan.recipe.timeout
    return None if seconds is None or trouble(deploy) else deploy.at + timedelta(seconds=seconds)


def finished(deploy: Deploy) -> bool:
    return all(_good(deploy.runs.get(step.id)) for step in deploy.plan.steps)


def trouble(deploy: Deploy) -> str | None:
    """Why this deploy goes no further, as one clause; None while all is well."""
    if deploy.abort is not None:
        return f"aborted by {deploy.abort.by.name}"
    for step in deploy.plan.steps:
        run = deploy.runs.get(step.id)
        if run is not None and run.progress in BAD and not _may_repeat(step, run):
            return f"{step.label} {run.detail}".strip()
    if deploy.expired:
        return f"took longer than {deploy.plan.recipe.timeout:g} s"
    return None


def _may_repeat(step: Step, run: StepRun) -> bool:
    return run.progress in (Progress.FAILED, Progress.TIMED_OUT) and run.attempt <= step.retries


def _good(run: StepRun | None) -> bool:
    return run is not None and run.progress is Progress.OK


def _of_plan(step: Step) -> bool:
    return step.stage < RECOVERY_STAGE


def _forward(deploy: Deploy) -> tuple[Action, ...]:
    pending = [step for step in deploy.plan.steps if not _good(deploy.runs.get(step.id))]
    if not pending:
        return (Close(outcome=Outcome.LIVE),)
    stage = min(step.stage for step in pending)
    return tuple(action for step in pending if step.stage == stage for action in _step(deploy, step))


def _step(deploy: Deploy, step: Step) -> Iterator[Action]:
    run = deploy.runs.get(step.id)
    if run is None:
        yield Start(step=step, attempt=1)
        return
    match run.progress:
        case Progress.FAILED | Progress.TIMED_OUT | Progress.MISSED:
            yield Start(step=step, attempt=run.attempt + 1)
        case Progress.LOST if step.on_lost is OnLost.RERUN or run.answer == "again":
            yield Start(step=step, attempt=run.attempt + 1)
        case Progress.UNSUPERVISED if run.answer == "stop":
            yield Stop(step=step.id, attempt=run.attempt)
        case _:
            return


def recovery(deploy: Deploy, room: Room) -> tuple[Step, ...]:
    """Traffic to the targets that still run the old version, where that is not so already; then a look at each."""
    plan = deploy.plan
    making = Making(
        service=plan.service,
        environment=plan.environment,
        version=plan.version,
        commit=plan.commit,
        recipe=plan.recipe,
        regions=plan.regions,
    )
    stages: list[list[Step]] = []
    routed = [s for s in plan.steps if s.verb is Verb.ROUTE and s.id in deploy.runs]
    old = untouched(deploy, room)
    if routed and old and set(old) != set(in_traffic(plan.targets, room)):
        stages.append([route_step(making, table(plan.targets, old))])
    if touched(deploy):
        looks = [look for name in plan.targets if (look := status(making, name, expect=False)) is not None]
        stages += [looks] if looks else []
    return numbered(stages, first=RECOVERY_STAGE, prefix="r")


def touched(deploy: Deploy) -> tuple[str, ...]:
    """The targets on which this deploy began to change something."""
    verbs = (Verb.DEPLOY, Verb.STOP)
    begun = {s.target for s in deploy.plan.steps if s.verb in verbs and s.id in deploy.runs}
    return tuple(name for name in deploy.plan.targets if name in begun)


def untouched(deploy: Deploy, room: Room) -> tuple[str, ...]:
    """The targets that still run what ran before and are not out of traffic."""
    changed = touched(deploy)
    known = room.targets
    return tuple(
        name
        for name in deploy.plan.targets
        if name not in changed and not (name in known and known[name].traffic is Traffic.OUT)
    )


def in_traffic(names: tuple[str, ...], room: Room) -> tuple[str, ...]:
    return tuple(n for n in names if n not in room.targets or room.targets[n].traffic is not Traffic.OUT)


def _next_recovery(deploy: Deploy) -> tuple[Action, ...] | None:
    """The next steps of the recovery, () while some run, None when it is over. A step that fails here stops nothing."""
    open_steps = [step for step in deploy.recovery or () if not _over(deploy.runs.get(step.id))]
    if not open_steps:
        return None
    stage = min(step.stage for step in open_steps)
    return tuple(
        Start(step=step, attempt=run.attempt + 1 if run else 1)
        for step in open_steps
        if step.stage == stage and ((run := deploy.runs.get(step.id)) is None or run.progress is Progress.MISSED)
    )


def _over(run: StepRun | None) -> bool:
    return run is not None and run.ended is not None and run.progress is not Progress.MISSED
