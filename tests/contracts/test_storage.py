"""What the storage promises, on SQLite and on PostgreSQL alike."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from sqlalchemy import text
from sqlmodel import Session, select

from pipelines.domain.commands import Deploy as Wanted
from pipelines.domain.events import Asked, Misread, Place, Progress, Report
from pipelines.domain.plan import How
from pipelines.domain.refusals import Code, refuse
from pipelines.domain.stepwork import Work
from pipelines.storage import asks, deploys, postings, steps
from pipelines.storage.book import Book
from pipelines.storage.codec import dump
from pipelines.storage.database import Database
from pipelines.storage.deploys import Asker
from pipelines.storage.postings import Posting
from pipelines.storage.steps import ANY_HOST, Claim, Ending, StepKey
from pipelines.storage.tables import DeployRow, EventRow
from tests.support.domain import ANA, NOON

T = TypeVar("T")

KEY = StepKey(deploy="d1", step="001-install", attempt=1)
WORK = Work(how=How.SCRIPT, what="deploy/install.sh", repo="/repo", commit="c" * 40, env={})


def nothing(_session: Session, _deploy: str) -> None: ...


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


def asked(ask: str = "a1", key: str = "k1") -> Asked:
    wanted = Wanted(service="api", version="v1.4", environment="staging")
    return Asked(ask=ask, key=key, command=wanted, by=ANA, place=Place(surface="slack", channel="C1"))


def at_once(*works: Callable[[], T]) -> list[T]:
    """Run them in threads at the same time; what each gave."""
    with ThreadPoolExecutor(len(works)) as threads:
        return [done.result() for done in [threads.submit(work) for work in works]]


class Meeting:
    """A place between reading and writing where each of two waits a moment for the other, if that one gets so far."""

    def __init__(self) -> None:
        self._both = threading.Barrier(2)

    def wait(self) -> None:
        try:
            self._both.wait(0.3)
        except threading.BrokenBarrierError:
            return  # the other one is held back, as it should be


async def test_an_ask_is_kept_once_however_often_it_comes(database: Database) -> None:
    first = await database.write(lambda session, _: asks.insert(session, asked("a1"), NOON))
    again = await database.write(lambda session, _: asks.insert(session, asked("a2"), NOON))
    assert (first, again) == (("a1", True), ("a1", False))
    assert await database.read(asks.undecided) == [(asked("a1"), NOON)]


async def test_of_two_deliveries_at_once_one_is_kept(database: Database) -> None:
    meeting = Meeting()

    def keep(ask: str) -> tuple[str, bool]:
        def work(session: Session, _: set[str]) -> tuple[str, bool]:
            kept = asks.insert(session, asked(ask), NOON)
            meeting.wait()
            return kept

        return database.write_now(work)[0]

    outcomes = at_once(lambda: keep("a1"), lambda: keep("a2"))
    assert len({ask for ask, _ in outcomes}) == 1 and sorted(new for _, new in outcomes) == [False, True]


async def test_an_ask_is_decided_by_one_of_two_who_decide_it_at_once(database: Database) -> None:
    await database.write(lambda session, _: asks.insert(session, asked(), NOON))
    meeting = Meeting()

    def decide() -> bool:
        def work(session: Session, _: set[str]) -> bool:
            is_open = asks.is_open(session, "a1")
            meeting.wait()
            return is_open and asks.decided(session, "a1", refuse(Code.TOO_OLD), NOON)

        return database.write_now(work)[0]

    outcomes = at_once(decide, decide)
    assert sorted(outcomes) == [False, True]


async def test_an_answer_waits_until_it_was_told(database: Database) -> None:
    await database.write(lambda session, _: asks.insert(session, asked(), NOON))
    assert await database.read(lambda session: asks.unanswered(session, "slack", (), 50)) == []
    refusal = refuse(Code.TOO_OLD)
    assert await database.write(lambda session, _: asks.decided(session, "a1", refusal, NOON))
    assert not await database.write(lambda session, _: asks.decided(session, "a1", refuse(Code.BROKEN, id="x"), NOON))
    assert await database.read(lambda session: asks.unanswered(session, "slack", (), 50)) == [(asked(), refusal)]
    await database.write(lambda session, _: asks.answered(session, "a1", NOON))
    assert await database.read(lambda session: asks.unanswered(session, "slack", (), 50)) == []
    assert await database.read(asks.undecided) == []


async def test_a_stream_has_no_gaps_whoever_writes(database: Database) -> None:
    """Also where nobody wrote to it before."""

    def note(session: Session, topics: set[str]) -> None:
        Book(session, topics, nothing).front(Misread(text="?", by=ANA), NOON, by="ana", via="test")

    await asyncio.gather(*(database.write(note) for _ in range(20)))
    rows = await database.read(lambda session: session.exec(select(EventRow.seq).order_by(text("seq"))).all())
    assert list(rows) == list(range(1, 21))


async def test_what_is_not_committed_is_not_told(database: Database) -> None:
    def broken(session: Session, topics: set[str]) -> None:
        asks.insert(session, asked(), NOON)
        topics.add("asks")
        raise ValueError("on purpose")

    with database.waker.listening("asks") as told:
        with pytest.raises(ValueError, match="on purpose"):
            await database.write(broken)
        assert not told.is_set()
        await database.write(lambda _, topics: topics.add("asks"))
        assert told.is_set()
    assert await database.read(asks.undecided) == []


async def test_times_come_back_as_they_were(database: Database) -> None:
    at = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC) + timedelta(days=1)
    await database.write(lambda session, _: asks.insert(session, asked(), at))
    ((_, back),) = await database.read(asks.undecided)
    assert back == at and back.utcoffset() == timedelta(0)


async def test_a_step_is_claimed_once_and_ends_once(database: Database) -> None:
    for host in ("one", "two"):
        await database.write(lambda session, _, h=host: steps.claim(session, KEY, WORK, h, NOON))  # type: ignore[misc]
    assert [claim.host for claim in await database.read(lambda session: steps.open_claims(session, "one"))] == ["one"]
    assert await database.read(lambda session: steps.open_claims(session, "two")) == []
    lost = Ending(progress=Progress.UNSUPERVISED)
    await database.write(lambda session, _: steps.end(session, KEY, lost, NOON))
    assert [c.progress for c in await database.read(lambda session: steps.open_claims(session, "one"))] == [
        Progress.UNSUPERVISED
    ]
    good = Ending(progress=Progress.OK, detail="said \0", report=Report(line="v1.4", version="v1.4"))
    for ending in (good, Ending(progress=Progress.FAILED)):
        await database.write(lambda session, _, e=ending: steps.end(session, KEY, e, NOON))  # type: ignore[misc]
    found = await database.read(lambda session: steps.ending(session, KEY))
    assert found == Ending(progress=Progress.OK, detail="said \ufffd", report=good.report, at=NOON)
    assert await database.read(lambda session: steps.open_claims(session, "one")) == []


async def test_what_any_host_may_do_one_takes(database: Database) -> None:
    keys = [StepKey(deploy="look-1", step=f"00{number}-status", attempt=1) for number in range(3)]
    for key in keys:
        await database.write(lambda session, _, k=key: steps.claim(session, k, WORK, ANY_HOST, NOON))  # type: ignore[misc]
    meeting = Meeting()

    def take(host: str) -> None:
        def work(session: Session, _: set[str]) -> None:
            steps.open_claims(session, host)
            meeting.wait()
            steps.take(session, host)

        database.write_now(work)

    async def taken() -> list[Claim]:
        one = await database.read(lambda session: steps.open_claims(session, "one"))
        return one + await database.read(lambda session: steps.open_claims(session, "two"))

    at_once(lambda: take("one"), lambda: take("two"))
    assert sorted(claim.key.step for claim in await taken()) == [key.step for key in keys]
    assert all(claim.host in ("one", "two") and not claim.stop for claim in await taken())
    await database.write(lambda session, _: steps.stop_all(session, "look-1"))
    assert all(claim.stop for claim in await taken())


async def test_output_is_kept_by_offset_its_middle_cut(database: Database) -> None:
    await database.write(lambda session, _: steps.claim(session, KEY, WORK, "one", NOON))
    megabyte = 1024 * 1024
    binary = bytes(range(256)) * 4096
    for number in [*range(24), 23]:  # what is there already is left alone
        await database.write(lambda session, _, n=number: steps.append_output(session, KEY, n * megabyte, binary, NOON))  # type: ignore[misc]
    pieces = await database.read(lambda session: steps.pieces(session, "d1"))
    assert [piece.offset // megabyte for piece in pieces] == [0, 1, *range(6, 24)]
    assert all(piece.data == binary for piece in pieces)
    assert await database.read(lambda session: steps.output_end(session, KEY)) == 24 * megabyte
    last = await database.read(lambda session: steps.last_pieces(session, "d1", 2 * megabyte))
    assert sum(len(piece.data) for piece in last) == 2 * megabyte


async def test_a_posting_is_claimed_by_one_of_two_at_once(database: Database) -> None:
    posting, meeting = Posting(deploy="d1", kind="card", surface="slack", channel="C1"), Meeting()

    def claim() -> bool:
        def work(session: Session, _: set[str]) -> bool:
            claimed = postings.claim(session, posting, NOON)
            meeting.wait()
            return claimed

        return database.write_now(work)[0]

    assert sorted(at_once(claim, claim)) == [False, True]
    await database.write(lambda session, _: postings.update(session, Posting(**vars(posting) | {"ts": "1.2"}), NOON))
    assert await database.read(lambda session: postings.by_message(session, "C1", "1.2")) == "d1"


async def test_a_reader_sees_one_moment(database: Database) -> None:
    """However many statements it takes."""
    read, written = threading.Event(), threading.Event()

    def look(session: Session) -> list[int]:
        before = len(asks.undecided(session))
        read.set()
        assert written.wait(10)
        session.expire_all()
        return [before, len(asks.undecided(session))]

    looking = asyncio.create_task(database.read(look))
    assert await asyncio.to_thread(read.wait, 10)
    await database.write(lambda session, _: asks.insert(session, asked(), NOON))
    written.set()
    assert await looking == [0, 0]


async def test_the_newest_of_however_many_rooms_are_found(database: Database) -> None:
    rooms = [("api", f"place-{number}") for number in range(1_200)]
    asked_for = [Asker(by=ANA, at=NOON + timedelta(seconds=number)) for number in range(3)]
    rows = [
        DeployRow(id=f"d{n}", room=f"api/place-{500 * n}", state="live", by="ana", at=one.at, seq=1, body=dump(one))
        for n, one in enumerate(asked_for)
    ]
    await database.write(lambda session, _: session.add_all(rows))
    assert await database.read(lambda session: deploys.askers(session, rooms, 2)) == [asked_for[2], asked_for[1]]
