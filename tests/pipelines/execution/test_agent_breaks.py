"""What breaks on our side while a step is carried out: the script is not hurt by it, the step never hangs, nothing runs
on after a failure, and what nobody can know is asked. The faults are real: files and tables that are not as they must
be, and a clock that stops."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from pipelines.domain.events import Progress
from pipelines.domain.plan import How
from pipelines.domain.stepwork import Work
from pipelines.execution.agent import TRIES, Agent
from pipelines.execution.source import Source
from pipelines.storage import steps
from pipelines.storage.database import Database
from pipelines.storage.schema import bring_up_to_date
from pipelines.storage.steps import Ending, StepKey
from tests.support.process import until
from tests.support.service import Service

KEY = StepKey(deploy="d1", step="001-deploy", attempt=1)
GO = 'echo begun; for i in $(seq 600); do [ -e "{go}" ] && break; sleep 0.05; done; echo done; touch "{ended}"'
BROKE = re.compile(r"because Shipmate itself broke \(error ([0-9a-z]{8})\)$")


@dataclass
class Stage:
    folder: Path
    database: Database
    source: Source
    service: Service
    stopped: list[Exception] = field(default_factory=list)  # what the clock raises once the script began, one a look

    def clock(self) -> datetime:
        if self.stopped and (self.run_dir / "started").exists():
            raise self.stopped.pop()
        return datetime.now(UTC)

    @property
    def run_dir(self) -> Path:
        return self.folder / "runs" / KEY.deploy / f"{KEY.step}.{KEY.attempt}"

    def begun(self) -> bool:
        out = self.run_dir / "out"
        return out.exists() and b"begun" in out.read_bytes()

    def go(self) -> None:
        (self.folder / "go").touch()

    async def claim(self) -> None:
        commit = self.service.git("rev-parse", "HEAD")
        work = Work(how=How.SCRIPT, what="run.sh", repo=str(self.service.repository), commit=commit, timeout=60)
        await self.database.write(lambda session, _: steps.claim(session, KEY, work, "here", datetime.now(UTC)))

    async def ending(self) -> Ending:
        """How it ended; when is another test's."""
        async with asyncio.timeout(60):
            while (found := await self.database.read(lambda session: steps.ending(session, KEY))) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return replace(found, at=None)

    async def output(self) -> str:
        return "".join(p.data.decode() for p in await self.database.read(lambda session: steps.pieces(session, "d1")))


@pytest.fixture
async def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    monkeypatch.setattr("pipelines.execution.agent.AGAIN", 0.01)
    service = Service(folder=tmp_path)
    script = GO.format(go=tmp_path / "go", ended=tmp_path / "ended")
    service.commit({"run.sh": f"#!/bin/bash\n{script}\n"})
    url = f"sqlite:///{tmp_path}/shipmate.db"
    bring_up_to_date(url)
    database, source = Database(url), Source(tmp_path / "git")
    await source.refresh(str(service.repository))
    yield Stage(folder=tmp_path, database=database, source=source, service=service)
    (tmp_path / "go").touch()
    await source.close()
    await database.close()


@asynccontextmanager
async def working(stage: Stage) -> AsyncIterator[None]:
    agent = Agent(
        database=stage.database, source=stage.source, host="here", runs=stage.folder / "runs", clock=stage.clock
    )
    task = asyncio.create_task(agent.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def soon(condition: Callable[[], bool]) -> None:
    await asyncio.to_thread(until, condition)


async def test_an_error_of_our_own_before_the_start_fails_the_step(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    await stage.source.close()
    await stage.claim()
    async with working(stage):
        ending = await stage.ending()
    assert ending.progress is Progress.FAILED
    found = BROKE.search(ending.detail)
    assert found and f"error {found[1]} while carrying out step 001-deploy of d1" in caplog.text
    assert "RuntimeError: cannot schedule new futures after shutdown" in caplog.text
    assert not (stage.run_dir / "started").exists()


async def test_an_error_that_is_over_soon_hurts_no_script(stage: Stage) -> None:
    await stage.claim()
    stage.stopped = [RuntimeError("the clock stands still")] * 2
    async with working(stage):
        await soon(lambda: not stage.stopped)
        stage.go()
        assert await stage.ending() == Ending(progress=Progress.OK)
    assert await stage.output() == "begun\ndone\n"


async def test_an_error_that_stays_ends_the_script_and_fails_the_step(stage: Stage) -> None:
    await stage.claim()
    stage.stopped = [RuntimeError("the clock stands still")] * 3
    async with working(stage):
        ending = await stage.ending()
    assert ending.progress is Progress.FAILED and BROKE.search(ending.detail)
    assert (stage.run_dir / "exit").exists()
    assert not (stage.folder / "ended").exists()


async def test_a_database_that_is_away_is_waited_for(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    await stage.claim()
    async with working(stage):
        await stage.database.write(lambda session, _: session.exec(text("ALTER TABLE output RENAME TO away")))  # type: ignore[call-overload]
        await soon(stage.begun)
        stage.go()
        await soon((stage.folder / "ended").exists)
        await soon(lambda: caplog.text.count("while carrying out step") > 2 * TRIES)
        assert await stage.database.read(lambda session: steps.ending(session, KEY)) is None
        await stage.database.write(lambda session, _: session.exec(text("ALTER TABLE away RENAME TO output")))  # type: ignore[call-overload]
        assert await stage.ending() == Ending(progress=Progress.OK)
    assert await stage.output() == "begun\ndone\n"


async def test_where_nobody_can_know_how_it_ended_a_person_is_asked(stage: Stage) -> None:
    await stage.claim()
    async with working(stage):
        await soon(stage.begun)
        (stage.run_dir / "started").write_text("this was once a file of ours")
        ending = await stage.ending()
    assert ending.progress is Progress.LOST and BROKE.search(ending.detail)


async def test_a_claim_that_nobody_can_read_holds_up_no_other(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    await stage.claim()
    odd = "INSERT INTO step SELECT 'odd', step, attempt, host, '{}', stop, claimed_at, ended_at, '', '', '' FROM step"
    await stage.database.write(lambda session, _: session.exec(text(odd)))  # type: ignore[call-overload]
    stage.go()
    async with working(stage):
        assert await stage.ending() == Ending(progress=Progress.OK)
    assert "while reading the claim of odd 001-deploy, which is left alone" in caplog.text


async def test_a_run_folder_that_cannot_be_made_is_told_at_once(stage: Stage) -> None:
    (stage.folder / "runs").write_text("no folder")
    await stage.claim()
    async with working(stage):
        ending = await stage.ending()
    assert ending == Ending(progress=Progress.FAILED, detail="did not start: Not a directory")
