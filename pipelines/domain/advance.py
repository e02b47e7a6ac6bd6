"""What happens next in a running deploy: `advance(deploy, room, now)` gives actions; the engine carries them out.

Forward: stage by stage, checks tried again, until every step is good. On trouble (a failed step, an abort, the
deploy's time over): stop what runs, start nothing new, give traffic back to what still runs the old version, look
what runs where, close. A step whose end nobody can know waits for a person: meanwhile no later stage begins, and
neither the deploy nor its time ends. What could have been started long ago, and was not, waits for a person too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipelines.domain.deploy import Deploy, StepRun, runs_again
from pipelines.domain.events import Outcome, Progress
from pipelines.domain.lateness import late_since
from pipelines.domain.plan import RECOVERY_STAGE, Making, Step, Verb, status
from pipelines.domain.room import Room, Traffic
from pipelines.domain.strategies import numbered, route_step, table


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
    if deploy.outcome is not None:
        return ()
    since = late_since(deploy, now)
    actions = _next(deploy, room, now, late=since is not None)
    starts = [action for action in actions if isinstance(action, Start)]
    if not starts or (deploy.held is None and since is None):
        return actions
    others = tuple(action for action in actions if not isinstance(action, Start))
    if deploy.held is not None or since is None:
        return others
    return (*others, Hold(step=starts[0].step.id, since=since))


def _next(deploy: Deploy, room: Room, now: datetime, *, late: bool) -> tuple[Action, ...]:
    """What would be done if nothing were held. `late`: a person is asked, who decides about the deploy's time too."""
    if (why := deploy.trouble) is None:
        expires, forward = expires_at(deploy), _forward(deploy)
        asks = late and any(isinstance(action, Start) for action in forward)
        if expires is not None and now >= expires and not finished(deploy) and not asks:
            return (Expire(),)
        return forward
    if stops := tuple(Stop(step=step.id, attempt=run.attempt) for step, run in deploy.going() if not step.recovers):
        return stops
    if (asked := deploy.lost()) is not None and not asked[0].recovers:
        return ()
    if deploy.recovery is None:
        return (Recover(steps=recovery(deploy, room)),)
    starts = _next_recovery(deploy)
    if starts is not None:
        return starts
    outcome = Outcome.ABORTED if deploy.abort else Outcome.FAILED
    return (Close(outcome=outcome, why=why),)


def expires_at(deploy: Deploy) -> datetime | None:
    """When the deploy's own time is over; None: never, or not while a person is asked."""
    seconds = deploy.plan.recipe.timeout
    if seconds is None or deploy.trouble or deploy.waits():
        return None
    return (deploy.answered or deploy.at) + timedelta(seconds=seconds)


def finished(deploy: Deploy) -> bool:
    return all(_good(deploy.runs.get(step.id)) for step in deploy.plan.steps)


def _good(run: StepRun | None) -> bool:
    return run is not None and run.progress is Progress.OK


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
        case Progress.LOST if runs_again(step, run):
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
    if routed and old and not _serve_alone(old, plan.targets, room):
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


def _serve_alone(old: tuple[str, ...], names: tuple[str, ...], room: Room) -> bool:
    """Whether it is known that traffic goes to these of all targets and to no other."""
    seen = {name: room.targets[name].traffic if name in room.targets else Traffic.UNKNOWN for name in names}
    on = {name for name, traffic in seen.items() if traffic is not Traffic.OUT}
    return on == set(old) and Traffic.UNSURE not in seen.values()


def _next_recovery(deploy: Deploy) -> tuple[Action, ...] | None:
    """The next steps of the recovery, () while some run, None when it is over. A step that fails here stops nothing."""
    open_steps = [s for s in deploy.recovery or () if _open(deploy, s)]
    if not open_steps:
        return None
    stage = min(step.stage for step in open_steps)
    return tuple(action for s in open_steps if s.stage == stage for action in _again(deploy, s))


def _open(deploy: Deploy, step: Step) -> bool:
    run = deploy.runs.get(step.id)
    if run is None or run.ended is None or run.progress is Progress.MISSED:
        return True
    return bool(deploy.choices(step, run)) or runs_again(step, run)


def _again(deploy: Deploy, step: Step) -> Iterator[Action]:
    """Begins a step of the recovery, or begins it again where it was lost; a rollback that waits ends its script."""
    run = deploy.runs.get(step.id)
    if run is None:
        yield Start(step=step, attempt=1)
    elif run.progress is Progress.MISSED or runs_again(step, run):
        yield Start(step=step, attempt=run.attempt + 1)
    elif run.progress is Progress.UNSUPERVISED and (run.answer == "stop" or (deploy.abort and deploy.abort.then)):
        yield Stop(step=step.id, attempt=run.attempt)
