"""Giving back the disk under a part of a file; the file keeps its length, and the part reads as zeros."""

import ctypes
import os
import sys
from pathlib import Path

KEEP_SIZE, PUNCH_HOLE = 1, 2


def punch(path: Path, start: int, end: int) -> bool:
    """From `start` to `end`, in bytes; False where there is nothing to give back or the file system cannot."""
    if sys.platform != "linux" or end <= start:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        span = (ctypes.c_int64(start), ctypes.c_int64(end - start))
        return bool(libc.fallocate(file, KEEP_SIZE | PUNCH_HOLE, *span) == 0)
    finally:
        os.close(file)
