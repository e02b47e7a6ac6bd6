"""What the end of a deploy leads to: the deploy it supersedes, the rollback that waited for it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from pipelines.domain.commands import Rollback
from pipelines.domain.events import Closed, Event, Outcome, Planned, Purpose, Superseded, Then
from pipelines.domain.fold import State, fold
from pipelines.domain.gates import Cooked, Facts
from pipelines.domain.planning import Ask, Goal, plan_for


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
    """The rollback that was asked for while a deploy ran, planned now that it has ended. `facts` must know the room
    (see `remembered`)."""
    command = Rollback(service=state.room.service, environment=state.room.environment, because=then.because)
    ask = Ask(id=then.ask, command=command, by=then.by, place=then.place)
    cooked = Cooked(recipe=then.recipe, digest=then.digest)
    goal = Goal(version=then.version, commit=then.commit, cooked=cooked)
    planned = plan_for(ask, Purpose.ROLLBACK, goal, state, facts, because=then.because)
    return replace(planned, deploy=then.deploy)
