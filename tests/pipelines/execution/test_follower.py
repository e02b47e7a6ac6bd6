"""Output from the file to the database: nothing lost or doubled whoever reads it, little of it left on the disk."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from pipelines.domain.plan import How
from pipelines.domain.stepwork import Work
from pipelines.execution import follower
from pipelines.execution.follower import Follower
from pipelines.execution.holes import punch
from pipelines.execution.masking import Masker
from pipelines.storage import steps
from pipelines.storage.database import Database
from pipelines.storage.steps import KEPT_FIRST, KEPT_LAST, StepKey
from tests.support.front import Front, opened

KEY = StepKey(deploy="d1", step="001-deploy", attempt=1)
MB = 1 << 20
EVER = "SELECT max(rowid) FROM output"  # how many rows were ever added: none at the end was taken away


def now() -> datetime:
    return datetime.now(UTC)


def following(database: Database, folder: Path, *secrets: str) -> Follower:
    return Follower(database, KEY, folder / "out", Masker(secrets), now)


def lines(start: int, count: int, size: int = 64) -> bytes:
    """Lines of 64 bytes that say which they are."""
    return b"".join(f"line {number} ".ljust(size - 1, ".").encode() + b"\n" for number in range(start, start + count))


async def kept(front: Front) -> dict[int, bytes]:
    pieces = await front.database.read(lambda session: steps.pieces(session, "d1"))
    return {piece.offset: piece.data for piece in pieces}


def joined(pieces: dict[int, bytes]) -> bytes:
    """All of it; fails where a byte is missing or there twice."""
    whole = b""
    for offset in sorted(pieces):
        assert offset == len(whole)
        whole += pieces[offset]
    return whole


async def claimed(front: Front, folder: Path) -> None:
    work = Work(how=How.SCRIPT, what="x")
    await front.database.write(lambda session, _: steps.claim(session, KEY, work, "test", now()))
    folder.mkdir()


@pytest.mark.parametrize("secrets", [(), ("line 100000 ....", "correct-horse-battery")])
async def test_whoever_reads_on_after_a_restart_loses_and_doubles_nothing(
    tmp_path: Path, secrets: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "MARK_EVERY", MB)
    async with opened(tmp_path) as front:
        folder = tmp_path / "run"
        await claimed(front, folder)
        written = lines(0, 100_000)
        out = folder / "out"
        for start in range(0, len(written), 1_234_567):
            with out.open("ab") as file:
                file.write(written[start : start + 1_234_567])
            await following(front.database, folder, *secrets).drain()  # each time another one
        whole = following(front.database, folder, *secrets)
        await whole.drain(last=True)
        masker = Masker(secrets)
        assert joined(await kept(front)) == masker.feed(written) + masker.flush()


async def test_what_is_recorded_leaves_the_disk_but_for_the_beginning(tmp_path: Path) -> None:
    if not punched(tmp_path):
        pytest.skip("this file system gives nothing back")
    async with opened(tmp_path) as front:
        folder = tmp_path / "run"
        await claimed(front, folder)
        out = folder / "out"
        reader = following(front.database, folder)
        for _ in range(4):
            with out.open("ab") as file:
                file.write(lines(0, 10 * MB // 64))
            await reader.drain()
        assert out.stat().st_size == 40 * MB
        assert out.stat().st_blocks * 512 <= KEPT_FIRST + follower.MARK_EVERY + MB
        with out.open("rb") as file:
            assert file.read(64) == lines(0, 1)


def punched(folder: Path) -> bool:
    probe = folder / "probe"
    probe.write_bytes(bytes(MB))
    return punch(probe, 0, MB)


async def test_the_first_and_the_last_are_kept_and_what_lies_between_is_never_recorded(tmp_path: Path) -> None:
    async with opened(tmp_path) as front:
        folder = tmp_path / "run"
        await claimed(front, folder)
        written = lines(0, 50 * MB // 64)
        (folder / "out").write_bytes(written)
        await following(front.database, folder).drain(last=True)
        pieces = await kept(front)
        first = b"".join(data for offset, data in sorted(pieces.items()) if offset < KEPT_FIRST)
        last = b"".join(data for offset, data in sorted(pieces.items()) if offset >= KEPT_FIRST)
        assert first == written[: len(first)] and len(first) == KEPT_FIRST
        assert last == written[-len(last) :] and KEPT_LAST <= len(last) <= KEPT_LAST + MB
        rows = await front.database.read(lambda session: session.connection().execute(text(EVER)).scalar())
        assert rows is not None and rows <= (KEPT_FIRST + KEPT_LAST) // follower.CHUNK + 1


async def test_one_look_reads_so_much_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "AT_ONCE", 2 * MB)
    async with opened(tmp_path) as front:
        folder = tmp_path / "run"
        await claimed(front, folder)
        (folder / "out").write_bytes(lines(0, 5 * MB // 64))
        reader = following(front.database, folder)
        await reader.drain()
        assert len(joined(await kept(front))) == 2 * MB
        await reader.drain(last=True)
        assert joined(await kept(front)) == lines(0, 5 * MB // 64)


async def test_a_file_that_is_gone_or_shorter_ends_the_look(tmp_path: Path) -> None:
    async with opened(tmp_path) as front:
        folder = tmp_path / "run"
        await claimed(front, folder)
        reader = following(front.database, folder)
        await reader.drain(last=True)
        (folder / "out").write_bytes(b"something")
        await reader.drain()
        (folder / "out").write_bytes(b"")
        await reader.drain(last=True)
        assert joined(await kept(front)) == b"something"
