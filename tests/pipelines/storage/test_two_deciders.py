"""Two people deploy to one room in the same instant: one starts, the other is told who holds the room."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event
from sqlmodel import Session

from pipelines.domain.decide import decide
from pipelines.domain.events import Closed, Outcome
from pipelines.domain.refusals import Refusal
from pipelines.storage import book
from pipelines.storage.book import Book
from pipelines.storage.database import Database
from pipelines.storage.tables import DeployRow, StreamRow
from tests.support.domain import ANA, NOON, RAJ, ask, facts


def enqueue_nothing(_session: Session, _deploy: str) -> None: ...


def decider(name: str, pause: Callable[[], None]) -> Callable[[Session, set[str]], bool]:
    """A deciding transaction that pauses between what it reads and what it writes."""
    person = ANA if name == "ana" else RAJ

    def work(session: Session, topics: set[str]) -> bool:
        held = Book(session, topics, enqueue_nothing)
        state = held.state("api", "staging")
        decision = decide(ask(by=person, ask_id=name), state, facts(person=person, new_id=name))
        pause()
        if isinstance(decision, Refusal):
            return False
        assert isinstance(decision, tuple)
        held.append(state, decision, NOON, by=name, via="test")
        return True

    return work


def race(database: Database) -> list[bool]:
    """Both decide at once; each waits a moment for the other between reading and writing, if the other gets so far."""
    both_read = threading.Barrier(2)
    started: list[bool] = []

    def pause() -> None:
        try:
            both_read.wait(timeout=0.5)
        except threading.BrokenBarrierError:
            return  # the other one was held back by the lock, as it should be

    def run(name: str) -> None:
        try:
            started.append(database.write_now(decider(name, pause))[0])
        except Exception:
            started.append(False)  # without the lock one may also fail while it writes

    threads = [threading.Thread(target=run, args=(name,)) for name in ("ana", "raj")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return started


async def test_of_two_deciders_at_once_one_starts(database_url: str) -> None:
    database = Database(database_url)
    try:
        assert sorted(race(database)) == [False, True]
    finally:
        await database.close()


def without_lock(monkeypatch: pytest.MonkeyPatch, begin: str | None) -> None:
    """Take away what serialises deciders: `begin` instead of SQLite's lock of the file; None: PostgreSQL's of rows."""
    if begin is None:
        for lock in ("_ALONE", "_SHARED"):
            monkeypatch.setattr(book, lock, book._LOCKED)
        return
    real = event.listen

    def unlocked(target: object, name: str, handler: Callable[..., object], **more: object) -> None:
        if name == "begin":
            real(target, name, lambda connection: connection.exec_driver_sql(begin) if begin else None)
        else:
            real(target, name, handler, **more)

    monkeypatch.setattr(event, "listen", unlocked)


@pytest.mark.parametrize(
    ("database_url", "begin"), [("sqlite", "BEGIN"), ("sqlite", ""), ("postgres", None)], indirect=["database_url"]
)
async def test_the_race_is_real_without_the_lock(
    database_url: str, monkeypatch: pytest.MonkeyPatch, begin: str | None
) -> None:
    """With the lock taken away both decide that the room is free: what the test above would catch."""
    without_lock(monkeypatch, begin)
    database = Database(database_url)
    decided: list[bool] = []
    both_read = threading.Barrier(2, timeout=5)

    def run(name: str) -> None:
        def work(session: Session, topics: set[str]) -> None:
            state = Book(session, topics, enqueue_nothing).state("api", "staging")
            both_read.wait()
            decided.append(not isinstance(decide(ask(ask_id=name), state, facts(new_id=name)), Refusal))
            session.rollback()

        database.write_now(work)

    # a row that is there already, so that taking the room reads and does not write
    database.write_now(lambda session, topics: Book(session, topics, enqueue_nothing).state("api", "staging"))
    threads = [threading.Thread(target=run, args=(name,)) for name in ("ana", "raj")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    await database.close()
    assert decided == [True, True]


async def test_who_waited_for_the_room_sees_what_was_decided_meanwhile(database_url: str) -> None:
    """Also of rows that its transaction has read before it took the room, and still has."""
    database = Database(database_url)
    database.write_now(decider("ana", lambda: None))
    held, looked, go_on = threading.Event(), threading.Event(), threading.Event()

    def hold(session: Session, topics: set[str]) -> None:
        mine = Book(session, topics, enqueue_nothing)
        state = mine.state("api", "staging")
        held.set()
        assert go_on.wait(10)
        mine.append(state, [Closed(deploy="ana", outcome=Outcome.ABORTED)], NOON, by="raj", via="test")

    def wait(session: Session, topics: set[str]) -> tuple[str | None, int]:
        before = session.get(DeployRow, "ana"), session.get(StreamRow, "api/staging")
        looked.set()
        after = Book(session, topics, enqueue_nothing).state("api", "staging")
        assert None not in before
        return after.room.running, after.deploys["ana"].seq

    with ThreadPoolExecutor(2) as threads:
        holding = threads.submit(database.write_now, hold)
        assert held.wait(10)
        waiting = threads.submit(database.write_now, wait)
        looked.wait(0.3)  # on SQLite nobody so much as looks while another decides
        go_on.set()
        holding.result()
        assert waiting.result()[0] == (None, 2)
    await database.close()
