"""Bringing the database up to date: a backup copy of a SQLite file first, then the migrations that are missing.

Forward only; a database that is newer than this program is refused.
"""

import sqlite3
from pathlib import Path

from sqlalchemy import Engine, create_engine, inspect, text

from pipelines.storage.database import sqlite_path

HEAD = "0001"
_MIGRATIONS = Path(__file__).parent / "migrations"


class NewerSchemaError(Exception):
    """The database was written by a newer Shipmate. The message says what to do."""


def bring_up_to_date(url: str) -> Path | None:
    """Migrate the database at `url`; the path of the backup copy that was made before, if one was.

    Raises NewerSchemaError."""
    path = sqlite_path(url)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, hide_parameters=True)
    try:
        _write_ahead(engine, path)
        there = current(engine)
        if there == HEAD:
            return None
        if there is not None and there not in known():
            raise NewerSchemaError(
                f"The database is at schema {there}, which this Shipmate does not know: a newer one wrote it. "
                "Run the newer version, or restore the backup copy beside the database."
            )
        copy = _back_up(path, there) if path is not None and there is not None else None
        _upgrade(engine)
        return copy
    finally:
        engine.dispose()


def _write_ahead(engine: Engine, path: Path | None) -> None:
    """Readers and the writer of a SQLite file do not block each other. It is set once, before anybody else has the file
    open: the change itself needs the file alone, and is refused at once when it is not."""
    if path is not None:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        path.chmod(0o600)


def current(engine: Engine) -> str | None:
    """The schema the database is at, None for an empty one."""
    if not inspect(engine).has_table("alembic_version"):
        return None
    with engine.connect() as connection:
        found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
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


def _upgrade(engine: Engine) -> None:
    from alembic import command  # slow to import, and needed only when something is to be done
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
