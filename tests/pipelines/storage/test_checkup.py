"""Looking a database over: what is wrong with it, in SQLite's words, and not one byte of it changed."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.storage.checkup import look_over, refuse_broken
from pipelines.storage.database import Database
from pipelines.storage.errors import BrokenError
from pipelines.storage.latest import Latest
from pipelines.storage.schema import HEAD, bring_up_to_date
from tests.support.front import opened


def url(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "shipmate.db"
    bring_up_to_date(url(path))
    return path


def files(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir()}


def test_a_database_that_is_well_is_left_as_it_is(path: Path) -> None:
    before = files(path.parent)
    looked = look_over(url(path), 10)
    assert looked is not None
    assert (looked.schema, looked.whole, looked.problems, looked.writable) == (HEAD, True, (), True)
    assert not looked.newer and not looked.older
    assert files(path.parent) == before


async def test_beside_a_bot_that_writes(tmp_path: Path) -> None:
    async with opened(tmp_path) as front:
        for version in ("v1.2", "v1.3", "v1.4", "v1.5"):
            await front.ship(version, deploy=version)
            looked = look_over(url(tmp_path / "shipmate.db"), 10)
            assert looked is not None and looked.whole and not looked.problems


def test_what_is_not_there(tmp_path: Path) -> None:
    looked = look_over(url(tmp_path / "none.db"), 10)
    assert looked is not None and not looked.exists
    assert not (tmp_path / "none.db").exists()
    assert look_over("postgresql://ana:hunter2@host/db", 10) is None


def test_a_newer_and_an_older_schema(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    looked = look_over(url(path), 10)
    assert looked is not None and looked.newer and not looked.older


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "x.db").touch()
    looked = look_over(url(tmp_path / "x.db"), 10)
    assert looked is not None and (looked.schema, looked.whole) == (None, True)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("this is a letter to ana " * 100)
    looked = look_over(url(tmp_path / "x.db"), 10)
    assert looked is not None and looked.problems == ("file is not a database",)


def test_a_page_that_is_broken(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'event'").fetchone()[0]
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)
    looked = look_over(url(path), 10)
    assert looked is not None and looked.whole is False and looked.problems


def test_there_may_be_no_time_to_look_at_all_of_it(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE many (number INTEGER PRIMARY KEY, text TEXT)")
        connection.executemany("INSERT INTO many (text) VALUES (?)", [("x" * 50,)] * 20_000)
        connection.commit()
    looked = look_over(url(path), -1)
    assert looked is not None and looked.whole is None and not looked.problems


def test_a_database_that_is_in_use_may_still_be_written(path: Path) -> None:
    database = Database(url(path))
    database.write_now(lambda _session, _topics: None)
    assert look_over(url(path), 10) is not None
    database.write_now(lambda _session, _topics: None)


async def test_a_file_that_lacks_its_latest_entry_is_refused_until_somebody_says_to_go_on(tmp_path: Path) -> None:
    file = tmp_path / "shipmate.db"
    latest = Latest(file)
    async with opened(tmp_path) as front:
        front.database.listeners.append(latest.note)
        for version in ("v1.2", "v1.3"):
            await front.ship(version, deploy=version)
            refuse_broken(url(file))
    latest.close()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("DELETE FROM event WHERE id = (SELECT max(id) FROM event)")
        connection.commit()
    before = files(tmp_path)
    with pytest.raises(BrokenError, match=r"lacks the latest entry .* put the files back as they were, or delete"):
        refuse_broken(url(file))
    assert files(tmp_path) == before
    file.rename(tmp_path / "away")
    with pytest.raises(BrokenError, match="lacks the latest entry"):
        refuse_broken(url(file))
    latest.path.unlink()
    refuse_broken(url(file))


def test_what_is_broken_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("this is a letter to ana " * 100)
    with pytest.raises(BrokenError, match=r"file is not a database\. Nothing was changed: .* restore a backup"):
        refuse_broken(url(tmp_path / "x.db"))


def test_what_is_only_busy_is_not_refused(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("BEGIN EXCLUSIVE")
        refuse_broken(url(path))
