"""Every decision: a command and the world become events, or a refusal that names every closed gate. Pure and total.

`decide` runs inside the room's one write transaction. Where it lacks the recipe of a commit it says so (`Need`), and
is asked again. `close` decides what follows the end of a deploy.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from pipelines.domain import gates
from pipelines.domain.commands import Abort, Answer, Command, Deploy, Retry, Rollback
from pipelines.domain.deploy import Deploy as DeployState
from pipelines.domain.events import (
    AbortAsked,
    Closed,
    Event,
    Outcome,
    Place,
    Planned,
    Progress,
    Purpose,
    StepAnswered,
    Superseded,
    Then,
    WentOn,
)
from pipelines.domain.fold import State, fold
from pipelines.domain.gates import Cooked, Facts
from pipelines.domain.model import Person
from pipelines.domain.plan import Plan
from pipelines.domain.recipe import Recipe
from pipelines.domain.refs import Resolved
from pipelines.domain.refusals import Code, Gate, Offer, Refusal, refuse
from pipelines.domain.room import Good, Live, Room, Traffic
from pipelines.domain.strategies import Wanted, compile_plan


@dataclass(frozen=True, kw_only=True)
class Need:
    """The recipe of this commit must be gathered first."""

    commit: str


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A command as it was accepted: `id` is the ask's."""

    id: str
    command: Command
    by: Person
    place: Place


Decision = tuple[Event, ...] | Refusal | Need


def decide(ask: Ask, state: State, facts: Facts) -> Decision:
    """What an ask leads to in its room. `state` holds the room's last and running deploys and that of the button."""
    command = ask.command
    if command.button and (gate := gates.button_fresh(state, command.button.deploy, command.button.action)):
        return Refusal(gates=(gate,))
    match command:
        case Deploy():
            return _deploy(ask, command, state, facts)
        case Rollback():
            return _rollback(ask, command, state, facts)
        case Retry():
            return _retry(ask, command, state, facts)
        case Abort():
            return _abort(ask, command, state, facts)
        case Answer():
            return _answer(ask, command, state, facts)
        case _:
            assert_never(command)


def _deploy(ask: Ask, command: Deploy, state: State, facts: Facts) -> Decision:
    preview = look_ahead(ask, state, facts)
    if isinstance(preview, Need):
        return preview
    if preview.gates or preview.planned is None:
        return Refusal(gates=preview.gates, offers=preview.offers)
    return (preview.planned,)


@dataclass(frozen=True, kw_only=True)
class Ahead:
    """What a deploy would be: every gate that holds it, and its plan as far as one can be made."""

    gates: tuple[Gate, ...]
    offers: tuple[Offer, ...] = ()
    planned: Planned | None = None


def look_ahead(ask: Ask, state: State, facts: Facts) -> Ahead | Need:
    """Everything that a deploy is decided by, decided nothing yet. `ask` must hold a `Deploy`."""
    command = ask.command
    assert isinstance(command, Deploy)
    version = facts.version if isinstance(facts.version, Resolved) else None
    closed = gates.closed(
        gates.member(facts.person),
        gates.allowed(command.service, command.environment, facts),
        gates.room_free(state),
        gates.version_known(command.version, facts),
        gates.recipe_good(version.commit if version else None, facts),
        gates.can_post(facts),
    )
    cooked = facts.recipes.get(version.commit) if version else None
    if version is None or not isinstance(cooked, Cooked):
        return Ahead(gates=closed) if closed or version is None else Need(commit=version.commit)
    offers: tuple[Offer, ...] = ()
    if not closed and not command.force and serves(state.room, facts, version.commit):
        already = _already_live(command.service, command.environment, version.version, version.commit)
        closed, offers = already.gates, already.offers
    goal = Goal(version=version.version, commit=version.commit, shown=version.shown, cooked=cooked)
    planned = _plan(ask, Purpose.DEPLOY, goal, state, facts, because=command.because)
    return Ahead(gates=closed, offers=offers, planned=planned)


def _already_live(service: str, environment: str, version: str, commit: str) -> Refusal:
    again = Offer(
        label="Deploy again",
        say=f"deploy {service} {version} {environment} force",
        action="deploy_force",
        value=commit,
    )
    where = {"version": version, "service": service, "where": environment}
    return Refusal(gates=(Gate(code=Code.ALREADY_LIVE, evidence=where),), offers=(again,))


def _rollback(ask: Ask, command: Rollback, state: State, facts: Facts) -> Decision:
    closed = gates.closed(
        gates.member(facts.person), gates.allowed(command.service, command.environment, facts), _stale(command, state)
    )
    goal = _rollback_goal(command, state.room)
    if isinstance(goal, Gate):
        closed = (*closed, goal)
    if closed:
        return Refusal(gates=closed, offers=_right_one(command, state) if _stale(command, state) else ())
    assert isinstance(goal, Good)
    holder = gates.running(state)
    if holder is not None and not command.now:
        return _while_running(command, holder, goal)
    if holder is not None and holder.abort is not None and holder.abort.then is not None:
        return refuse(Code.ALREADY_ABORTING, by=holder.abort.by.name, where=command.environment)
    if holder is None and serves(state.room, facts, goal.commit):
        return _already_live(command.service, command.environment, goal.version, goal.commit)
    cooked = facts.recipes.get(goal.commit)
    if isinstance(cooked, Gate):
        return Refusal(gates=(cooked,))
    if cooked is None:
        return Need(commit=goal.commit)
    if holder is not None:
        return (_abort_then(ask, holder, goal, cooked, facts),)
    wanted = Goal(version=goal.version, commit=goal.commit, cooked=cooked)
    return (_plan(ask, Purpose.ROLLBACK, wanted, state, facts, because=command.because),)


def _rollback_goal(command: Rollback, room: Room) -> Good | Gate:
    evidence = {"service": command.service, "where": command.environment}
    if command.pin is not None:
        pinned = [g for g in room.good if g.commit == command.pin.commit]
        return pinned[-1] if pinned else Gate(code=Code.NOTHING_TO_ROLL_BACK_TO, evidence=evidence)
    if command.to in (None, "previous"):
        return room.last_good() or Gate(code=Code.NOTHING_TO_ROLL_BACK_TO, evidence=evidence)
    to = command.to or ""
    named = [g for g in room.good if g.version == to or (len(to) >= 7 and g.commit.startswith(to.lower()))]
    good = tuple(g.version for g in sorted(room.good, key=lambda g: g.at, reverse=True))
    return named[-1] if named else Gate(code=Code.NEVER_GOOD_HERE, evidence={**evidence, "given": to, "good": good})


def _stale(command: Rollback, state: State) -> Gate | None:
    """The room's live deploy is not the one it was when the button was posted."""
    room, pin = state.room, command.pin
    if pin is None or pin.until == room.live_deploy:
        return None
    live = state.deploys.get(room.live_deploy)
    evidence = {
        "by": room.live_by,
        "at": room.live_at.isoformat() if room.live_at else "",
        "version": live.plan.version if live else "",
        "to": pin.version,
    }
    return Gate(code=Code.STALE_BUTTON, evidence=evidence)


def _right_one(command: Rollback, state: State) -> tuple[Offer, ...]:
    good = state.room.last_good()
    if good is None:
        return ()
    say = f"rollback {command.service} {command.environment} to {good.version}"
    return (Offer(label=f"Roll back to {good.version}", say=say, action="rollback_now", value=good.commit),)


def _while_running(command: Rollback, holder: DeployState, goal: Good) -> Refusal:
    to = f" to {goal.version}" if command.to else ""
    offer = Offer(
        label=f"Abort and roll back to {goal.version}",
        say=f"rollback {command.service} {command.environment}{to} now",
        action="abort_rollback",
        value=goal.commit,
    )
    busy = {
        "by": holder.by.name,
        "since": holder.at.isoformat(),
        "version": holder.plan.version,
        "to": goal.version,
        "where": command.environment,
        "service": command.service,
    }
    return Refusal(gates=(Gate(code=Code.ROLLBACK_WHILE_RUNNING, evidence=busy),), offers=(offer,))


def _abort_then(ask: Ask, holder: DeployState, goal: Good, cooked: Cooked, facts: Facts) -> AbortAsked:
    assert isinstance(ask.command, Rollback)
    command = ask.command
    then = Then(
        version=goal.version,
        commit=goal.commit,
        digest=cooked.digest,
        recipe=cooked.recipe,
        ask=ask.id,
        deploy=facts.new_id,
        by=facts.person,
        place=ask.place,
        because=command.because,
    )
    return AbortAsked(
        deploy=holder.id, ask=ask.id, by=facts.person, because=command.because, then=then, button=command.button
    )


def _retry(ask: Ask, command: Retry, state: State, facts: Facts) -> Decision:
    deploy = state.deploys.get(command.deploy or state.room.last or "")
    if deploy is None:
        return refuse(Code.NOTHING_TO_RETRY, where=state.room.environment, service=state.room.service)
    plan = deploy.plan
    closed = gates.closed(
        gates.member(facts.person),
        gates.allowed(plan.service, plan.environment, facts),
        gates.room_free(state),
        _not_retryable(deploy, state.room),
        gates.can_post(facts),
    )
    if closed:
        return Refusal(gates=closed)
    cooked = Cooked(recipe=plan.recipe, digest=plan.digest)
    goal = Goal(version=plan.version, commit=plan.commit, shown=plan.shown, cooked=cooked)
    again = _plan(ask, deploy.purpose, goal, state, facts, because=command.because or deploy.because)
    return (
        replace(
            again,
            retry_of=deploy.id,
            attempt=deploy.attempt + 1,
            place=replace(ask.place, channel=deploy.place.channel),
        ),
    )


def _not_retryable(deploy: DeployState, room: Room) -> Gate | None:
    if deploy.outcome is None or (deploy.id == room.last and deploy.outcome is not Outcome.LIVE):
        return None
    state = deploy.outcome.value if deploy.outcome else ""
    evidence = {"version": deploy.plan.version, "state": state, "where": room.environment, "service": room.service}
    return Gate(code=Code.NOTHING_TO_RETRY, evidence=evidence)


def _abort(ask: Ask, command: Abort, state: State, facts: Facts) -> Decision:
    deploy = state.deploys.get(command.deploy or state.room.running or "")
    if deploy is None:
        return refuse(Code.NOTHING_RUNNING, where=state.room.environment, service=state.room.service)
    plan = deploy.plan
    mine = deploy.by.id == facts.person.id
    closed = gates.closed(
        gates.member(facts.person), None if mine else gates.allowed(plan.service, plan.environment, facts)
    )
    if closed:
        return Refusal(gates=closed)
    if deploy.outcome is not None:
        evidence = {"version": plan.version, "state": deploy.outcome.value, "where": plan.environment}
        return Refusal(gates=(Gate(code=Code.ALREADY_ENDED, evidence={**evidence, "service": plan.service}),))
    if deploy.abort is not None:
        return refuse(Code.ALREADY_ABORTING, by=deploy.abort.by.name, where=plan.environment)
    return (AbortAsked(deploy=deploy.id, ask=ask.id, by=facts.person, because=command.because, button=command.button),)


def _answer(ask: Ask, command: Answer, state: State, facts: Facts) -> Decision:
    nothing = refuse(Code.NOTHING_ASKED, where=state.room.environment, service=state.room.service)
    deploy = state.deploys.get(command.deploy or state.room.running or "")
    if deploy is None or not deploy.waits():
        return nothing
    closed = gates.closed(
        gates.member(facts.person), gates.allowed(deploy.plan.service, deploy.plan.environment, facts)
    )
    if closed:
        return Refusal(gates=closed)
    if command.choice == "go_on":
        if deploy.held is None or command.about not in (None, deploy.held.since.isoformat()):
            return nothing
        return (WentOn(deploy=deploy.id, ask=ask.id, by=facts.person, button=command.button),)
    if (lost := deploy.lost()) is None:
        return nothing
    step, run = lost
    fits = ("again", "worked") if run.progress is Progress.LOST else ("wait", "stop")
    if command.choice not in fits:
        return nothing
    return (
        StepAnswered(deploy=deploy.id, step=step.id, choice=command.choice, by=facts.person, button=command.button),
    )


@dataclass(frozen=True, kw_only=True)
class Goal:
    version: str
    commit: str
    cooked: Cooked
    shown: str = ""


def serves(room: Room, facts: Facts, commit: str) -> bool:
    """Whether this commit is live and no target is out of traffic: there is nothing to do."""
    live = live_in(room, facts)
    out = any(target.traffic is Traffic.OUT for target in room.targets.values())
    return live is not None and live.commit == commit and not out


def live_in(room: Room, facts: Facts) -> Live | None:
    names = [t.name for t in facts.config.services[room.service].targets_in(room.environment)]
    return room.live(names)


def _plan(ask: Ask, purpose: Purpose, goal: Goal, state: State, facts: Facts, *, because: str) -> Planned:
    room = state.room
    service = facts.config.services[room.service]
    live = live_in(room, facts)
    wanted = Wanted(
        service=room.service,
        environment=room.environment,
        version=goal.version,
        repo=service.repo,
        commit=goal.commit,
        digest=goal.cooked.digest,
        recipe=goal.cooked.recipe,
        targets=service.targets_in(room.environment),
        previous_version=live.version if live else "",
        previous_commit=live.commit if live else "",
        shown=goal.shown,
        protected=facts.config.environments[room.environment].protected,
    )
    plan = compile_plan(wanted, room.targets, back=purpose is Purpose.ROLLBACK, known=tuple(room.targets))
    return Planned(
        deploy=facts.new_id,
        ask=ask.id,
        purpose=purpose,
        plan=plan,
        fence=room.fence + 1,
        by=facts.person,
        place=ask.place,
        because=because,
        replaces=live,
        left=_left(state, goal.commit) if purpose is Purpose.ROLLBACK else "",
        changes=facts.changes,
        button=ask.command.button,
    )


def _left(state: State, goal: str) -> str:
    """The version of the room's last deploy, where a rollback leaves another one than its goal."""
    last = state.deploys.get(state.room.last or "")
    return last.plan.version if last is not None and last.plan.commit != goal else ""


def close(state: State, closed: Closed, at: datetime, replan: Callable[[Then, State], Planned]) -> tuple[Event, ...]:
    """What the end of a deploy leads to: the end itself, the deploy it supersedes, the rollback that waited for it.

    `replan` compiles that rollback against the state after the end."""
    deploy = state.deploys[closed.deploy]
    events: list[Event] = [closed]
    previous = state.room.live_deploy
    if closed.outcome is Outcome.LIVE and previous and previous != deploy.id:
        events.append(Superseded(deploy=previous, version=deploy.plan.version, by=deploy.by))
    if deploy.abort is not None and deploy.abort.then is not None:
        after = state
        for event in events:
            after = fold(after, event, at, deploy.seq)
        events.append(replace(replan(deploy.abort.then, after), since=deploy.ready))
    return tuple(events)


def after_abort(then: Then, state: State, facts: Facts) -> Planned:
    """The rollback that was asked for while a deploy ran, planned now that it has ended."""
    command = Rollback(service=state.room.service, environment=state.room.environment, because=then.because)
    ask = Ask(id=then.ask, command=command, by=then.by, place=then.place)
    cooked = Cooked(recipe=then.recipe, digest=then.digest)
    goal = Goal(version=then.version, commit=then.commit, cooked=cooked)
    planned = _plan(ask, Purpose.ROLLBACK, goal, state, facts, because=then.because)
    return replace(planned, deploy=then.deploy)


__all__ = [
    "Ahead",
    "Ask",
    "Cooked",
    "Decision",
    "Facts",
    "Goal",
    "Need",
    "Plan",
    "Recipe",
    "after_abort",
    "close",
    "decide",
    "look_ahead",
]
