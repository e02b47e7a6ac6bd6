"""What living processes still use of our folders: services that a script left running with `detach: true`. Where there
is no /proc nobody is seen, and nothing counts as used."""

import os
from collections.abc import Iterator
from pathlib import Path

from pipelines.execution import processes


def runs(folder: Path) -> set[str]:
    """The run folders below, by their first name, that somebody was started with in its environment."""
    start = f"={folder.absolute()}{os.sep}".encode()
    return {
        os.fsdecode(rest.split(b"/", 1)[0].split(b"\0", 1)[0])
        for found in processes.processes()
        if found.alive
        for rest in processes.environment(found.pid).split(start)[1:]
    }


def trees(folder: Path) -> set[str]:
    """The folders below, by their first name, that somebody stands in or runs a program of."""
    start = f"{folder.absolute()}{os.sep}"
    return {
        path.removeprefix(start).split(os.sep, 1)[0]
        for found in processes.processes()
        if found.alive
        for path in _places(found.pid)
        if path.startswith(start)
    }


def _places(pid: int) -> Iterator[str]:
    for link in ("cwd", "exe"):
        try:
            yield os.readlink(f"/proc/{pid}/{link}")  # noqa: PTH115 (a link that may point nowhere any more)
        except OSError:
            continue
