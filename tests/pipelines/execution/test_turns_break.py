"""Turns that break: the deploy says that it stands still, under an id that the log has, and goes on when it can."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from pipelines.domain.deploy import Deploy
from pipelines.domain.events import AbortAsked, Outcome, Place, Then
from pipelines.domain.model import Config
from pipelines.execution.turns import Turns, UnknownDeployError
from tests.support import domain
from tests.support.domain import ANA, LEAST, commit_of
from tests.support.front import Front, enqueue_nothing, now, opened
from tests.support.repository import until

BACK = Then(
    version="v1.3",
    commit=commit_of("v1.3"),
    digest="git-tree:" + "t" * 40,
    recipe=LEAST,
    ask="a2",
    deploy="d2",
    by=ANA,
    place=Place(surface="slack", channel="C1"),
)


class Configured:
    """A configuration that cannot be had until it is mended."""

    def __init__(self) -> None:
        self.mended = False

    def __call__(self) -> Config:
        if not self.mended:
            raise RuntimeError("no configuration today")
        return domain.config()


@pytest.fixture
async def front(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Front]:
    monkeypatch.setattr("pipelines.execution.turns.PAUSE", 0.01)
    monkeypatch.setattr("pipelines.execution.turns.LONGEST_PAUSE", 0.05)
    async with opened(tmp_path) as front:
        yield front


async def seen(front: Front, deploy: str, condition: Callable[[Deploy], bool]) -> Deploy:
    async with asyncio.timeout(20):
        while (found := await front.shipmate.deploy(deploy)) is None or not condition(found):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return found


async def test_a_deploy_that_cannot_go_on_says_so_once_and_goes_on_when_it_can(
    front: Front, caplog: pytest.LogCaptureFixture
) -> None:
    await front.ship("v1.3", deploy="d0")
    await front.plan("v1.4", deploy="d1")
    await front.append("d1", AbortAsked(deploy="d1", ask="a2", by=ANA, then=BACK))
    config = Configured()
    turns = Turns(database=front.database, enqueue=enqueue_nothing, host="test", config=config, clock=now)
    carried = asyncio.create_task(turns.carry_out("d1"))
    still = await seen(front, "d1", lambda deploy: bool(deploy.stumbled))
    assert f"error {still.stumbled} while carrying out d1" in caplog.text
    assert "RuntimeError: no configuration today" in caplog.text
    await until(lambda: caplog.text.count("while carrying out d1") >= 8)
    again = await front.shipmate.deploy("d1")
    assert again is not None and again.seq == still.seq  # said once, however often it breaks
    config.mended = True
    async with asyncio.timeout(20):
        await carried
    over = await front.shipmate.deploy("d1")
    assert over is not None and (over.outcome, over.stumbled) == (Outcome.ABORTED, "")
    assert await front.shipmate.deploy("d2") is not None


async def test_one_turn_that_broke_is_told_to_nobody(
    front: Front, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # time enough to mend it before it breaks again
    deploy = await front.plan()
    turns = Turns(database=front.database, enqueue=enqueue_nothing, host="test", config=domain.config, clock=now)
    await front.database.write(lambda session, _: session.exec(text("ALTER TABLE step RENAME TO away")))  # type: ignore[call-overload]
    carried = asyncio.create_task(turns.carry_out(deploy.id))
    await until(lambda: "while carrying out" in caplog.text)
    await front.database.write(lambda session, _: session.exec(text("ALTER TABLE away RENAME TO step")))  # type: ignore[call-overload]
    begun = await seen(front, deploy.id, lambda found: bool(found.runs))
    assert begun.stumbled == ""
    carried.cancel()
    with suppress(asyncio.CancelledError):
        await carried


async def test_where_it_cannot_be_said_either_the_log_has_both(front: Front, caplog: pytest.LogCaptureFixture) -> None:
    deploy = await front.plan()
    await front.database.write(lambda session, _: session.exec(text("DROP TABLE event")))  # type: ignore[call-overload]
    turns = Turns(database=front.database, enqueue=enqueue_nothing, host="test", config=domain.config, clock=now)
    carried = asyncio.create_task(turns.carry_out(deploy.id))
    await until(lambda: f"while saying that {deploy.id} stands still" in caplog.text)
    assert not carried.done()
    carried.cancel()
    with suppress(asyncio.CancelledError):
        await carried


async def test_a_deploy_that_the_journal_does_not_know_is_not_carried_out(front: Front) -> None:
    turns = Turns(database=front.database, enqueue=enqueue_nothing, host="test", config=domain.config, clock=now)
    with pytest.raises(UnknownDeployError):
        await turns.carry_out("nobody")
