"""What PostgreSQL has and SQLite has not: URLs with passwords, other processes that tell and hear, slots, a server that
goes away."""

import asyncio
import re
import threading
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from sqlalchemy import text
from sqlmodel import Session

from pipelines.storage import connecting, database
from pipelines.storage.database import Database, surely
from pipelines.storage.errors import DatabaseAwayError, SlotTakenError, UnreachableError
from pipelines.storage.listener import LONGEST, packed
from pipelines.storage.slot import Slot
from tests.support.postgres import Server

SPELLINGS = ("postgres", "postgresql", "postgresql+psycopg")


@pytest.fixture
async def other(postgres: Server) -> AsyncIterator[Database]:
    """Another process on the same database, as far as the database can tell."""
    opened = Database(postgres.cleared())
    hearing = asyncio.create_task(opened.hear())
    yield opened
    hearing.cancel()
    with suppress(asyncio.CancelledError):
        await hearing
    await opened.close()


@pytest.mark.parametrize("scheme", SPELLINGS)
def test_a_url_is_read_in_every_spelling_and_never_shown_whole(scheme: str) -> None:
    url = f"{scheme}://ana:s%40cret@db.example.test:5433/ship?sslmode=require&password=other"
    assert connecting.shown(url) == "postgresql://ana@db.example.test:5433/ship"
    given = connecting.arguments(url)
    assert given["host"] == "db.example.test" and given["sslmode"] == "require"
    assert given["connect_timeout"] and given["tcp_user_timeout"]
    assert "s@cret" not in repr(connecting.engine(url)) + str(connecting.engine(url).url)


def test_what_a_url_sets_itself_is_left_as_it_is() -> None:
    given = connecting.arguments("postgresql:///ship?connect_timeout=2&options=-c%20search_path%3Dships")
    assert given["connect_timeout"] == "2"
    assert given["options"].endswith("-c search_path=ships") and "statement_timeout" in given["options"]


async def test_what_one_tells_the_other_hears_at_once(postgres: Server, other: Database) -> None:
    one = Database(postgres.url("cleared"))
    try:
        with one.waker.listening("steps") as own, other.waker.listening("steps") as told:
            await asyncio.wait_for(told.wait(), 10)  # it began to hear: anything may have changed before
            told.clear()
            began = asyncio.get_running_loop().time()
            await one.write(lambda _, topics: topics.add("steps"))
            await asyncio.wait_for(told.wait(), 10)
            took = asyncio.get_running_loop().time() - began
            assert own.is_set() and took < 0.5, took
    finally:
        await one.close()


async def test_what_is_told_without_a_commit_nobody_hears(postgres: Server, other: Database) -> None:
    one = Database(postgres.url("cleared"))

    def broken(_session: Session, topics: set[str]) -> None:
        topics.add("broken")
        raise ValueError("on purpose")

    try:
        with other.waker.listening("broken") as never, other.waker.listening("steps") as told:
            await asyncio.wait_for(told.wait(), 10)
            never.clear()
            told.clear()
            with pytest.raises(ValueError, match="on purpose"):
                await one.write(broken)
            await one.write(lambda _, topics: topics.add("steps"))
            await asyncio.wait_for(told.wait(), 10)
            assert not never.is_set()
    finally:
        await one.close()


async def test_a_lost_listener_listens_again_and_wakes_everybody(postgres: Server, other: Database) -> None:
    with other.waker.listening("steps") as told:
        await asyncio.wait_for(told.wait(), 10)
        told.clear()
        with postgres.connect("cleared") as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = 'cleared' AND query LIKE 'LISTEN%'"
            )
        await asyncio.wait_for(told.wait(), 10)  # of what was told meanwhile nobody knows


def test_more_topics_than_fit_are_all_topics() -> None:
    assert packed("me", {"b", "a"}) == "me\na\nb"
    many = {f"deploy:{number:040}" for number in range(500)}
    assert packed("me", many) == "me\n*" and len("\n".join(many)) > LONGEST


async def test_a_slot_is_one_process_only_and_free_with_its_end(postgres: Server) -> None:
    url = postgres.cleared()
    first, second, another = (Slot(url, name, patience=0.1) for name in ("worker a", "worker a", "worker b"))
    await first.take()
    await another.take()
    with pytest.raises(SlotTakenError, match=r"is 'worker a' .*: shipmate worker a, process \d+ on .* \(from 127"):
        await second.take()
    await first.leave()
    await second.take()
    for slot in (second, another):
        await slot.leave()


async def test_a_slot_is_taken_again_after_its_connection_was_lost(
    postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.storage.slot.LOOK_SECONDS", 0.05)
    url, holder = postgres.cleared(), "SELECT pid FROM pg_locks WHERE locktype = 'advisory'"
    slot, thief = Slot(url, "web", patience=0.1), Slot(url, "web", patience=0.1)
    await slot.take()
    keeping = asyncio.create_task(slot.keep())
    with postgres.connect("cleared") as connection:
        before = connection.execute(holder).fetchone()
        key = connection.execute("SELECT classid::int, objid::int FROM pg_locks WHERE locktype = 'advisory'").fetchone()
        connection.execute(f"SELECT pg_terminate_backend(pid) FROM ({holder}) AS holder")
        while connection.execute(holder).fetchone() in (None, before):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        with pytest.raises(SlotTakenError):
            await thief.take()
        connection.execute(f"SELECT pg_terminate_backend(pid) FROM ({holder}) AS holder")
        while connection.execute("SELECT pg_try_advisory_lock(%s, %s)", key).fetchone() == (False,):
            pass  # faster than a process that first has to see that its connection is lost
        with pytest.raises(SlotTakenError):  # this process may not go on
            await asyncio.wait_for(keeping, 10)


async def test_who_refuses_is_believed_at_once_who_is_away_is_waited_for(postgres: Server) -> None:
    words: list[str] = []
    with pytest.raises(UnreachableError, match='database "nowhere" does not exist'):
        await connecting.wait_for(postgres.url("nowhere"), 60, words.append)
    assert words == []
    with pytest.raises(UnreachableError, match=re.escape("ana@127.0.0.1:1/ship did not answer for 0.1 s")) as caught:
        await connecting.wait_for("postgres://ana:s3cret@127.0.0.1:1/ship", 0.1, words.append)
    assert len(words) == 1 and words[0].startswith("Waiting for the database postgresql://ana@127.0.0.1:1/ship")
    assert "s3cret" not in words[0] + str(caught.value)
    await connecting.wait_for(postgres.url("postgres"), 0, words.append)


async def test_a_server_that_goes_away_is_waited_for_some_seconds(
    postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "AWAY_SECONDS", 0.3)
    opened = Database(postgres.url("postgres"))
    try:
        assert await opened.read(one) == 1
        postgres.crash()
        try:
            with pytest.raises(DatabaseAwayError, match="The database is away: "):
                await opened.read(one)
            with pytest.raises(DatabaseAwayError):
                await opened.write(lambda session, _: one(session))
            patient = asyncio.create_task(surely(lambda: opened.read(one)))
        finally:
            postgres.start()
        assert await asyncio.wait_for(patient, 10) == 1
        assert await opened.write(lambda session, _: one(session)) == 1
    finally:
        await opened.close()


def one(session: Session) -> int:
    return int(session.connection().execute(text("SELECT 1")).scalar_one())


async def test_an_error_that_stays_is_raised_at_once(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Database(postgres.cleared())
    tries = 0

    def wrong(session: Session) -> None:
        nonlocal tries
        tries += 1
        session.connection().execute(text("SELECT no_such_column FROM event"))

    try:
        with pytest.raises(Exception, match="no_such_column"):
            await opened.read(wrong)
        assert tries == 1
        monkeypatch.setattr(database, "AWAY_SECONDS", 0)
        with pytest.raises(DatabaseAwayError, match="read-only"):  # as after a failover; nobody who reads may write
            await opened.read(lambda session: session.connection().execute(text("DELETE FROM event")))
    finally:
        await opened.close()


async def test_two_who_lock_each_other_out_both_go_on(postgres: Server) -> None:
    """The server ends one of them, which is done again."""
    opened, meeting = Database(postgres.cleared()), threading.Barrier(2)
    for name in ("a", "b"):
        opened.write_now(lambda session, _, n=name: lock(session, n))  # type: ignore[misc]

    def work(first: str, second: str) -> None:
        tries = 0

        def both(session: Session, _topics: set[str]) -> None:
            nonlocal tries
            tries += 1
            lock(session, first)
            if tries == 1:
                meeting.wait(10)
            lock(session, second)

        futures.append(asyncio.ensure_future(opened.write(both)))

    futures: list[asyncio.Future[None]] = []
    try:
        work("a", "b")
        work("b", "a")
        await asyncio.wait_for(asyncio.gather(*futures), 20)
    finally:
        await opened.close()


def lock(session: Session, name: str) -> None:
    into = "INSERT INTO stream (name, seq, body) VALUES (:name, 0, '') ON CONFLICT (name) DO UPDATE SET seq = 1"
    session.connection().execute(text(into), {"name": name})
