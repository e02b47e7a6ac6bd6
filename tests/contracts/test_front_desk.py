"""What the front desk promises, on SQLite and on PostgreSQL alike. The engine is the test; nothing is asked of git."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, select

from pipelines.domain.commands import Abort
from pipelines.domain.events import Asked, Outcome, Place
from pipelines.domain.model import Person
from pipelines.domain.refusals import Accepted, Code, Refusal
from pipelines.storage import asks
from pipelines.storage.tables import EventRow
from tests.support.domain import ANA, RAJ
from tests.support.front import Front, now, opened

TERMINAL = Place(surface="terminal")


class Doorman:
    """Everybody is who they say, and there are no groups."""

    async def person(self, by: Person) -> Person:
        return by

    async def members(self, group: str) -> frozenset[str] | None:
        return None

    async def cannot_post(self, channel: str) -> str | None:
        return None


@pytest.fixture
async def front(tmp_path: Path, database_url: str) -> AsyncIterator[Front]:
    async with opened(tmp_path, database_url) as front:
        front.doorman.real = Doorman()
        yield front


async def kinds(front: Front, stream: str) -> list[str]:
    """The kinds of the events of a stream, in order."""

    def look(session: Session) -> list[str]:
        query = select(EventRow.kind).where(EventRow.stream == stream).order_by(EventRow.seq)  # type: ignore[arg-type]
        return list(session.exec(query))

    return await front.database.read(look)


async def left(front: Front, ask: str, age: timedelta) -> None:
    """An ask that a process kept and did not live to decide."""
    asked = Asked(ask=ask, key=ask, command=Abort(deploy="d1"), by=RAJ, place=TERMINAL)
    await front.database.write(lambda session, _: asks.insert(session, asked, now() - age))


async def test_what_is_asked_is_decided_and_answered(front: Front) -> None:
    receipt = await front.shipmate.ask(Abort(), by=ANA, place=TERMINAL, key="k1")
    refused = await asyncio.wait_for(front.shipmate.answer(receipt.ask), 10)
    assert isinstance(refused, Refusal) and refused.gates[0].code is Code.NOTHING_RUNNING
    assert await kinds(front, "front") == ["asked", "refused"]


async def test_the_same_key_is_one_ask(front: Front) -> None:
    await front.plan()
    receipts = await asyncio.gather(
        *(front.shipmate.ask(Abort(deploy="d1"), by=RAJ, place=TERMINAL, key="k1") for _ in range(5))
    )
    assert len({receipt.ask for receipt in receipts}) == 1
    assert sorted(receipt.new for receipt in receipts) == [False] * 4 + [True]
    answer = await asyncio.wait_for(front.shipmate.answer(receipts[0].ask), 10)
    assert answer == Accepted(deploy="d1", done="abort")
    assert await kinds(front, "api/staging") == ["planned", "abort_asked"]


async def test_what_was_left_undecided_is_decided_unless_it_is_old(front: Front) -> None:
    await front.plan()
    await left(front, "young", timedelta(minutes=1))
    await left(front, "old", timedelta(minutes=6))
    await front.shipmate.sweep()
    assert await asyncio.wait_for(front.shipmate.answer("young"), 10) == Accepted(deploy="d1", done="abort")
    refused = await asyncio.wait_for(front.shipmate.answer("old"), 10)
    assert isinstance(refused, Refusal) and refused.gates[0].code is Code.TOO_OLD


async def test_what_is_kept_while_the_desk_closes_is_left_to_the_next_process(front: Front, tmp_path: Path) -> None:
    asking = asyncio.create_task(front.shipmate.ask(Abort(), by=ANA, place=TERMINAL, key="k1"))
    await asyncio.sleep(0)  # it has looked whether the desk is open
    front.shipmate.close()
    await front.shipmate.stop()
    assert (await asking).new
    await asyncio.wait({task for task in asyncio.all_tasks() if "decide" in repr(task.get_coro())} or {asking})
    assert await kinds(front, "front") == ["asked"]
    async with opened(tmp_path, front.database.url) as other:
        other.doorman.real = Doorman()
        await other.shipmate.sweep()
        refused = await asyncio.wait_for(other.shipmate.answer(asking.result().ask), 10)
    assert isinstance(refused, Refusal) and refused.gates[0].code is Code.NOTHING_RUNNING


async def test_two_desks_decide_an_ask_once(front: Front, tmp_path: Path) -> None:
    await front.plan()
    await left(front, "a1", timedelta())
    async with opened(tmp_path, front.database.url) as other:
        other.doorman.real = Doorman()
        await asyncio.gather(front.shipmate.sweep(), other.shipmate.sweep())
        for desk in (front, other):
            assert await asyncio.wait_for(desk.shipmate.answer("a1"), 10) == Accepted(deploy="d1", done="abort")
    assert await kinds(front, "api/staging") == ["planned", "abort_asked"]


async def test_a_deploy_is_followed_to_its_end(front: Front) -> None:
    async def follow() -> list[int]:
        return [deploy.seq async for deploy in front.shipmate.follow("d1")]

    following = asyncio.create_task(follow())
    ended = await front.ship("v1.4", deploy="d1")
    seen = await asyncio.wait_for(following, 10)
    assert ended.outcome is Outcome.LIVE and seen[-1] == ended.seq and seen == sorted(seen)
