"""An agent over a real database, with real scripts out of a real repository; the engine's side is the test's."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.domain.events import Progress
from pipelines.domain.plan import How
from pipelines.domain.stepwork import Work
from pipelines.execution import rundir
from pipelines.execution.agent import Agent
from pipelines.execution.source import Source
from pipelines.storage import steps
from pipelines.storage.database import Database, heard
from pipelines.storage.schema import bring_up_to_date
from pipelines.storage.steps import Ending, StepKey
from tests.support.repository import Repository
from tests.support.runs import end_all

HOST = "test"
PATIENCE = 60.0


def now() -> datetime:
    return datetime.now(UTC)


class Rig:
    """`begin` lets the agent work, `die` takes it away as kill -9 would: scripts live on."""

    def __init__(
        self, folder: Path, database: Database, source: Source, runs: Path | None = None, **agent: Any
    ) -> None:
        self.folder = folder
        self.database = database
        self.source = source
        self.repository = Repository(folder / "repository")
        self.runs = runs or folder / "runs"
        self._given = agent
        self._working: asyncio.Task[None] | None = None
        self._claims = 0

    def begin(self) -> None:
        agent = Agent(database=self.database, source=self.source, host=HOST, runs=self.runs, **self._given)
        self._working = asyncio.create_task(agent.run())

    async def die(self) -> None:
        if self._working is not None:
            self._working.cancel()
            with suppress(asyncio.CancelledError):
                await self._working
            self._working = None

    async def commit(self, *bodies: str) -> str:
        """A commit that holds these scripts as `0.sh`, `1.sh`, …"""
        files = {f"{number}.sh": f"#!/bin/bash\n{body}\n" for number, body in enumerate(bodies)}
        for name in files:
            (self.repository.folder / name).touch()
            (self.repository.folder / name).chmod(0o755)
        commit = self.repository.commit("scripts", files)
        await self.source.refresh(self.repository.url)
        return commit

    async def claim(self, commit: str, script: int = 0, **work: Any) -> StepKey:
        self._claims += 1
        key = StepKey(deploy=f"d{self._claims}", step="001-deploy", attempt=1)
        it = Work(how=How.SCRIPT, what=f"{script}.sh", repo=self.repository.url, commit=commit, **work)

        def claimed(session: Any, topics: set[str]) -> None:
            steps.claim(session, key, it, HOST, now())
            topics.add("steps")

        await self.database.write(claimed)
        return key

    async def runs_script(self, body: str, **work: Any) -> StepKey:
        return await self.claim(await self.commit(body), **work)

    async def stop(self, key: StepKey) -> None:
        def stopped(session: Any, topics: set[str]) -> None:
            steps.stop(session, key)
            topics.add("steps")

        await self.database.write(stopped)

    async def ending(self, key: StepKey, *, what: Callable[[Ending], bool] | None = None) -> Ending:
        """How it ended; with `what`, the first thing recorded of it that fits."""
        fits = what or (lambda ending: ending.progress is not Progress.UNSUPERVISED)
        async with asyncio.timeout(PATIENCE):
            with self.database.waker.listening(f"deploy:{key.deploy}") as told:
                while True:
                    told.clear()
                    found = await self.database.read(lambda session: steps.ending(session, key))
                    if found is not None and fits(found):
                        return found
                    await heard(told, 0.2)

    async def output(self, key: StepKey) -> str:
        pieces = await self.database.read(lambda session: steps.pieces(session, key.deploy))
        return b"".join(piece.data for piece in pieces).decode(errors="replace")

    def run_dir(self, key: StepKey) -> Path:
        return self.runs / key.deploy / f"{key.step}.{key.attempt}"

    def state(self, key: StepKey) -> rundir.RunState:
        return rundir.state(self.run_dir(key))


@asynccontextmanager
async def rigged(folder: Path, **agent: Any) -> AsyncIterator[Rig]:
    url = f"sqlite:///{folder}/shipmate.db"
    bring_up_to_date(url)
    database, source = Database(url), Source(folder / "git")
    rig = Rig(folder, database, source, **agent)
    try:
        yield rig
    finally:
        await rig.die()
        end_all(rig.runs)
        await source.close()
        await database.close()
