"""Carrying a deploy out, turn by turn. A turn is one transaction: what ended is entered in the journal, `advance` says
what is next, and that is claimed. The journal is the truth, so a turn may be taken again by anybody at any time.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import assert_never

from sqlmodel import Session

from pipelines.domain.advance import Action, Close, Expire, Hold, Recover, Start, Stop, advance, expires_at
from pipelines.domain.closing import after_abort, close
from pipelines.domain.deploy import Deploy
from pipelines.domain.events import (
    Closed,
    Event,
    Expired,
    Held,
    Planned,
    Progress,
    Recovering,
    StepEnded,
    StepStarted,
    Stumbled,
    Then,
)
from pipelines.domain.fold import State
from pipelines.domain.gates import Facts
from pipelines.domain.model import Config
from pipelines.domain.remembered import with_room_of
from pipelines.domain.reports import judge
from pipelines.domain.stepwork import work_of
from pipelines.errors import noted
from pipelines.pulse import Pulse
from pipelines.storage import deploys, steps
from pipelines.storage.book import Book, Enqueue
from pipelines.storage.database import Database, heard, surely
from pipelines.storage.steps import StepKey

log = logging.getLogger(__name__)

BY = "shipmate"
LOOK_AGAIN = timedelta(seconds=5)
PAUSE, LONGEST_PAUSE, DOUBLED = 0.25, 30.0, 10
STANDS_STILL = 3  # turns that broke, one after the other


class UnknownDeployError(KeyError):
    """The journal knows no such deploy."""


@dataclass(frozen=True, kw_only=True)
class Rest:
    """What a turn leaves: the deploy is over, or is to be looked at again by `until` at the latest."""

    over: bool
    until: datetime


class Turns:
    """`host` carries out what is claimed here; `enqueue` begins the rollback that may follow an abort."""

    def __init__(
        self,
        *,
        database: Database,
        enqueue: Enqueue,
        host: str,
        config: Callable[[], Config],
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._enqueue = enqueue
        self._host = host
        self._config = config
        self._clock = clock
        self.pulse = Pulse()

    async def carry_out(self, deploy: str) -> None:
        """Until the deploy is over. Raises UnknownDeployError; a turn that breaks is taken again, and when that does
        not help the deploy says that it stands still."""
        try:
            await self._carry_out(deploy)
        finally:
            self.pulse.end(deploy)

    async def _carry_out(self, deploy: str) -> None:
        broken = 0
        with self._database.waker.listening(f"deploy:{deploy}") as told:
            while True:
                told.clear()
                self.pulse.beat(deploy)
                try:
                    rest = await surely(lambda: self._database.write(partial(self.turn, deploy_id=deploy)))
                except UnknownDeployError:
                    raise
                except Exception as error:
                    broken += 1
                    await self._broke(deploy, error, broken)
                    await heard(told, min(PAUSE * 2 ** min(broken, DOUBLED), LONGEST_PAUSE))
                    continue
                broken = 0
                if rest.over:
                    return
                await heard(told, max(0.01, (rest.until - self._clock()).total_seconds()))

    async def _broke(self, deploy: str, error: Exception, times: int) -> None:
        number = noted(log, f"carrying out {deploy}", error)
        if times != STANDS_STILL:
            return
        try:
            await self._database.write(lambda session, topics: self._stumble(session, topics, deploy, number))
        except Exception as second:
            noted(log, f"saying that {deploy} stands still", second)

    def _stumble(self, session: Session, topics: set[str], deploy: str, number: str) -> None:
        found = deploys.deploy(session, deploy)
        if found is not None and found.outcome is None and not found.stumbled:
            book = Book(session, topics, self._enqueue)
            state = book.state(found.plan.service, found.plan.environment, deploy)
            book.append(state, [Stumbled(deploy=deploy, error=number)], self._clock(), by=BY, via="engine")

    def turn(self, session: Session, topics: set[str], deploy_id: str) -> Rest:
        now = self._clock()
        book = Book(session, topics, self._enqueue)
        found = deploys.deploy(session, deploy_id)
        if found is None:
            raise UnknownDeployError(deploy_id)
        if found.outcome is not None:
            return Rest(over=True, until=now)
        state = book.state(found.plan.service, found.plan.environment, deploy_id)
        state = book.append(state, ended(session, state.deploys[deploy_id]), now, by=BY, via="engine")
        while actions := advance(state.deploys[deploy_id], state.room, now):
            events = [event for action in actions for event in self._act(book, state, deploy_id, action)]
            if not events:
                break
            state = book.append(state, events, now, by=BY, via="engine")
        if found.stumbled:
            state = book.append(state, [Stumbled(deploy=deploy_id)], now, by=BY, via="engine")
        deploy = state.deploys[deploy_id]
        expires = expires_at(deploy)
        until = now + LOOK_AGAIN
        return Rest(over=deploy.outcome is not None, until=min(until, expires) if expires else until)

    def _act(self, book: Book, state: State, deploy_id: str, action: Action) -> tuple[Event, ...]:
        deploy = state.deploys[deploy_id]
        match action:
            case Start(step=step, attempt=attempt):
                key = StepKey(deploy=deploy.id, step=step.id, attempt=attempt)
                steps.claim(book.session, key, work_of(deploy, step, attempt), self._host, self._clock())
                book.topics.add("steps")
                return (StepStarted(deploy=deploy.id, step=step.id, attempt=attempt),)
            case Stop(step=step_id, attempt=attempt):
                steps.stop(book.session, StepKey(deploy=deploy.id, step=step_id, attempt=attempt))
                book.topics.add("steps")
                return ()
            case Hold(step=step_id, since=since):
                return (Held(deploy=deploy.id, step=step_id, since=since),)
            case Expire():
                return (Expired(deploy=deploy.id),)
            case Recover(steps=recovery):
                return (Recovering(deploy=deploy.id, steps=recovery),)
            case Close(outcome=outcome, why=why):
                closed = Closed(deploy=deploy.id, outcome=outcome, why=why)
                return close(state, closed, self._clock(), self._replan)
            case _:
                assert_never(action)

    def _replan(self, then: Then, state: State) -> Planned:
        config = with_room_of(self._config(), state.deploys[state.room.last or ""])
        facts = Facts(config=config, person=then.by, now=self._clock(), new_id=then.deploy)
        return after_abort(then, state, facts)


def ended(session: Session, deploy: Deploy) -> list[Event]:
    """What the agent recorded of the steps that the journal believes to be going."""
    events: list[Event] = []
    for step, run in deploy.going():
        ending = steps.ending(session, StepKey(deploy=deploy.id, step=step.id, attempt=run.attempt))
        if ending is None or (ending.progress is Progress.UNSUPERVISED and run.progress is Progress.UNSUPERVISED):
            continue
        verdict = judge(step, deploy.plan, ending.progress, ending.detail, ending.report)
        events.append(
            StepEnded(
                deploy=deploy.id,
                step=step.id,
                attempt=run.attempt,
                progress=verdict.progress,
                detail=verdict.detail,
                report=ending.report,
                ended=ending.at,
            )
        )
    return events
