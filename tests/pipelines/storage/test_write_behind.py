"""Output of many scripts at once does not keep an ask waiting."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

from sqlmodel import Session

from pipelines.storage.database import Database

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
