"""Output of many scripts at once does not keep an ask waiting."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlmodel import Session

from pipelines.storage import crowds
from pipelines.storage.crowds import Crowd
from pipelines.storage.database import Database
from pipelines.storage.errors import DatabaseAwayError

Work = Callable[[Session, set[str]], None]


async def test_of_many_writes_behind_one_is_before_an_ask(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'shipmate.db'}")
    order: list[str] = []
    begun, go_on = threading.Event(), threading.Event()

    def noting(name: str) -> Work:
        return lambda _session, _topics: order.append(name)

    def first(_session: Session, _topics: set[str]) -> None:
        begun.set()
        assert go_on.wait(10)
        order.append("output")

    try:
        outputs = [asyncio.create_task(database.write_behind(first))]
        assert await asyncio.to_thread(begun.wait, 10)
        outputs += [asyncio.create_task(database.write_behind(noting("output"))) for _ in range(5)]
        ask = asyncio.create_task(database.write(noting("ask")))
        await asyncio.sleep(0)  # all of them have begun, in this order
        go_on.set()
        await asyncio.gather(ask, *outputs)
    finally:
        go_on.set()
        await database.close()
    assert order == ["output", "ask", *["output"] * 5]


async def test_an_ask_is_written_before_all_that_waits_its_turn(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'shipmate.db'}")
    order: list[str] = []
    begun, go_on = threading.Event(), threading.Event()

    def first(_session: Session, _topics: set[str]) -> None:
        begun.set()
        assert go_on.wait(10)

    try:
        writing = [asyncio.create_task(database.write(first))]
        assert await asyncio.to_thread(begun.wait, 10)
        writing += [asyncio.create_task(database.write(lambda *_: order.append("decision"))) for _ in range(5)]
        await asyncio.sleep(0)
        writing.append(asyncio.create_task(database.write_first(lambda *_: order.append("ask"))))
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(*writing)
    finally:
        go_on.set()
        await database.close()
    assert order == ["ask", *["decision"] * 5]


async def test_what_is_written_together_does_not_fail_together(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'shipmate.db'}")
    tried: list[int] = []

    def writing(number: int) -> Callable[[Session, set[str]], int]:
        def work(_session: Session, _topics: set[str]) -> int:
            tried.append(number)
            if number == 2:
                raise ValueError("no")
            return number

        return work

    try:
        every = [database.write_behind(writing(number)) for number in range(5)]
        found = await asyncio.gather(*every, return_exceptions=True)
    finally:
        await database.close()
    assert tried == [0, 1, 2, 0, 1, 2, 3, 4]
    assert [repr(one) for one in found] == ["0", "1", "ValueError('no')", "3", "4"]


async def test_after_an_outage_nobody_rests_as_long_as_it_took(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowds, "LONGEST_REST", 0.01)
    written: list[int] = []

    async def write(_work: object) -> list[None]:
        await asyncio.sleep(0.02)
        written.append(1)
        return [None]

    crowd = Crowd(write, rest=10_000.0)
    for _ in range(3):
        await asyncio.wait_for(crowd.join(lambda *_: None), 10)
    crowd.close()
    assert len(written) == 3


async def test_while_the_database_is_away_all_are_told_at_once() -> None:
    """Each that is tried by itself would wait as long again."""
    tried: list[int] = []

    async def write(_work: object) -> None:
        tried.append(1)
        raise DatabaseAwayError("away")

    crowd = Crowd(write)
    joined = [crowd.join(lambda *_: None) for _ in range(5)]
    found = await asyncio.gather(*joined, return_exceptions=True)
    assert [type(one) for one in found] == [DatabaseAwayError] * 5 and len(tried) == 1
