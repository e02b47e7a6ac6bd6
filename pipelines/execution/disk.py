"""How much is left on the disk under a folder."""

import os
from pathlib import Path

FULL = "the disk of its host is full"
FEW = 1 << 20  # bytes that are left on a disk that is full


def left(folder: Path) -> int:
    """Bytes that this process may still write there."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


def full(folder: Path) -> bool:
    """Whether nothing is left that a script could use."""
    return left(folder) < FEW


def short(folder: Path, keep: int) -> int | None:
    """The bytes that are left where those are fewer than `keep`; None: there is enough."""
    found = left(folder)
    return found if found < keep else None
