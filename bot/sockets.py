"""Unix sockets in a folder whose name may be longer than a socket's address can be (about 100 bytes)."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

NAME = "control.sock"
LINE_LIMIT = 64 * 1024
FITS = 90


@contextlib.contextmanager
def address(folder: Path) -> Iterator[str]:
    """An address of the control socket in `folder`, good while the context lasts."""
    path = folder.absolute() / NAME
    if len(os.fsencode(path)) <= FITS:
        yield str(path)
        return
    if sys.platform == "linux":
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield f"/proc/self/fd/{opened}/{NAME}"
        finally:
            os.close(opened)
        return
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield NAME
    finally:
        os.chdir(before)
