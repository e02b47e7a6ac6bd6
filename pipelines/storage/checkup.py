"""Looking a database over without touching it: read-only, and safe beside a bot that works on it."""

import os
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from pipelines.storage.database import sqlite_path
from pipelines.storage.errors import BrokenError
from pipelines.storage.latest import Latest, missing
from pipelines.storage.schema import HEAD, known

STEPS = 10_000  # of SQLite's machine, between two looks at the time
ERRORS_SHOWN = 3
BUSY = 2.0
START_SECONDS = 0.5
MEND = "keep a copy of it, then restore a backup (one lies beside it from before each upgrade)"
READ_ONLY = "is not writable; look whose it is, and whether the disk is read-only"
LOST = (
    "it lacks the latest entry of its journal, which {note} names: it was cut, the -wal beside it was deleted, or it "
    "is an older copy; put the files back as they were, or delete {note} to go on without what is lost"
)


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What a SQLite file looks like. `schema` None: it is empty. `whole` None: not all of it could be looked at.
    `problems` are SQLite's own words; `lost`, in ours, that it lacks what was in it."""

    path: Path
    exists: bool = True
    writable: bool = True
    schema: str | None = None
    whole: bool | None = True
    problems: tuple[str, ...] = ()
    lost: str = ""

    @property
    def newer(self) -> bool:
        return self.schema is not None and self.schema not in known()

    @property
    def older(self) -> bool:
        return self.schema is not None and self.schema != HEAD and not self.newer


def look_over(url: str, seconds: float) -> Looked | None:
    """How the database is, after at most about so many seconds; None for one that is no SQLite file. Never raises for
    what is wrong with it."""
    path = sqlite_path(url)
    if path is None:
        return None
    latest = Latest(path)
    noted = latest.noted()  # before the file is read: a bot may be at work
    lost = LOST.format(note=latest.path)
    if not path.exists():
        return Looked(path=path, exists=False, lost=lost if noted else "")
    writable = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK | os.X_OK)
    try:
        with closing(_opened(path)) as connection:
            schema = _schema(connection)
            problems, whole = _check(connection, time.monotonic() + seconds)
            lost = lost if noted and not problems and missing(noted, connection) else ""
    except sqlite3.Error as error:
        broken = getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
        return Looked(path=path, writable=writable, whole=False if broken else None, problems=(str(error),))
    return Looked(path=path, writable=writable, schema=schema, whole=whole, problems=problems, lost=lost)


def refuse_broken(url: str) -> None:
    """What a start does before it touches a SQLite file. Raises BrokenError."""
    looked = look_over(url, START_SECONDS)
    if looked is None:
        return
    if looked.whole is False:
        raise BrokenError(f"{looked.path}: {'; '.join(looked.problems)}. Nothing was changed: {MEND}.")
    if looked.lost:
        raise BrokenError(f"{looked.path}: {looked.lost}. Nothing was changed.")
    if looked.exists and not looked.writable:
        raise BrokenError(f"{looked.path} {READ_ONLY}.")


def _opened(path: Path) -> sqlite3.Connection:
    """Where nobody has the file open there is no log beside it: it is read as it stands, and no log is made."""
    how = "mode=ro" if path.with_name(path.name + "-wal").exists() else "mode=ro&immutable=1"
    return sqlite3.connect(f"file:{quote(str(path.absolute()))}?{how}", uri=True, timeout=BUSY)


def _schema(connection: sqlite3.Connection) -> str | None:
    table = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'"
    if connection.execute(table).fetchone() is None:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def _check(connection: sqlite3.Connection, until: float) -> tuple[tuple[str, ...], bool | None]:
    connection.set_progress_handler(lambda: time.monotonic() > until, STEPS)
    try:
        found = [" ".join(str(row[0]).split()) for row in connection.execute(f"PRAGMA integrity_check({ERRORS_SHOWN})")]
    except sqlite3.OperationalError as error:
        if "interrupted" in str(error):
            return (), None
        raise
    return ((), True) if found == ["ok"] else (tuple(found), False)
