"""Whole trees of commits on disk, read-only, made once and used by every deploy of that commit.

Here: making one so that it is either whole or absent, refusing what would leave it, removing it, dropping what a dead
process or a power cut left half. Not here: reading single files (`mirror`), running anything in a tree (the agent).
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from pipelines.domain.ref_problems import BadTree, SourceError, UnknownRef
from pipelines.domain.refs import is_commit
from pipelines.execution import in_use
from pipelines.execution.mirror import Call, Mirror, Runner

LIMIT = 300.0
"""Seconds a checkout may take."""

WORKERS = 4
"""Processes of git that write files."""

FILES = 500_000
"""Files a tree may have."""

_LINK, _SUBMODULE = "120000", "160000"
_FOLDER = 0o555
_HALF = ".tmp-"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Trees:
    """The cache of trees under `folder`, one folder a commit."""

    def __init__(self, folder: Path, runner: Runner) -> None:
        self.folder = folder
        self._runner = runner
        self._prepared = False

    def ready(self, commit: str) -> Path | None:
        """The folder of the commit's tree when it is on disk already."""
        path = self.folder / commit
        if not self._prepared or not is_commit(commit) or not path.is_dir():
            return None
        with suppress(OSError):
            os.utime(path)  # for `prune`: it is used
        return path

    def make(self, mirror: Mirror, commit: str) -> Path:
        """The folder of the commit's tree; a crash at any point leaves it whole or absent.

        Raises SourceError(BadTree) for submodules and for links that leave the tree, naming the path.
        """
        self._prepare()
        if path := self.ready(commit):
            return path
        modes = mirror.ls(commit)
        _refuse_before(commit, modes)
        self.sweep()
        with self._half() as (half, hold):
            tree = half / "tree"
            folders = [tree / folder for folder in ("", *_folders(modes))]
            for folder in folders:
                folder.mkdir()
            self._check_out(mirror, commit, half, hold)
            _refuse_links(commit, tree, [path for path, mode in modes.items() if mode == _LINK])
            for folder in folders[1:]:
                folder.chmod(_FOLDER)
            return self._publish(tree, commit)

    def _publish(self, tree: Path, commit: str) -> Path:
        path = self.folder / commit
        try:
            tree.rename(path)
        except OSError:
            if not path.is_dir():
                raise
            return path  # another process was quicker: its tree is the same
        path.chmod(_FOLDER)  # only now: a read-only folder cannot be moved to another one
        return path

    def remove(self, commit: str) -> None:
        """Takes a tree off the disk; the caller knows that nothing runs in it. An absent one is no error."""
        if not is_commit(commit):
            raise SourceError(UnknownRef(text=commit))
        self._set_aside(self.folder / commit)
        self.sweep()

    def on_disk(self) -> tuple[str, ...]:
        """Commits whose trees are here."""
        with suppress(FileNotFoundError):
            return tuple(sorted(path.name for path in self.folder.iterdir() if is_commit(path.name)))
        return ()

    def prune(self, wanted: Iterable[str], unused_since: float) -> tuple[str, ...]:
        """Removes every tree but the wanted ones, those that were asked for since, and those that a process stands in
        or runs; says which. The time is in seconds since 1970."""
        some = [commit for commit in set(self.on_disk()) - set(wanted) if self._asked_for(commit) < unused_since]
        gone = tuple(set(some) - in_use.trees(self.folder)) if some else ()
        for commit in gone:
            self.remove(commit)
        return gone

    def _asked_for(self, commit: str) -> float:
        with suppress(FileNotFoundError):
            return (self.folder / commit).stat().st_mtime
        return 0.0

    def sweep(self) -> None:
        """Removes half trees that no living process holds."""
        for path in [*self.folder.glob(f"{_HALF}*")]:
            with _held(path) as hold:
                if hold is not None:
                    delete(path)

    @contextmanager
    def _half(self) -> Iterator[tuple[Path, int]]:
        """A new folder for a tree, held as long as this process or its git lives; gone at the end if not renamed."""
        with ExitStack() as stack:
            half, hold = self.folder, None
            while hold is None:  # a sweep may have taken the new folder for an abandoned one
                half = Path(tempfile.mkdtemp(prefix=_HALF, dir=self.folder))
                hold = stack.enter_context(_held(half))
            stack.callback(delete, half)
            yield half, hold

    def _check_out(self, mirror: Mirror, commit: str, half: Path, hold: int) -> None:
        """git makes the files, read-only from the first; the folders are there already, else it could not fill them."""
        for args in (
            ("read-tree", commit),
            ("-c", f"checkout.workers={WORKERS}", "checkout-index", "--all", "--quiet"),
        ):
            self._runner(
                Call(
                    args=args,
                    doing=f"put commit {commit[:12]} on disk",
                    git_dir=mirror.path,
                    limit=LIMIT,
                    env={"GIT_INDEX_FILE": str(half / "index")},
                    work_tree=half / "tree",
                    hold=hold,
                    umask=0o222,
                )
            )

    def _prepare(self) -> None:
        """Once a process: after a restart of the machine every tree is made anew, for a power cut may have emptied
        files that were written but not yet on the disk."""
        if self._prepared:
            return
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        boot = _BOOT_ID.read_text() if _BOOT_ID.is_file() else "unknown"
        stamp = self.folder / ".boot"
        with _held(self.folder, wait=True):
            if not stamp.is_file() or stamp.read_text() != boot:
                for commit in self.on_disk():
                    self._set_aside(self.folder / commit)
                stamp.write_text(boot)
        self._prepared = True

    def _set_aside(self, path: Path) -> None:
        with suppress(FileNotFoundError):
            path.rename(tempfile.mkdtemp(prefix=_HALF, dir=self.folder))


def _refuse_before(commit: str, modes: dict[str, str]) -> None:
    if len(modes) > FILES:
        raise SourceError(BadTree(commit=commit, path="the tree", reason=f"has more than {FILES:,} files"))
    for path, mode in modes.items():
        if mode == _SUBMODULE:
            raise SourceError(BadTree(commit=commit, path=path, reason="is a submodule, which is not fetched"))


def _refuse_links(commit: str, root: Path, links: list[str]) -> None:
    inside = os.path.realpath(root)
    for path in links:
        target = os.path.realpath(root / path)
        if target != inside and not target.startswith(inside + os.sep):
            reason = f"is a link out of the repository, to {(root / path).readlink()}"
            raise SourceError(BadTree(commit=commit, path=path, reason=reason))


def _folders(paths: Iterable[str]) -> list[str]:
    """Every folder that holds one of the paths, outer ones first."""
    found: set[str] = set()
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return sorted(found)


def delete(path: Path) -> None:
    """Takes a file or folder off the disk, also one with read-only folders in it."""
    if path.is_dir():
        for folder, _, _ in os.walk(path):
            os.chmod(folder, 0o700)  # noqa: PTH101
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def _held(path: Path, *, wait: bool = False) -> Iterator[int | None]:
    """A lock on a file or folder, None when somebody has it; a process that inherits the descriptor has it too."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield None
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(descriptor)
        yield None
        return
    try:
        yield descriptor if path.exists() else None
    finally:
        os.close(descriptor)
