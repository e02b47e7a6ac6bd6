"""What is asked of a driver of deploys, asked of both: DBOS, and the one that the simulation runs on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlmodel import Session

from pipelines.execution.driver import Driver
from pipelines.execution.engine import DurableEngine
from pipelines.storage.database import Database
from pipelines.storage.schema import bring_up_to_date
from tests.simulation.engine import SimulatedEngine, make_table

Make = Callable[[Database], Driver]


def durable(database: Database) -> Driver:
    return DurableEngine(database.url)


def simulated(database: Database) -> Driver:
    database.write_now(lambda session, _topics: make_table(session))
    return SimulatedEngine(database)


@dataclass
class Work:
    """Carries deploys out: notes that one begins, waits until it may end, and ends as it is told."""

    begun: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    breaks: set[str] = field(default_factory=set)
    may_end: asyncio.Event = field(default_factory=asyncio.Event)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def carry_out(self, deploy: str) -> None:
        self.begun.append(deploy)
        self.changed.set()
        await self.may_end.wait()
        if deploy in self.breaks:
            raise RuntimeError(f"{deploy} breaks, as it was told to")
        self.ended.append(deploy)
        self.changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


@dataclass
class Bench:
    database: Database
    make: Make

    @asynccontextmanager
    async def process(self, work: Work) -> AsyncIterator[Driver]:
        """A driver as one process has it, from its start to its end."""
        driver = self.make(self.database)
        await driver.start(work.carry_out)
        try:
            yield driver
        finally:
            await driver.stop()

    async def enqueue(self, driver: Driver, deploy: str) -> None:
        await self.database.write(lambda session, _: driver.enqueue(session, deploy))

    async def stranded(self, driver: Driver, *running: str, gone: bool = False) -> list[str]:
        return await self.database.write(lambda session, _: driver.stranded(session, list(running), lambda *_: gone))

    async def until_stranded(self, driver: Driver, deploy: str) -> None:
        async with asyncio.timeout(20):
            while await self.stranded(driver, deploy) != [deploy]:  # noqa: ASYNC110 (a database has no event for it)
                await asyncio.sleep(0.02)


@pytest.fixture(params=[durable, simulated], ids=["dbos", "simulated"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    url = f"sqlite:///{tmp_path}/shipmate.db"
    bring_up_to_date(url)
    database = Database(url)
    yield Bench(database=database, make=request.param)
    await database.close()


async def test_what_is_committed_is_carried_out(bench: Bench) -> None:
    work = Work()
    work.may_end.set()
    async with bench.process(work) as driver:
        await bench.enqueue(driver, "d1")
        await work.until(lambda: work.ended == ["d1"])
        await bench.until_stranded(driver, "d1")  # its workflow is over: whoever believes that it runs is told


async def test_what_is_rolled_back_is_not_carried_out(bench: Bench) -> None:
    work = Work()
    work.may_end.set()

    def broken(session: Session, _topics: set[str]) -> None:
        driver.enqueue(session, "d1")
        raise OSError("the transaction breaks after it enqueued")

    async with bench.process(work) as driver:
        with pytest.raises(OSError, match="breaks"):
            await bench.database.write(broken)
        assert await bench.stranded(driver, "d1") == ["d1"]
        await bench.enqueue(driver, "d2")
        await work.until(lambda: work.ended == ["d2"])
    assert work.begun == ["d2"]


async def test_the_same_deploy_twice_is_one(bench: Bench) -> None:
    work = Work()
    async with bench.process(work) as driver:
        await bench.enqueue(driver, "d1")
        await bench.enqueue(driver, "d1")
        await bench.enqueue(driver, "d2")
        await work.until(lambda: len(work.begun) == 2)
        assert sorted(work.begun) == ["d1", "d2"]
        assert await bench.stranded(driver, "d1", "d2", "d3") == ["d3"]


async def test_what_a_host_has_in_hand_that_is_gone_is_stranded(bench: Bench) -> None:
    work = Work()
    async with bench.process(work) as driver:
        await bench.enqueue(driver, "d1")
        await work.until(lambda: work.begun == ["d1"])
        assert await bench.stranded(driver, "d1") == []
        assert await bench.stranded(driver, "d1", gone=True) == ["d1"]
        work.may_end.set()


async def test_what_a_process_left_unfinished_the_next_one_begins_again(bench: Bench) -> None:
    first, second = Work(), Work()
    second.may_end.set()
    async with bench.process(first) as driver:
        await bench.enqueue(driver, "d1")
        await first.until(lambda: first.begun == ["d1"])
    async with bench.process(second) as driver:
        await second.until(lambda: second.ended == ["d1"])
    assert first.ended == []


async def test_what_was_enqueued_for_nobody_is_carried_out_by_who_starts_next(bench: Bench) -> None:
    work = Work()
    work.may_end.set()
    async with bench.process(Work()):
        pass  # the tables are there now
    nobody = bench.make(bench.database)
    await bench.enqueue(nobody, "d1")
    async with bench.process(work) as driver:
        await work.until(lambda: work.ended == ["d1"])
        await bench.until_stranded(driver, "d1")
    await nobody.stop()


async def test_one_that_ended_in_an_error_is_stranded_and_takes_another_try(bench: Bench) -> None:
    work = Work(breaks={"d1"})
    work.may_end.set()
    async with bench.process(work) as driver:
        await bench.enqueue(driver, "d1")
        await bench.until_stranded(driver, "d1")
        await bench.enqueue(driver, "d1")  # the same id never runs again
        assert await bench.stranded(driver, "d1") == ["d1"]
        work.breaks.clear()
        await bench.database.write(lambda session, _: driver.enqueue_again(session, "d1"))
        await work.until(lambda: work.ended == ["d1"])
    assert work.begun == ["d1", "d1"]


async def test_one_that_nobody_ever_enqueued_is_taken_up(bench: Bench) -> None:
    """What the loss of the engine's tables leaves."""
    work = Work()  # it may not end before it was looked at: who has ended is stranded again
    async with bench.process(work) as driver:
        assert await bench.stranded(driver, "d1") == ["d1"]
        await bench.database.write(lambda session, _: driver.enqueue_again(session, "d1"))
        assert await bench.stranded(driver, "d1") == []
        work.may_end.set()
        await work.until(lambda: work.ended == ["d1"])
