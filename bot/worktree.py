"""A work tree on disk as the commit it would make: its root, its files with git's modes, where it is fetched from.

Nothing is committed or changed; without git, or outside a repository, every file below the folder counts.
"""

import os
import re
import stat
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from pipelines.catalog.recipes import EXECUTABLE, LINK, PLAIN, SUBMODULE

PATIENCE = 30.0


def repository(folder: Path) -> Path | None:
    """The root of the git repository that a folder is in."""
    return next((place for place in (folder, *folder.parents) if (place / ".git").exists()), None)


def entries(root: Path) -> dict[str, str]:
    """The files by their path from the root, as they are on disk now; what git ignores is no file.

    Executable is what is so on disk or was staged so; where git does not look at the disk for that, what was staged."""
    others = _git(root, "ls-files", "-z", "--others", "--exclude-standard")
    staged = _staged(root)
    paths = _walked(root) if others is None else [*staged, *filter(None, others.split("\0"))]
    modes = {path.rstrip("/"): _mode(root / path) for path in paths}
    if not modes_on_disk(root):
        modes = {path: PLAIN if mode == EXECUTABLE else mode for path, mode in modes.items()}
    return {path: _either(mode, staged.get(path)) for path, mode in modes.items() if mode is not None}


def beginning(path: Path, size: int) -> bytes:
    """The first bytes of a file."""
    with path.open("rb") as file:
        return file.read(size)


def ways_out(root: Path, entries: Mapping[str, str]) -> dict[str, str]:
    """Of the symbolic links those that leave the tree, and where they lead."""
    links = [path for path, mode in entries.items() if mode == LINK]
    return {path: str((root / path).readlink()) for path in links if not _inside(root, root / path)}


def _inside(root: Path, path: Path) -> bool:
    try:
        return path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):
        return True  # a loop leads nowhere


def modes_on_disk(root: Path) -> bool:
    """Whether git looks at the disk for what is executable."""
    return (_git(root, "config", "--type=bool", "core.fileMode") or "true").strip() == "true"


def _either(mode: str, staged: str | None) -> str:
    return EXECUTABLE if mode == PLAIN and staged == EXECUTABLE else mode


def _staged(root: Path) -> dict[str, str]:
    """What a commit would hold now, by path: git's mode."""
    lines = (_git(root, "ls-files", "-z", "--stage") or "").split("\0")
    return {path: facts.split(" ")[0] for facts, _, path in (line.partition("\t") for line in lines) if path}


def remotes(root: Path) -> list[str]:
    """The addresses that the repository is fetched from."""
    lines = _git(root, "config", "--get-regexp", r"^remote\..*\.url$") or ""
    return [line.partition(" ")[2] for line in lines.splitlines()]


def address(repo: str) -> str:
    """A repository's host and path, however it is reached: `git@host:a/b.git` and `https://host/a/b` are the same."""
    place = re.sub(r"^[a-z+]+://", "", repo)
    place = place if place.startswith("/") else re.sub(r"^([^/:]+):(?:\d+/)?/?", r"\1/", place.rpartition("@")[2])
    return place.rstrip("/").removesuffix(".git").lower()


def _git(root: Path, *arguments: str) -> str | None:
    """What git prints; None where there is no git, or no repository of its own at this root."""
    if not (root / ".git").exists():
        return None
    argv = ["git", "-C", str(root), "-c", "core.fsmonitor=false", *arguments]
    try:
        done = subprocess.run(argv, capture_output=True, timeout=PATIENCE, check=True, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError):
        return None
    return os.fsdecode(done.stdout)


def _walked(root: Path) -> Iterator[str]:
    for where, folders, files in os.walk(root):
        here = Path(where)
        folders[:] = [name for name in folders if name != ".git"]
        inner = [name for name in folders if (here / name).is_symlink() or (here / name / ".git").exists()]
        folders[:] = [name for name in folders if name not in inner]
        yield from (str((here / name).relative_to(root)) for name in (*files, *inner))


def _mode(path: Path) -> str | None:
    """Git's mode; None for what git keeps no trace of, such as a pipe or a file that is gone."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return None
    if stat.S_ISLNK(mode):
        return LINK
    if stat.S_ISDIR(mode):
        return SUBMODULE
    if stat.S_ISREG(mode):
        return EXECUTABLE if mode & stat.S_IXUSR else PLAIN
    return None
