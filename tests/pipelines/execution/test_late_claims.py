"""Claims that an agent finds when it comes back: what is too late by now is never begun, what ended says when."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.domain.events import Progress
from pipelines.domain.plan import How
from pipelines.domain.stepwork import Work
from pipelines.execution import rundir
from pipelines.execution.agent import Agent
from pipelines.execution.rundir import RunState
from pipelines.execution.source import Source
from pipelines.storage import steps
from pipelines.storage.database import Database
from pipelines.storage.schema import bring_up_to_date
from pipelines.storage.steps import Ending, StepKey
from tests.support.service import Service

KEY = StepKey(deploy="d1", step="001-deploy", attempt=1)
HOUR = timedelta(hours=1)


class Host:
    """An agent of its own database and clock. `claim` claims for it, `until_ended` is what came of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ahead = timedelta()
        bring_up_to_date(f"sqlite:///{folder}/shipmate.db")
        self.database = Database(f"sqlite:///{folder}/shipmate.db")
        self.source = Source(folder / "git")
        self.service = Service(folder=folder)
        self.commit = self.service.commit({"install.sh": f'#!/bin/bash\necho ran >> "{folder}/ledger"\n'})

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    @property
    def run_dir(self) -> Path:
        return self.folder / "runs" / KEY.deploy / f"{KEY.step}.1"

    def script(self) -> Work:
        return Work(how=How.SCRIPT, what="install.sh", repo=str(self.service.repository), commit=self.commit)

    async def claim(self, work: Work) -> None:
        await self.database.write(lambda session, _: steps.claim(session, KEY, work, "here", self.now()))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        agent = Agent(
            database=self.database, source=self.source, host="here", runs=self.folder / "runs", clock=self.now
        )
        task = asyncio.create_task(agent.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def until_ended(self) -> Ending:
        async def ending() -> Ending | None:
            return await self.database.read(lambda session: steps.ending(session, KEY))

        return await until(ending)


async def until(look: Callable[[], Awaitable[Ending | None]]) -> Ending:
    async with asyncio.timeout(20):
        while (found := await look()) is None:  # noqa: ASYNC110 (a database has no event for it)
            await asyncio.sleep(0.02)
    return found


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Host]:
    made = Host(tmp_path)
    await made.source.refresh(str(made.service.repository))
    yield made
    await made.source.close()
    await made.database.close()


async def test_a_script_that_nobody_began_in_time_is_missed_and_never_begins(host: Host) -> None:
    await host.claim(host.script())
    host.ahead = HOUR
    async with host.running():
        ending = await host.until_ended()
    assert ending.progress is Progress.MISSED and ending.at is not None
    assert host.now() - ending.at > timedelta(minutes=59)
    assert not (host.folder / "ledger").exists()
    rundir.spawn(host.run_dir)  # whoever tries it all the same finds it forbidden
    assert rundir.state(host.run_dir) is RunState.EXITED
    assert not (host.folder / "ledger").exists()


async def test_a_script_that_was_begun_by_the_agent_before_is_never_missed(host: Host) -> None:
    await host.claim(host.script())
    async with host.running():
        began = await host.until_ended()
    assert began.progress is Progress.OK, began
    assert (host.folder / "ledger").read_text() == "ran\n"
    assert began.at == rundir_end(host)


def rundir_end(host: Host) -> datetime:
    found = rundir.read_exit(host.run_dir)
    assert found is not None
    return found.at


async def test_what_ended_while_nobody_was_there_says_when_it_did(host: Host) -> None:
    await host.claim(host.script())
    (host.run_dir).mkdir(parents=True)
    script = host.service.repository / "install.sh"
    rundir.prepare(host.run_dir, rundir.Spec(argv=[str(script)], cwd=str(host.folder), env={}))
    rundir.spawn(host.run_dir)
    async with asyncio.timeout(20):
        while rundir.state(host.run_dir) is not RunState.EXITED:  # noqa: ASYNC110 (what is waited for is a process)
            await asyncio.sleep(0.02)
    host.ahead = HOUR
    async with host.running():
        ending = await host.until_ended()
    assert (ending.progress, ending.at) == (Progress.OK, rundir_end(host))


async def test_what_was_lost_while_nobody_was_there_was_lost_after_its_last_sign(host: Host) -> None:
    await host.claim(host.script())
    host.run_dir.mkdir(parents=True)
    began = host.now().timestamp()
    started = f'{{"pid": 0, "start": null, "session": 1, "script_start": null, "boot_id": null, "at": {began}}}'
    (host.run_dir / "started").write_text(started)
    host.ahead = HOUR
    async with host.running():
        ending = await host.until_ended()
    assert ending.progress is Progress.LOST and ending.at is not None
    assert ending.at.timestamp() == pytest.approx(began)
    (host.run_dir / "out").write_text("a last line")
    sign = rundir.last_sign(host.run_dir)
    assert sign is not None and sign > ending.at


async def test_a_wait_is_over_when_its_time_is_whoever_waited(host: Host) -> None:
    await host.claim(Work(how=How.WAIT, what="", timeout=1800))
    host.ahead = HOUR
    async with host.running():
        ending = await host.until_ended()
    assert ending.progress is Progress.OK and ending.at is not None
    assert timedelta(minutes=29) < host.now() - ending.at < timedelta(minutes=31)


async def test_a_question_that_nobody_asked_in_time_is_missed(host: Host) -> None:
    await host.claim(Work(how=How.TCP, what="127.0.0.1:1", timeout=5))
    host.ahead = HOUR
    async with host.running():
        assert (await host.until_ended()).progress is Progress.MISSED
