"""Asking the targets of a room that was never deployed to what they run: their `status`, through the agent."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from sqlmodel import Session

from pipelines.domain.events import Found, Report
from pipelines.domain.gates import Cooked
from pipelines.domain.model import Environment, Service, room_name
from pipelines.domain.plan import Making, Step, status
from pipelines.domain.recipe import Recipe
from pipelines.domain.ref_problems import SourceError
from pipelines.domain.reports import words
from pipelines.domain.room import Room
from pipelines.domain.stepwork import Work
from pipelines.facts import Gatherer
from pipelines.storage import deploys, steps
from pipelines.storage.book import Book
from pipelines.storage.database import Database, heard
from pipelines.storage.steps import Ending, StepKey

log = logging.getLogger(__name__)

PATIENCE = 40.0
ABSENCE, AGAIN = 5.0, 0.5  # seconds that a worker which restarts is waited for


def never(_session: Session, _deploy: str) -> None:
    raise AssertionError("looking at a room plans nothing")


class Prober:
    def __init__(
        self,
        *,
        database: Database,
        gatherer: Gatherer,
        workers: Callable[[], Awaitable[int]],
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._database = database
        self._workers = workers
        self._gatherer = gatherer
        self._clock = clock
        self._new_id = new_id
        self._turns: dict[str, asyncio.Lock] = {}

    async def room(self, service: Service, environment: Environment, commit: str | None = None) -> Room:
        """The room; one that nothing is known of is asked first, by the `status` of `commit` or of the newest release.
        Whatever goes wrong with that is logged, and the room stays unknown."""
        name = room_name(service.name, environment.name)
        async with self._turns.setdefault(name, asyncio.Lock()):
            room = await self._database.read(lambda session: deploys.room(session, service.name, environment.name))
            if room.probed:
                return room
            probe = f"look-{self._new_id()}"
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._somebody()
                    reports = await self._ask(service, environment, commit, probe)
            except (TimeoutError, OSError, SourceError) as error:
                log.warning("nobody knows what runs in %s: %s", name, error)
                await self._database.write(lambda session, topics: self._withdraw(session, topics, probe))
                return room
            if not any(report.version for report in reports.values()):
                return room
            found = Found(reports=reports)
            return await self._database.write(
                lambda session, topics: self._enter(session, topics, service.name, environment.name, found)
            )

    async def _somebody(self) -> None:
        """Raises TimeoutError: nobody is there who could ask them."""
        for _ in range(int(ABSENCE / AGAIN)):
            if await self._workers():
                return
            await asyncio.sleep(AGAIN)
        raise TimeoutError("no worker is there")

    def _enter(self, session: Session, topics: set[str], service: str, environment: str, found: Found) -> Room:
        book = Book(session, topics, never)
        state = book.state(service, environment)
        if state.room.probed:
            return state.room
        return book.append(state, [found], self._clock(), by="shipmate", via="status").room

    def _withdraw(self, session: Session, topics: set[str], probe: str) -> None:
        """Nobody waits for the answers any more."""
        steps.stop_all(session, probe)
        topics.add("steps")

    async def _ask(
        self, service: Service, environment: Environment, commit: str | None, probe: str
    ) -> dict[str, Report]:
        commit = commit or await self._gatherer.default_commit(service)
        cooked = await self._gatherer.recipe(service, commit) if commit else None
        if not isinstance(cooked, Cooked) or commit is None:
            return {}
        targets = service.targets_in(environment.name)
        making = Making(
            service=service.name,
            environment=environment.name,
            version="",
            commit=commit,
            recipe=cooked.recipe,
            regions={target.name: target.region for target in targets},
        )
        asked = [step for target in targets if (step := status(making, target.name, expect=False)) is not None]
        endings = await self._carry_out(service, environment, asked, cooked.recipe, probe)
        return {step.target: await self._meaning(service, ending) for step, ending in zip(asked, endings, strict=True)}

    async def _carry_out(
        self, service: Service, environment: Environment, asked: list[Step], recipe: Recipe, probe: str
    ) -> list[Ending]:
        keys = [StepKey(deploy=probe, step=f"{i:03d}-status", attempt=1) for i in range(1, len(asked) + 1)]

        def claim(session: Session, topics: set[str]) -> None:
            for key, step in zip(keys, asked, strict=True):
                work = _work(service, environment, step, probe, recipe)
                steps.claim(session, key, work, steps.ANY_HOST, self._clock())
            topics.add("steps")

        with self._database.waker.listening(f"probe:{probe}") as told:
            await self._database.write(claim)
            while True:
                told.clear()
                found = await self._database.read(lambda session: [steps.ending(session, key) for key in keys])
                if all(ending is not None for ending in found):
                    return [ending for ending in found if ending is not None]
                await heard(told, 1.0)

    async def _meaning(self, service: Service, ending: Ending) -> Report:
        if ending.report is None:
            return Report(detail=ending.detail or "said nothing")
        for word in words(ending.report)[:8]:
            if (named := await self._gatherer.named(service, word)) is not None:
                return Report(line=ending.report.line, version=named[0], commit=named[1])
        return ending.report


def _work(service: Service, environment: Environment, step: Step, probe: str, recipe: Recipe) -> Work:
    env = {
        "SERVICE": service.name,
        "ENVIRONMENT": environment.name,
        "TARGET": step.target,
        "REGION": step.region,
        "DEPLOY_ID": probe,
    }
    return Work(
        how=step.how,
        what=step.what,
        repo=service.repo,
        commit=step.commit,
        env=env,
        timeout=step.timeout,
        on_lost=step.on_lost,
        status=True,
        secrets={name: environment.reference(service.name, name) for name in recipe.secrets},
        pass_env=environment.pass_env,
    )
