"""Rules of the product broken on purpose, one at a time: a simulation that finds none of these proves nothing."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from handlers.slack import inbox, private
from handlers.slack.card_painter import CardPainter
from handlers.slack.sending import Sender
from pipelines import deciding, shipmate
from pipelines.domain import advance, decide, fold
from pipelines.domain.commands import Abort
from pipelines.domain.deploy import Deploy, StepRun
from pipelines.domain.events import AbortAsked, Asked, Outcome, Planned, Progress
from pipelines.domain.fold import State
from pipelines.domain.gates import Facts
from pipelines.domain.plan import Step
from pipelines.domain.room import Good, Room
from pipelines.execution import follower, turns
from pipelines.storage import asks, deploys
from tests.simulation.engine import SimulatedEngine
from tests.simulation.source import VERSIONS
from tests.support.domain import NOON, commit_of

Patch = tuple[object, str, Callable[[Any], Any]]  # whose, which name, and what becomes of what is there


def decided_on_what_was(real: Any) -> Any:
    """The room's row is not locked: what is decided rests on the state before the transaction."""

    async def facts(self: Any, asked: Asked, where: Any, *more: Any) -> Facts:
        found: Facts = await real(self, asked, where, *more)
        seen[asked.ask] = await self._database.read(
            lambda session: deploys.state(session, where.service, where.environment)
        )
        return found

    return facts


seen: dict[str, State] = {}


def on_what_was(real: Any) -> Any:
    return lambda ask, state, facts: real(ask, seen.get(ask.id, state), facts)


def key_is_new(real: Any) -> Any:
    def insert(session: Session, asked: Asked, at: datetime) -> tuple[str, bool]:
        found: tuple[str, bool] = real(session, replace(asked, key=f"{asked.key}-{asked.ask}"), at)
        return found

    return insert


def lost_is_run_again(real: Any) -> Any:
    def step(deploy: Deploy, it: Step) -> Iterator[Any]:
        run = deploy.runs.get(it.id)
        if run is not None and run.progress is Progress.LOST and not run.answer:
            yield advance.Start(step=it, attempt=run.attempt + 1)
        else:
            yield from real(deploy, it)

    return step


def begun_twice(real: Any) -> Any:
    """A step that runs is begun beside itself."""

    def step(deploy: Deploy, it: Step) -> Iterator[Any]:
        run: StepRun | None = deploy.runs.get(it.id)
        if run is not None and run.progress is Progress.RUNNING and run.attempt == 1:
            yield advance.Start(step=it, attempt=2)
        else:
            yield from real(deploy, it)

    return step


def closes_at_once(real: Any) -> Any:
    """Where scripts are to be ended, the deploy closes and leaves them alone."""

    def actions(deploy: Deploy, room: Room, now: datetime) -> tuple[Any, ...]:
        found: tuple[Any, ...] = real(deploy, room, now)
        leaves = bool(found) and all(isinstance(action, advance.Stop) for action in found)
        return (advance.Close(outcome=Outcome.ABORTED),) if leaves else found

    return actions


def fence_stays(real: Any) -> Any:
    def plan(ask: Any, purpose: Any, goal: Any, state: State, *more: Any, **named: Any) -> Planned:
        planned: Planned = real(ask, purpose, goal, state, *more, **named)
        return replace(planned, fence=max(1, state.room.fence))

    return plan


def back_to_anything(_real: Any) -> Any:
    def goal(command: Any, _room: Room) -> Good:
        version = command.to if command.to in VERSIONS else VERSIONS[0]
        return Good(version=version, commit=commit_of(version), at=NOON)

    return goal


def aborts_what_is_over(real: Any) -> Any:
    def abort(ask: Any, command: Abort, state: State, facts: Facts) -> Any:
        deploy = state.deploys.get(command.deploy or "")
        if deploy is not None and deploy.outcome is not None:
            return (AbortAsked(deploy=deploy.id, ask=ask.id, by=facts.person),)
        return real(ask, command, state, facts)

    return abort


def nobody_is_told(_real: Any) -> Any:
    async def tell(*_: Any, **__: Any) -> bool:
        return True

    return tell


def never_looks(_real: Any) -> Any:
    async def find(*_: Any, **__: Any) -> None: ...

    return find


def content_with_what_it_shows(_real: Any) -> Any:
    return lambda _self, posting, deploy: bool(posting.painted) and deploy.outcome is not None


def acknowledged_before(real: Any) -> Any:
    async def ask(self: Any, *more: Any) -> None:
        async def later() -> None:
            await asyncio.sleep(0.5)
            await real(self, *more)

        asyncio.create_task(later())  # noqa: RUF006 (that it is forgotten is the point)

    return ask


def does_nothing(_real: Any) -> Any:
    return lambda *_: None


def never_sweeps(_real: Any) -> Any:
    async def sweep(_self: Any) -> None: ...

    return sweep


MUTATIONS: dict[str, tuple[Patch, ...]] = {
    "no lock on the room": (
        (deciding.Decider, "_facts", decided_on_what_was),
        (deciding, "decide", on_what_was),
    ),
    "a button works twice": ((fold, "_press", lambda _real: lambda state, *_: state),),
    "a key asks twice": ((asks, "insert", key_is_new),),
    "enqueued outside of the transaction": ((SimulatedEngine, "enqueue", does_nothing),),
    "a lost step is run again": ((advance, "_step", lost_is_run_again),),
    "a step is begun twice": ((advance, "_step", begun_twice),),
    "an abort leaves scripts alive": ((turns, "advance", closes_at_once),),
    "the fence stays": ((decide, "plan_for", fence_stays),),
    "back to what was never good": ((decide, "_rollback_goal", back_to_anything),),
    "an abort of what is over": ((decide, "_abort", aborts_what_is_over),),
    "nobody is told": ((private.Private, "tell", nobody_is_told),),
    "a post is never looked for": ((Sender, "find", never_looks),),
    "the end is not painted": ((CardPainter, "_shows", content_with_what_it_shows),),
    "acknowledged before it is kept": ((inbox.Inbox, "_ask", acknowledged_before),),
    "nothing is swept": ((shipmate.Shipmate, "sweep", never_sweeps),),
    "output is kept from its start again": ((follower, "output_end", lambda _real: lambda *_: 0),),
}


@contextmanager
def mutated(name: str) -> Iterator[None]:
    patches = MUTATIONS[name]
    real = [getattr(owner, attribute) for owner, attribute, _ in patches]
    for (owner, attribute, change), there in zip(patches, real, strict=True):
        setattr(owner, attribute, change(there))
    try:
        yield
    finally:
        for (owner, attribute, _), there in zip(patches, real, strict=True):
            setattr(owner, attribute, there)
