"""A database that hangs, as a server that stands still does: people are told that it is away."""

import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pipelines.storage.database import Database, DatabaseAwayError


@pytest.fixture
async def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    monkeypatch.setattr("pipelines.storage.database.HUNG_SECONDS", 0.1)
    made = Database(f"sqlite:///{tmp_path}/shipmate.db")
    yield made
    await made.close()


async def test_who_reads_and_who_asks_is_told_and_it_goes_on_afterwards(database: Database) -> None:
    goes_on = threading.Event()
    try:
        with pytest.raises(DatabaseAwayError, match="no answer"):
            await database.read(lambda _: goes_on.wait(60))
        with pytest.raises(DatabaseAwayError, match="no answer"):
            await database.write_first(lambda _session, _topics: goes_on.wait(60))
    finally:
        goes_on.set()
    assert await database.read(lambda _: "read") == "read"
    assert await database.write_first(lambda _session, _topics: "kept") == "kept"
