"""The schema of the database: bringing it up to date, and refusing one that this program does not fit. Forward only.

A SQLite file is brought up to date by whoever starts on it, after a backup copy. A PostgreSQL database may be in use by
other processes, so that is a step of its own there; of two that take it at once, one waits.
"""

import sqlite3
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, inspect, text

from pipelines.storage.errors import NewerSchemaError, OlderSchemaError, ReadOnlyError
from pipelines.storage.sqlite import sqlite_path

HEAD = "0003"
MIGRATING = {"lock_timeout": "60s"}
LOCK = 0x5348_4950_4D41_5445  # of those who migrate: any number that nobody else takes
_MIGRATIONS = Path(__file__).parent / "migrations"


def bring_up_to_date(url: str) -> Path | None:
    """Migrate the database at `url`; the path of the backup copy that was made of a SQLite file before, if one was.

    Raises NewerSchemaError, ReadOnlyError; SQLAlchemy's OperationalError where somebody else migrates for too long."""
    path = sqlite_path(url)
    if path is None:
        _migrate_postgres(url)
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, hide_parameters=True)
    try:
        _write_ahead(engine, path)
        there = current(engine)
        if not _behind(there):
            return None
        copy = _back_up(path, there) if there is not None else None
        with engine.begin() as connection:
            upgrade(connection)
        return copy
    finally:
        engine.dispose()


def make_ready(url: str) -> Path | None:
    """What a start does: bring a SQLite file up to date, as `bring_up_to_date`; look whether a PostgreSQL database is.

    Raises NewerSchemaError, OlderSchemaError, ReadOnlyError."""
    if sqlite_path(url) is not None:
        return bring_up_to_date(url)
    from pipelines.storage import connecting

    engine = connecting.engine(url)
    try:
        with engine.connect() as connection:
            _refuse_read_only(connection)
            there = current(connection)
    finally:
        engine.dispose()
    if _behind(there):
        state = f"is at schema {there}, and this Shipmate needs {HEAD}" if there else "has no tables of Shipmate's yet"
        raise OlderSchemaError(f"The database {state}. Bring it up to date first: shipmate migrate")
    return None


def _migrate_postgres(url: str) -> None:
    from pipelines.storage import connecting

    engine = connecting.engine(url, MIGRATING)
    try:
        with engine.begin() as connection:
            _refuse_read_only(connection)
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            if _behind(current(connection)):
                upgrade(connection)
    finally:
        engine.dispose()


def _refuse_read_only(connection: Connection) -> None:
    if connection.execute(text("SHOW transaction_read_only")).scalar() == "on":
        raise ReadOnlyError(
            "The database takes no writes: it is a standby, or default_transaction_read_only is set. "
            "Name the primary server in DATABASE_URL, or let it be written again."
        )


def _behind(there: str | None) -> bool:
    """Whether migrations are missing. Raises NewerSchemaError."""
    if there == HEAD:
        return False
    if there is not None and there not in known():
        raise NewerSchemaError(
            f"The database is at schema {there}, which this Shipmate does not know: a newer one wrote it. "
            "Run the newer version, or restore a backup copy of the database from before."
        )
    return True


def _write_ahead(engine: Engine, path: Path) -> None:
    """Readers and the writer of a SQLite file do not block each other. It is set once, before anybody else has the file
    open: the change itself needs the file alone, and is refused at once when it is not."""
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    path.chmod(0o600)


def current(where: Engine | Connection) -> str | None:
    """The schema the database is at, None for an empty one."""
    if isinstance(where, Engine):
        with where.connect() as connection:
            return current(connection)
    if not inspect(where).has_table("alembic_version"):
        return None
    found: str | None = where.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def known() -> set[str]:
    """The schemas that this Shipmate can read, by bringing them up to date."""
    return {path.name.split("_", 1)[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*.py")}


def _back_up(path: Path, version: str) -> Path:
    copy = path.with_name(f"{path.name}.before-{HEAD}-was-{version}")
    with sqlite3.connect(path) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    copy.chmod(0o600)
    return copy


def upgrade(connection: Connection, to: str = HEAD) -> None:
    from alembic import command  # slow to import, and needed only when something is to be done
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
