"""Every decision: a command and the world become events, or a refusal that names every closed gate. Pure and total.

`decide` runs inside the room's one write transaction. Where it lacks the recipe of a commit it says so (`Need`), and
is asked again. What follows the end of a deploy is decided in `closing`.
"""

from dataclasses import dataclass, replace
from typing import assert_never

from pipelines.domain import gates
from pipelines.domain.answering import answer, ways_on
from pipelines.domain.commands import Abort, Answer, Deploy, Retry, Rollback
from pipelines.domain.deploy import Deploy as DeployState
from pipelines.domain.events import AbortAsked, Event, Outcome, Planned, Purpose, Then
from pipelines.domain.fold import State
from pipelines.domain.gates import Cooked, Facts
from pipelines.domain.planning import Ask, Goal, plan_for, serves, stop_unread
from pipelines.domain.refs import Resolved
from pipelines.domain.refusals import Code, Gate, Offer, Refusal, refuse
from pipelines.domain.room import Good, Room


@dataclass(frozen=True, kw_only=True)
class Need:
    """The recipe of this commit must be gathered first, or it must be known of these secrets whether they are there."""

    commit: str = ""
    secrets: frozenset[str] = frozenset()


Decision = tuple[Event, ...] | Refusal | Need


def decide(ask: Ask, state: State, facts: Facts) -> Decision:
    """What an ask leads to in its room. `state` holds the room's last and running deploys and that of the button."""
    command = ask.command
    if stranger := gates.member(facts.person):
        return Refusal(gates=(stranger,))  # who may do nothing is told nothing
    if unknown := gates.known_room(state.room.service, state.room.environment, facts.config):
        return Refusal(gates=unknown)
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
            return answer(ask.id, command, state, facts)
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
    back: str = ""  # the version that a rollback of it would go to


def look_ahead(ask: Ask, state: State, facts: Facts) -> Ahead | Need:
    """Everything that a deploy is decided by, decided nothing yet. `ask` must hold a `Deploy`."""
    command = ask.command
    assert isinstance(command, Deploy)
    version = facts.version if isinstance(facts.version, Resolved) else None
    cooked = facts.recipes.get(version.commit) if version else None
    allowed = gates.allowed(command.service, command.environment, facts)
    closed = gates.closed(
        allowed,
        gates.room_free(state),
        gates.version_known(command.version, facts),
        gates.recipe_good(version.commit if version else None, facts),
        *_values(state.room, cooked, facts),
        gates.can_post(facts),
        gates.disk_has_room(facts),
    )
    offers = () if allowed else ways_on(state)
    if version is None or not isinstance(cooked, Cooked):
        return Ahead(gates=closed, offers=offers) if closed or version is None else Need(commit=version.commit)
    if not closed and (unread := gates.secrets_unread(state.room, cooked.recipe, facts)):
        return Need(secrets=unread)
    again = command.force or _ended_badly(state, version.commit)
    if not closed and not again and serves(state.room, facts, version.commit):
        already = _already_live(command.service, command.environment, version.version, version.commit)
        closed, offers = already.gates, already.offers
    if unseen := stop_unread(cooked.recipe, state.room, facts):
        return Need(commit=unseen)
    goal = Goal(version=version.version, commit=version.commit, shown=version.shown, cooked=cooked)
    planned = plan_for(ask, Purpose.DEPLOY, goal, state, facts, because=command.because)
    back = replace(state.room, last=planned.deploy, last_commit=planned.plan.commit).last_good()
    return Ahead(gates=closed, offers=offers, planned=planned, back=back.version if back else "")


def _ended_badly(state: State, commit: str) -> bool:
    """Whether the room's last deploy was of this commit and did not go well: it may run there, and is not good."""
    last = state.deploys.get(state.room.last or "")
    return last is not None and last.plan.commit == commit and last.outcome not in (None, Outcome.LIVE)


def _values(room: Room, cooked: Cooked | Gate | None, facts: Facts) -> tuple[Gate, ...]:
    return gates.values_there(room, cooked.recipe, facts) if isinstance(cooked, Cooked) else ()


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
    closed = gates.closed(gates.allowed(command.service, command.environment, facts), _stale(command, state))
    goal = _rollback_goal(command, state.room)
    holder = gates.running(state)
    busy = holder is not None and not holder.waits()  # else a rollback is the answer
    if isinstance(goal, Gate):
        closed = gates.closed(*closed, gates.room_free(state) if busy else None, goal)
    if closed:
        return Refusal(gates=closed, offers=_right_one(command, state) if _stale(command, state) else ())
    assert isinstance(goal, Good)
    if holder is not None and holder.abort is not None and holder.abort.then is not None:
        return refuse(Code.ALREADY_ABORTING, by=holder.abort.by.name, where=command.environment)
    if holder is not None and busy and holder.plan.commit == goal.commit and holder.abort is None:
        return Refusal(gates=gates.closed(gates.room_free(state)))  # it is on its way there
    if holder is not None and busy and not command.now:
        return _while_running(command, holder, goal)
    if holder is None and serves(state.room, facts, goal.commit):
        return _already_live(command.service, command.environment, goal.version, goal.commit)
    cooked = facts.recipes.get(goal.commit)
    if isinstance(cooked, Gate):
        return Refusal(gates=(cooked,))
    if cooked is None:
        return Need(commit=goal.commit)
    if unread := gates.secrets_unread(state.room, cooked.recipe, facts):
        return Need(secrets=unread)
    if missing := _values(state.room, cooked, facts):
        return Refusal(gates=missing)
    if holder is not None:
        return (_abort_then(ask, holder, goal, cooked, facts),)
    if unseen := stop_unread(cooked.recipe, state.room, facts):
        return Need(commit=unseen)
    wanted = Goal(version=goal.version, commit=goal.commit, cooked=cooked)
    return (plan_for(ask, Purpose.ROLLBACK, wanted, state, facts, because=command.because),)


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
    if command.button is not None and command.button.deploy == room.live_deploy:
        return None  # only its own deploy went live since: the message is about to say so
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
    to = f" to {goal.version}" if command.to or command.pin else ""
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
    cooked = Cooked(recipe=plan.recipe, digest=plan.digest)
    closed = gates.closed(
        gates.allowed(plan.service, plan.environment, facts),
        gates.room_free(state),
        _not_retryable(deploy, state.room),
        *_values(state.room, cooked, facts),
        gates.can_post(facts),
        gates.disk_has_room(facts),
    )
    if closed:
        return Refusal(gates=closed, offers=ways_on(state))
    if unread := gates.secrets_unread(state.room, plan.recipe, facts):
        return Need(secrets=unread)
    if unseen := stop_unread(plan.recipe, state.room, facts):
        return Need(commit=unseen)
    goal = Goal(version=plan.version, commit=plan.commit, shown=plan.shown, cooked=cooked)
    again = plan_for(ask, deploy.purpose, goal, state, facts, because=command.because or deploy.because)
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
    closed = gates.closed(None if mine else gates.allowed(plan.service, plan.environment, facts))
    if closed:
        return Refusal(gates=closed)
    if deploy.outcome is not None:
        evidence = {"version": plan.version, "state": deploy.outcome.value, "where": plan.environment}
        return Refusal(gates=(Gate(code=Code.ALREADY_ENDED, evidence={**evidence, "service": plan.service}),))
    if deploy.abort is not None:
        return refuse(Code.ALREADY_ABORTING, by=deploy.abort.by.name, where=plan.environment)
    return (AbortAsked(deploy=deploy.id, ask=ask.id, by=facts.person, because=command.because, button=command.button),)
