"""Events become state: one event at a time, a room and its deploys as they are afterwards. Pure and total."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from pipelines.domain import events as ev
from pipelines.domain.commands import Button, Pin
from pipelines.domain.deploy import Deploy, StepRun, Used, question
from pipelines.domain.events import Event, Outcome, Progress, Purpose, Report
from pipelines.domain.model import Person
from pipelines.domain.plan import Step, Verb
from pipelines.domain.reports import recognise
from pipelines.domain.room import Good, Room, TargetState, Traffic

GOOD_KEPT = 100


@dataclass(frozen=True, kw_only=True)
class State:
    """A room and those of its deploys that an event may touch."""

    room: Room
    deploys: Mapping[str, Deploy] = field(default_factory=dict)

    def with_room(self, room: Room) -> "State":
        return replace(self, room=room)

    def with_deploy(self, deploy: Deploy) -> "State":
        return replace(self, deploys={**self.deploys, deploy.id: deploy})


def fold(state: State, event: Event, at: datetime, seq: int) -> State:  # noqa: PLR0912 (one arm a kind is the point)
    """The state after `event`, which has number `seq` in the room's stream.

    Raises KeyError when the event is of a deploy that `state` does not hold."""
    match event:
        case ev.Asked() | ev.Misread() | ev.Refused():
            return state
        case ev.Found():
            return state.with_room(_found(state.room, event, at))
        case ev.Planned():
            return _press(_planned(state, event, at, seq), event.button, event.by, at, seq)
        case ev.StepStarted() | ev.StepEnded():
            return _stepped(state, event, at, seq)
        case ev.StepAnswered():
            return _press(_answered(state, event, at, seq), event.button, event.by, at, seq)
        case ev.Held():
            return _touch(state, event.deploy, seq, held=event)
        case ev.WentOn():
            used = Used(by=event.by, at=at, choice="go_on")
            changed = _touch(state, event.deploy, seq, held=None, ready=at, answered=at, went_on=used)
            return _press(changed, event.button, event.by, at, seq)
        case ev.AbortAsked():
            changed = _touch(_aborting(state, event, seq), event.deploy, seq, held=None, ready=at)
            return _press(changed, event.button, event.by, at, seq)
        case ev.Expired():
            return _touch(state, event.deploy, seq, expired=True, held=None)
        case ev.Stumbled():
            return _touch(state, event.deploy, seq, stumbled=event.error)
        case ev.Recovering():
            return _touch(state, event.deploy, seq, recovery=event.steps)
        case ev.Closed():
            return _closed(state, event, at, seq)
        case ev.Superseded():
            used = Used(by=event.by, at=at)
            return _touch(state, event.deploy, seq, superseded=used, superseded_by=event.version)
        case _:
            assert_never(event)


def _touch(state: State, deploy: str, seq: int, **changes: object) -> State:
    return state.with_deploy(replace(state.deploys[deploy], seq=seq, **changes))  # type: ignore[arg-type]


def _press(state: State, button: Button | None, by: Person, at: datetime, seq: int) -> State:
    if button is None or button.deploy not in state.deploys:
        return state
    deploy = state.deploys[button.deploy]
    return _touch(state, deploy.id, seq, used={**deploy.used, button.action: Used(by=by, at=at)})


def _found(room: Room, event: ev.Found, at: datetime) -> Room:
    anyone = any(report.version or report.commit for report in event.reports.values())
    targets = {name: _as_found(report, anyone, at) for name, report in event.reports.items()}
    room = replace(room, targets={**room.targets, **targets}, probed=True)
    live = room.live(event.reports)
    if live is None:
        return room
    return replace(room, good=(Good(version=live.version, commit=live.commit, at=at),), live_at=at)


def _as_found(report: Report, anyone: bool, at: datetime) -> TargetState:
    if report.version is None and report.commit is None:
        return TargetState(at=at, traffic=Traffic.OUT if anyone else Traffic.UNKNOWN)
    return TargetState(version=report.version, commit=report.commit, at=at, reported=True)


def _planned(state: State, event: ev.Planned, at: datetime, seq: int) -> State:
    room = state.room
    condemned: tuple[str, ...] = ()
    if event.purpose is Purpose.ROLLBACK:
        left = {room.last_commit, event.replaces.commit if event.replaces else None} - {event.plan.commit}
        condemned = tuple(g.commit for g in room.good if g.commit in left and not g.rolled_back)
        room = _condemn(room, condemned, rolled_back=True)
    since = state.room.live_at
    room = replace(
        room, fence=event.fence, running=event.deploy, last=event.deploy, last_commit=event.plan.commit, probed=True
    )
    if event.retry_of is not None and event.retry_of in state.deploys:
        state = _touch(state, event.retry_of, seq, retried_by=event.deploy)
    elif state.room.last is not None and state.room.last in state.deploys:
        state = _touch(state, state.room.last, seq, followed=True)
    deploy = Deploy(
        id=event.deploy,
        ask=event.ask,
        purpose=event.purpose,
        plan=event.plan,
        fence=event.fence,
        by=event.by,
        place=event.place,
        at=at,
        seq=seq,
        because=event.because,
        replaces=event.replaces,
        replaces_since=since if event.replaces else None,
        left=event.left,
        changes=event.changes,
        retry_of=event.retry_of,
        attempt=event.attempt,
        ready=event.since or at,
        rollback=_pin(room),
        condemned=condemned,
        last_before=state.room.last_commit,
    )
    return state.with_room(room).with_deploy(deploy)


def _condemn(room: Room, commits: tuple[str, ...], *, rolled_back: bool) -> Room:
    good = tuple(replace(g, rolled_back=rolled_back) if g.commit in commits else g for g in room.good)
    return replace(room, good=good)


def _pin(room: Room) -> Pin | None:
    good = room.last_good()
    return Pin(version=good.version, commit=good.commit, until=room.live_deploy) if good else None


def _stepped(state: State, event: ev.StepStarted | ev.StepEnded, at: datetime, seq: int) -> State:
    deploy = state.deploys[event.deploy]
    step = deploy.step(event.step)
    ready = deploy.ready
    if isinstance(event, ev.StepStarted):
        run = StepRun(attempt=event.attempt, progress=Progress.RUNNING, started=at)
    else:
        before = deploy.runs.get(event.step)
        started = before.started if before else at
        ended = None if event.progress is Progress.UNSUPERVISED else max(started, event.ended or at)
        ready = max(ready, ended) if ready and ended else ready
        run = StepRun(attempt=event.attempt, progress=event.progress, started=started, ended=ended, detail=event.detail)
    room = _seen(state.room, deploy, step, event, at)
    return _touch(state.with_room(room), deploy.id, seq, runs={**deploy.runs, step.id: run}, ready=ready)


def _seen(room: Room, deploy: Deploy, step: Step, event: ev.StepStarted | ev.StepEnded, at: datetime) -> Room:
    """What a step that began or ended tells of the targets."""
    targets = dict(room.targets)
    ended = event if isinstance(event, ev.StepEnded) else None
    before = targets.get(step.target, TargetState())
    match step.verb:
        case Verb.DEPLOY | Verb.STOP if ended is None:
            targets[step.target] = TargetState(at=at, traffic=before.traffic, changing=True)
        case Verb.DEPLOY if ended is not None and ended.progress is Progress.OK:
            targets[step.target] = replace(
                before, version=deploy.plan.version, commit=deploy.plan.commit, at=at, changing=False, reported=False
            )
        case Verb.STATUS if ended is not None and ended.report is not None:
            known = [(deploy.plan.version, deploy.plan.commit), *((g.version, g.commit) for g in room.good)]
            version, commit = recognise(ended.report, known)
            targets[step.target] = replace(
                before, version=version, commit=commit, at=at, changing=False, reported=version is not None
            )
        case Verb.ROUTE:
            holds = ended is not None and ended.progress is Progress.OK
            for w in step.table:
                state = targets.get(w.target, TargetState())
                wanted = Traffic.IN if w.weight else Traffic.OUT
                sure = holds or state.traffic is wanted
                targets[w.target] = replace(state, traffic=wanted if sure else Traffic.UNSURE)
        case _:
            return room
    return replace(room, targets=targets)


def _aborting(state: State, event: ev.AbortAsked, seq: int) -> State:
    """A rollback that is asked for while an abort is under way does not take its name."""
    deploy = state.deploys[event.deploy]
    first = deploy.abort
    abort = replace(event, by=first.by, because=first.because) if first is not None else event
    return _touch(state, deploy.id, seq, abort=abort, runs=_left(deploy))


def _left(deploy: Deploy) -> Mapping[str, StepRun]:
    """Its steps after an abort: what was asked is answered by it, a lost step is left as it is."""
    asked = {step.id: run for step in deploy.steps if (run := deploy.runs.get(step.id)) and deploy.choices(step, run)}
    answers = {Progress.LOST: "left", Progress.UNSUPERVISED: "stop"}
    return {**deploy.runs, **{name: replace(run, answer=answers[run.progress]) for name, run in asked.items()}}


def _answered(state: State, event: ev.StepAnswered, at: datetime, seq: int) -> State:
    deploy = state.deploys[event.deploy]
    run = deploy.runs[event.step]
    used = {
        **deploy.used,
        question(event.step, run.attempt, event.choice): Used(by=event.by, at=at, choice=event.choice),
    }
    if event.choice == "worked":
        ended = ev.StepEnded(
            deploy=deploy.id,
            step=event.step,
            attempt=run.attempt,
            progress=Progress.OK,
            detail=f"it worked, says {event.by.name}",
        )
        state = _stepped(state, ended, at, seq)
        deploy = state.deploys[event.deploy]
        run = deploy.runs[event.step]
    runs = {**deploy.runs, event.step: replace(run, answer=event.choice)}
    # somebody looked: nothing is stale any more
    return _touch(state, deploy.id, seq, runs=runs, used=used, answered=at, held=None, ready=at)


def _closed(state: State, event: ev.Closed, at: datetime, seq: int) -> State:
    deploy = state.deploys[event.deploy]
    room = replace(state.room, running=None)
    if event.outcome is not Outcome.LIVE and deploy.purpose is Purpose.ROLLBACK and not deploy.touched_targets:
        room = _condemn(room, deploy.condemned, rolled_back=False)  # nothing was gone back from
        room = replace(room, last_commit=deploy.last_before)  # so the next one goes where this one did not come
    if event.outcome is Outcome.LIVE:
        good = Good(version=deploy.plan.version, commit=deploy.plan.commit, at=at, deploy=deploy.id)
        others = tuple(g for g in room.good if g.commit != good.commit)
        room = replace(
            room,
            good=(*others, good)[-GOOD_KEPT:],
            live_deploy=deploy.id,
            live_at=at,
            live_by=deploy.by.name,
        )
    now_runs = {name: room.targets.get(name, TargetState()) for name in deploy.plan.targets}
    return _touch(
        state.with_room(room),
        deploy.id,
        seq,
        outcome=event.outcome,
        why=event.why,
        ended=at,
        now_runs=now_runs,
        rollback=_pin(room),
    )
