"""Holding a data folder, or a SQLite file outside of it: what one process does with it no other does meanwhile."""

import fcntl
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bot.roles import Role

LOCKS = {Role.WORKER: "bot.lock", Role.WEB: "web.lock"}


class AlreadyRunningError(Exception):
    """Another bot holds the data folder. The message says which process."""


def hold(data: Path, role: Role) -> Callable[[], None]:
    """Take the folder for a role of this process; the way to let go of it. Raises AlreadyRunningError."""
    way = "Stop it first, or give this one a folder of its own with --data."
    return _lock(data / LOCKS[role], f"A bot is running on {data} already: process {{}}. {way}")


def hold_file(database: Path) -> Callable[[], None]:
    """As `hold`, for a SQLite file that bots of several folders could share."""
    way = "Stop it first, or give this one a file of its own in DATABASE_URL."
    return _lock(Path(f"{database}.lock"), f"A bot works on {database} already: process {{}}. {way}")


def holder(data: Path, role: Role) -> int | None:
    """The process that holds the folder for a role. It is not asked by trying to hold it, for a bot that starts at
    this moment would find it held."""
    pid: int | None = None
    try:
        held = data / LOCKS[role]
        pid = int(held.read_text())
        os.kill(pid, 0)
        opened = Path(f"/proc/{pid}/fd")
        if not opened.is_dir():
            return pid
        return pid if any(os.path.realpath(one) == os.path.realpath(held) for one in opened.iterdir()) else None
    except (FileNotFoundError, ValueError, ProcessLookupError):
        return None
    except OSError:
        return pid


def _lock(path: Path, taken: str) -> Callable[[], None]:
    held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = os.read(held, 32).decode().strip() or "unknown"
        os.close(held)
        raise AlreadyRunningError(taken.format(holder)) from None
    os.ftruncate(held, 0)
    os.pwrite(held, f"{os.getpid()}\n".encode(), 0)
    return partial(os.close, held)
