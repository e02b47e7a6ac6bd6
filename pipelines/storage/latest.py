"""The latest entry of the journal, noted beside a SQLite file with each commit. A file that does not have it has lost
its end: its log was deleted, it was cut, or it is an older copy, and all of that SQLite takes for a database that is
well."""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from pipelines.storage.journal import Entry

ROOM = 512  # bytes, on the disk from the beginning, so a full one does not matter


class Latest:
    """`note` is a listener of the database."""

    def __init__(self, database: Path) -> None:
        self.path = database.with_suffix(".latest")
        self._file = -1

    def note(self, entry: Entry) -> None:
        with suppress(OSError):  # a note that is older than the file's end refuses nothing
            if self._file < 0:
                self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            os.pwrite(self._file, f"{entry.seq} {entry.stream}\n".encode().ljust(ROOM), 0)

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def noted(self) -> tuple[str, int] | None:
        """Stream and number of the latest entry; None where nothing was noted that can be read."""
        with suppress(OSError, ValueError):
            seq, stream = self.path.read_text().splitlines()[0].strip().split(" ", 1)
            return stream, int(seq)
        return None


def missing(latest: tuple[str, int], connection: sqlite3.Connection) -> bool:
    """Whether the journal lacks this entry."""
    if connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'event'").fetchone() is None:
        return True
    return connection.execute("SELECT 1 FROM event WHERE stream = ? AND seq = ?", latest).fetchone() is None
