"""An accepted ask becomes the plan of a deploy: against what runs there now, with the `stop` of the commit that runs.

Whether it may be is decided before (`decide`); how a strategy becomes steps is `strategies`.
"""

from dataclasses import dataclass

from pipelines.domain.commands import Command
from pipelines.domain.events import Place, Planned, Purpose
from pipelines.domain.fold import State
from pipelines.domain.gates import Cooked, Facts
from pipelines.domain.model import Person
from pipelines.domain.recipe import Recipe, Recreate, Script
from pipelines.domain.room import Live, Room, Traffic
from pipelines.domain.strategies import Wanted, compile_plan


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A command as it was accepted: `id` is the ask's."""

    id: str
    command: Command
    by: Person
    place: Place


@dataclass(frozen=True, kw_only=True)
class Goal:
    version: str
    commit: str
    cooked: Cooked
    shown: str = ""


def serves(room: Room, facts: Facts, commit: str) -> bool:
    """Whether this commit is live and every target is in traffic, as far as anybody knows: there is nothing to do."""
    live = live_in(room, facts)
    out = any(target.traffic in (Traffic.OUT, Traffic.UNSURE) for target in room.targets.values())
    return live is not None and live.commit == commit and not out


def live_in(room: Room, facts: Facts) -> Live | None:
    names = [t.name for t in facts.config.services[room.service].targets_in(room.environment)]
    return room.live(names)


def stop_unread(recipe: Recipe, room: Room, facts: Facts) -> str | None:
    """The commit that runs, where its own `stop` is needed and nobody read it yet."""
    live = live_in(room, facts)
    if live is None or not isinstance(recipe.strategy, Recreate) or live.commit in facts.recipes:
        return None
    return live.commit


def _stop(goal: Goal, live: Live | None, facts: Facts) -> tuple[Script | None, str]:
    """What ends what runs: the commit's own that runs, where that is known, else the one's that is installed."""
    running = facts.recipes.get(live.commit) if live is not None else None
    if live is not None and isinstance(running, Cooked):
        return running.recipe.stop, live.commit
    return goal.cooked.recipe.stop, goal.commit


def plan_for(ask: Ask, purpose: Purpose, goal: Goal, state: State, facts: Facts, *, because: str) -> Planned:
    room = state.room
    service = facts.config.services[room.service]
    live = live_in(room, facts)
    environment = facts.config.environment(room.service, room.environment)
    stop, stop_commit = _stop(goal, live, facts)
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
        stop=stop,
        stop_commit=stop_commit,
        shown=goal.shown,
        protected=environment.protected,
        secrets_from=environment.secrets_from or "",
        pass_env=environment.pass_env,
        path=service.path,
        deployers=facts.config.who_may_deploy(room.service, room.environment),
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
