"""A front desk over a real database in which a test writes history by hand: the engine is the test."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sqlmodel import Session

from pipelines.deciding import Decider
from pipelines.domain.closing import close
from pipelines.domain.commands import Command
from pipelines.domain.commands import Deploy as Wanted
from pipelines.domain.decide import decide
from pipelines.domain.deploy import Deploy
from pipelines.domain.events import Closed, Event, Outcome, Place, Planned, Progress, StepEnded, StepStarted
from pipelines.domain.model import Config, Person
from pipelines.domain.planning import Ask
from pipelines.execution.source import Source
from pipelines.facts import Doorman, Gatherer
from pipelines.ids import new_id
from pipelines.looking import Looker
from pipelines.probing import Prober
from pipelines.shipmate import Shipmate
from pipelines.storage import steps
from pipelines.storage.book import Book
from pipelines.storage.database import Database
from pipelines.storage.schema import bring_up_to_date
from pipelines.storage.steps import StepKey
from tests.support import domain
from tests.support.domain import ANA, knowing

ROOM = ("api", "staging")
VERSIONS = ("v1.2", "v1.3", "v1.4", "v1.5")


def now() -> datetime:
    return datetime.now(UTC)


def enqueue_nothing(_session: Session, _deploy: str) -> None: ...


class LateDoorman:
    """The doorman of a test that is made after the front desk."""

    real: Doorman

    async def person(self, by: Person) -> Person:
        return await self.real.person(by)

    async def members(self, group: str) -> frozenset[str] | None:
        return await self.real.members(group)

    async def cannot_post(self, channel: str) -> str | None:
        return await self.real.cannot_post(channel)


async def one_worker() -> int:
    return 1


class Front:
    """`shipmate` is the real one; `plan`, `start`, `end`, `say` and `close` are what an engine would have entered."""

    def __init__(self, database: Database, source: Source) -> None:
        self.database = database
        self.config: Config = domain.config()
        self.doorman = LateDoorman()
        self._offset = 0
        gatherer = Gatherer(source=source, doorman=self.doorman, clock=now)
        prober = Prober(database=database, gatherer=gatherer, workers=one_worker, clock=now, new_id=new_id)
        decider = Decider(
            database=database,
            enqueue=enqueue_nothing,
            gatherer=gatherer,
            prober=prober,
            doorman=self.doorman,
            config=lambda: self.config,
            clock=now,
            new_id=new_id,
        )
        self.shipmate = Shipmate(
            database=database,
            enqueue=enqueue_nothing,
            decider=decider,
            looker=Looker(
                database=database,
                gatherer=gatherer,
                prober=prober,
                decider=decider,
                config=lambda: self.config,
            ),
            config=lambda: self.config,
            clock=now,
            new_id=new_id,
        )

    async def until(self, left: Callable[[], Awaitable[Sequence[object]]], seconds: float = 60.0) -> None:
        """Wait until nothing of a kind is left to do."""
        async with asyncio.timeout(seconds):
            while await left():  # noqa: ASYNC110 (a database has no event for it)
                await asyncio.sleep(0.02)

    async def decide(
        self,
        command: Command,
        *,
        deploy: str = "d1",
        by: Person = ANA,
        channel: str | None = "C1",
        protected: bool = False,
    ) -> Deploy:
        """Decide a command whose facts all speak for it; the deploy that it made."""
        version = command.version if isinstance(command, Wanted) else "v1.4"
        facts = knowing(domain.facts(version, person=by, new_id=deploy, now=now()), *VERSIONS)
        ask = Ask(id=f"ask-{deploy}", command=command, by=by, place=Place(surface="slack", channel=channel))

        def work(session: Session, topics: set[str]) -> Deploy:
            book = Book(session, topics, enqueue_nothing)
            state = book.state(*ROOM)
            events = decide(ask, state, facts)
            assert isinstance(events, tuple), events
            shown = tuple(_protected(event) if protected else event for event in events)
            return book.append(state, shown, now(), by=by.name, via="slack").deploys[deploy]

        return await self.database.write(work)

    async def plan(
        self,
        version: str = "v1.4",
        *,
        deploy: str = "d1",
        by: Person = ANA,
        channel: str | None = "C1",
        protected: bool = False,
    ) -> Deploy:
        wanted = Wanted(service="api", version=version, environment="staging")
        return await self.decide(wanted, deploy=deploy, by=by, channel=channel, protected=protected)

    async def append(self, deploy: str, *events: Event) -> Deploy:
        def work(session: Session, topics: set[str]) -> Deploy:
            book = Book(session, topics, enqueue_nothing)
            state = book.state(*ROOM, deploy)
            return book.append(state, events, now(), by="test", via="test").deploys[deploy]

        return await self.database.write(work)

    async def start(self, deploy: Deploy, number: int = 0) -> Deploy:
        return await self.append(deploy.id, StepStarted(deploy=deploy.id, step=deploy.plan.steps[number].id, attempt=1))

    async def end(self, deploy: Deploy, progress: Progress = Progress.OK, *, number: int = 0, why: str = "") -> Deploy:
        step = deploy.plan.steps[number].id
        ended = StepEnded(deploy=deploy.id, step=step, attempt=1, progress=progress, detail=why)
        return await self.append(deploy.id, ended)

    async def say(self, deploy: Deploy, text: str, number: int = 0) -> None:
        """Output of a step, as the agent keeps it."""
        data = text.encode()
        offset, self._offset = self._offset, self._offset + len(data)
        key = StepKey(deploy=deploy.id, step=deploy.plan.steps[number].id, attempt=1)

        def work(session: Session, topics: set[str]) -> None:
            steps.append_output(session, key, offset, data, now())
            topics.update({"output", f"output:{deploy.id}"})

        await self.database.write(work)

    async def close(self, deploy: Deploy, outcome: Outcome = Outcome.LIVE, why: str = "") -> Deploy:
        closed = Closed(deploy=deploy.id, outcome=outcome, why=why)

        def work(session: Session, topics: set[str]) -> Deploy:
            book = Book(session, topics, enqueue_nothing)
            state = book.state(*ROOM, deploy.id)
            events = close(state, closed, now(), _never)
            return book.append(state, events, now(), by="test", via="test").deploys[deploy.id]

        return await self.database.write(work)

    async def ship(self, version: str, *, deploy: str, **more: object) -> Deploy:
        """A whole deploy that goes well."""
        planned = await self.plan(version, deploy=deploy, **more)  # type: ignore[arg-type]
        for number in range(len(planned.plan.steps)):
            await self.start(planned, number)
            await self.end(planned, number=number)
        return await self.close(planned)


def _protected(event: Event) -> Event:
    return replace(event, plan=replace(event.plan, protected=True)) if isinstance(event, Planned) else event


def _never(*_: object) -> Planned:
    raise AssertionError("no rollback waits for this")


@asynccontextmanager
async def opened(folder: Path, url: str | None = None) -> AsyncIterator[Front]:
    """A front desk over the database at `url`, which is up to date, or over a SQLite file in the folder."""
    if url is None:
        url = f"sqlite:///{folder}/shipmate.db"
        bring_up_to_date(url)
    database, source = Database(url), Source(folder / "git")
    database.write_now(lambda _session, _topics: None)  # one connection alone makes the file a shared one
    front = Front(database, source)
    try:
        yield front
    finally:
        await front.shipmate.stop()
        await source.close()
        await database.close()
