"""What waits and what runs is counted; a write that is nobody's proves that writing works and changes nothing."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import Session

from pipelines.domain.events import Misread, Progress
from pipelines.domain.plan import How
from pipelines.domain.stepwork import Work
from pipelines.storage import steps
from pipelines.storage.book import Book
from pipelines.storage.figures import Figures, figures, probe
from pipelines.storage.journal import Entry
from pipelines.storage.steps import StepKey
from tests.support.domain import ANA
from tests.support.front import Front, enqueue_nothing, now, opened

NOTHING = Figures(undecided=0, unanswered=0, running=0, waiting=0, scripts=0, unpainted=0)


@pytest.fixture
async def front(tmp_path: Path, database_url: str) -> AsyncIterator[Front]:
    async with opened(tmp_path, database_url) as front:
        yield front


async def counted(front: Front) -> Figures:
    return await front.database.read(lambda session: figures(session, "slack"))


async def test_a_deploy_is_counted_from_its_beginning_until_its_message_is_true(front: Front) -> None:
    assert await counted(front) == NOTHING
    deploy = await front.plan()
    assert await counted(front) == replace(NOTHING, running=1)
    deploy = await front.start(deploy)
    await front.end(deploy, Progress.LOST)
    assert await counted(front) == replace(NOTHING, running=1, waiting=1)
    deploy = await front.close(deploy)
    assert await counted(front) == replace(NOTHING, unpainted=1)
    await front.shipmate.painted(deploy.id, deploy.seq - 1)
    assert (await counted(front)).unpainted == 1
    await front.shipmate.painted(deploy.id, deploy.seq)
    assert await counted(front) == NOTHING


async def test_scripts_are_counted_and_questions_are_not(front: Front) -> None:
    def claim(session: Session, _topics: set[str]) -> None:
        for step, how in (("001", How.SCRIPT), ("002", How.HTTP)):
            key = StepKey(deploy="d1", step=step, attempt=1)
            steps.claim(session, key, Work(how=how, what="x"), "here", now())

    await front.database.write(claim)
    assert (await counted(front)).scripts == 1


async def test_a_probe_is_a_write_that_changes_nothing_that_anybody_reads(front: Front) -> None:
    deploy = await front.plan()
    for _ in range(3):
        await front.database.write(lambda session, _: probe(session))
    assert await front.shipmate.deploy(deploy.id) == deploy
    assert await counted(front) == replace(NOTHING, running=1)


async def test_what_is_committed_stays_so_whatever_a_listener_makes_of_it(
    front: Front, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[str] = []

    def breaks(_entry: Entry) -> None:
        raise RuntimeError("a listener that breaks")

    front.database.listeners += [breaks, lambda entry: heard.append(entry.event.kind)]
    deploy = await front.plan()
    assert heard == ["planned"] and "while telling of entry 1 of api/staging" in caplog.text
    assert await front.shipmate.deploy(deploy.id) == deploy


async def test_what_is_rolled_back_is_told_to_nobody(front: Front) -> None:
    heard: list[Entry] = []
    front.database.listeners.append(heard.append)

    def broken(session: Session, topics: set[str]) -> None:
        book = Book(session, topics, enqueue_nothing)
        book.front(Misread(text="x", by=ANA), now(), by="ana", via="test")
        raise RuntimeError("rolled back")

    with pytest.raises(RuntimeError, match="rolled back"):
        await front.database.write(broken)
    assert heard == []
