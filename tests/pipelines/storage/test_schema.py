"""The schema: what the tables say is what the migrations make, on both databases; whoever migrates does it alone."""

import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, create_engine, text
from sqlmodel import SQLModel

from pipelines.execution import engine as durable
from pipelines.storage import connecting, schema
from pipelines.storage.errors import NewerSchemaError, OlderSchemaError, ReadOnlyError
from pipelines.storage.migrations.filter import ours
from tests.support.postgres import Server

AT = "'2026-03-02 12:00:00+00:00'"
DEPLOY = (
    f"INSERT INTO deploy (id, room, state, by, at, seq, body) VALUES (:id, 'api/staging', 'live', 'ana', {AT}, 7, '')"
)
POSTING = (
    "INSERT INTO posting (deploy, kind, surface, channel, ts, painted, seq, claimed_at) "
    f"VALUES ('d1', 'painted', 'slack', 'C1', '', '', 7, {AT})"
)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A connection to a database in which the engine's tables are, too."""
    durable.make_tables(database_url)
    made = create_engine(database_url) if database_url.startswith("sqlite") else connecting.engine(database_url)
    yield made
    made.dispose()


def test_autogenerate_finds_nothing_to_do(engine: Engine) -> None:
    with engine.connect() as connection:
        options: dict[str, Any] = {"compare_type": True, "include_object": ours, "render_as_batch": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), SQLModel.metadata) == []


def test_the_head_is_the_newest_migration() -> None:
    folder = Path(schema.__file__).parent / "migrations" / "versions"
    assert max(path.name.split("_")[0] for path in folder.glob("[0-9]*.py")) == schema.HEAD


def test_a_server_that_takes_no_writes_is_refused_with_the_reason(postgres: Server) -> None:
    url = postgres.fresh()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET default_transaction_read_only = on")
    for work in (schema.make_ready, schema.bring_up_to_date):
        with pytest.raises(ReadOnlyError, match="takes no writes"):
            work(url)


def test_a_newer_database_is_refused(database_url: str, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    try:
        for work in (schema.make_ready, schema.bring_up_to_date):
            with pytest.raises(NewerSchemaError, match="Run the newer version"):
                work(database_url)
    finally:
        with engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": schema.HEAD})


def test_an_older_postgres_is_refused_until_it_is_migrated(postgres: Server) -> None:
    url = postgres.empty()
    with pytest.raises(OlderSchemaError, match=re.escape("shipmate migrate")):
        schema.make_ready(url)
    schema.bring_up_to_date(url)
    assert schema.make_ready(url) is None
    made = durable.DurableEngine(url)
    with pytest.raises(OlderSchemaError, match=re.escape("shipmate migrate")):
        made.check()
    durable.make_tables(url)
    made.check()


def test_of_those_who_migrate_at_once_each_finds_it_done(postgres: Server) -> None:
    url = postgres.empty()

    def migrate(_: int) -> str | None:
        schema.bring_up_to_date(url)
        durable.make_tables(url)
        made = connecting.engine(url)
        try:
            return schema.current(made)
        finally:
            made.dispose()

    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(migrate, range(3))) == [schema.HEAD] * 3


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_what_an_older_version_wrote_is_kept(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    file = tmp_path / "shipmate.db"
    url = f"sqlite:///{file}" if kind == "sqlite" else request.getfixturevalue("postgres").empty()
    made = create_engine(url) if kind == "sqlite" else connecting.engine(url)
    with made.begin() as connection:
        schema.upgrade(connection, "0001")
        for deploy in ("d1", "d2"):
            connection.execute(text(DEPLOY), {"id": deploy})
        connection.execute(text(POSTING))
    copy = schema.bring_up_to_date(url)
    with made.begin() as connection:
        rows = connection.execute(text("SELECT id, seq, painted FROM deploy ORDER BY id")).all()
    assert [tuple(row) for row in rows] == [("d1", 7, 7), ("d2", 7, 0)]
    made.dispose()
    if kind == "postgres":
        assert copy is None
        return
    assert copy == tmp_path / f"shipmate.db.before-{schema.HEAD}-was-0001"
    assert copy.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(copy) as before:
        assert before.execute("SELECT id, seq FROM deploy ORDER BY id").fetchall() == [("d1", 7), ("d2", 7)]
