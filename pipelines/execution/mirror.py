"""One bare copy of a repository on this disk: fetching it, reading it, keeping commits in it.

Here: which git commands are run on a mirror, and under what lock. Not here: starting git (`source`), what a typed name
means (`resolution`), trees on disk (`trees`). Everything blocks; what it takes are checked refs and full commit ids.
"""

import fcntl
import hashlib
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from pipelines.domain.ref_problems import GitFailed, RemoteAway, SourceError, TooLarge, UnknownRef
from pipelines.domain.refs import CommitLine, Commits, Freshness, is_commit

REFSPECS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
"""Branches and tags, nothing else: our own refs/shipmate/* stay, and pull requests of forks stay out."""

FILE_LIMIT = 1_000_000
"""Bytes: the largest file that is read out of a commit."""

ABANDONED = 60.0
"""Seconds after which a lock file that git left behind cannot belong to anybody who still works."""

REMEMBERED = 200
"""Commits, or pairs of them, of which a mirror's answers are kept."""

_LAST_MOMENT = 253_402_300_799


@dataclass(frozen=True, kw_only=True)
class Call:
    """One run of git: `remote` gives it the operator's own configuration; `hold` is a descriptor it shares.

    `limit` is in seconds; `umask` -1 is the bot's own. `doing` completes "git could not …".
    """

    args: tuple[str, ...]
    doing: str
    git_dir: Path
    limit: float = 30.0
    stdin: bytes = b""
    env: Mapping[str, str] = field(default_factory=dict)
    work_tree: Path | None = None
    remote: bool = False
    hold: int | None = None
    umask: int = -1


class Runner(Protocol):
    """Runs git and gives its output; raises SourceError(GitFailed) when git exits otherwise than 0 or is too slow."""

    def __call__(self, call: Call) -> bytes: ...


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Seconds: a fetch, the first fetch of a repository, tidying one."""

    fetch: float = 10.0
    clone: float = 120.0
    tidy: float = 600.0


class Mirror:
    """The copy of the repository at `url` under `folder`; made by its first fetch."""

    def __init__(self, folder: Path, url: str, runner: Runner, limits: Limits) -> None:
        self.url = url
        self.path = folder / f"{_slug(url)}.git"
        self._lock = folder / f"{_slug(url)}.lock"
        self._fetched = self.path / "shipmate-fetched"
        self._runner = runner
        self._limits = limits
        # What is said of commits stays true. Each question to git is a process, and asks may come in crowds.
        self.commits = lru_cache(REMEMBERED)(self._commits)
        """What `new` has that `old` has not, at most `limit` lines of it, and how many the other way round."""
        self.read_commit = lru_cache(REMEMBERED)(self._read)
        """Its tree, and when it was committed."""

    def git(self, *args: str, doing: str, stdin: bytes = b"") -> bytes:
        """Output of a git command that stays on this disk."""
        return self._runner(Call(args=args, doing=doing, git_dir=self.path, stdin=stdin))

    def as_of(self) -> datetime | None:
        """When a fetch last worked; None: there is no copy to read."""
        with suppress(FileNotFoundError):
            return datetime.fromtimestamp(self._fetched.stat().st_mtime, UTC)
        return None

    def present(self) -> "Mirror":
        """Itself. Raises SourceError(RemoteAway) while there is no copy to read."""
        if self.as_of() is None:
            raise SourceError(RemoteAway(as_of=None, detail="there is no copy of it here yet"))
        return self

    def fetch(self) -> Freshness:
        """Brings branches and tags up to date.

        Raises SourceError(RemoteAway) when the remote does not answer and there is no copy to go on with.
        """
        before = self.as_of()
        try:
            self._fetch(self._limits.fetch if before else self._limits.clone)
        except SourceError as error:
            assert isinstance(error.problem, GitFailed)
            if before is None:
                raise SourceError(RemoteAway(as_of=None, detail=error.problem.detail)) from error
            return Freshness(as_of=before, fresh=False, detail=error.problem.detail)
        self._fetched.touch()
        return Freshness(as_of=self.as_of() or datetime.now(UTC), fresh=True)

    def fetch_commit(self, commit: str) -> None:
        """Brings one commit that no branch or tag leads to any more, and keeps it. Raises SourceError when the remote
        has none such, or hands out none by its id."""
        self._fetch(self._limits.fetch, f"+{_checked(commit)}:refs/shipmate/{commit}")

    def _fetch(self, limit: float, *refspecs: str) -> None:
        """What the refspecs say; without any, all branches and tags, and those that are gone there go here."""
        end = time.monotonic() + limit
        with self._alone(end) as hold:
            self._begin()
            prune = () if refspecs else ("--prune",)
            options = (*prune, "--no-tags", "--quiet", "--no-write-fetch-head", "--no-auto-maintenance")
            which = refspecs or REFSPECS
            args = ("fetch", *options, "--no-recurse-submodules", "--end-of-options", self.url, *which)
            left = max(end - time.monotonic(), 0.1)
            self._runner(
                Call(args=args, doing="fetch", git_dir=self.path, limit=left, remote=True, hold=hold),
            )

    def tidy(self) -> None:
        """Packs what many small fetches left, when git finds it worth while; what is kept is never lost."""
        with self._alone(time.monotonic() + self._limits.fetch) as hold:
            args = ("-c", "gc.auto=6700", "-c", "gc.autoDetach=false", "gc", "--auto", "--quiet")
            self._runner(
                Call(args=args, doing="tidy its copy", git_dir=self.path, limit=self._limits.tidy, hold=hold),
            )

    def keep(self, commit: str) -> None:
        """Holds `commit` here, whatever happens to the branches and tags that reached it."""
        if not self._kept(commit):
            self.git("update-ref", f"refs/shipmate/{commit}", commit, doing="keep the commit")

    def forget(self, commit: str) -> None:
        """Undoes `keep`; forgetting what was never kept is no error."""
        self.git("update-ref", "-d", f"refs/shipmate/{_checked(commit)}", doing="let go of the commit")

    def _kept(self, commit: str) -> bool:
        """Whether it is certain without asking git that the commit is kept; False proves nothing."""
        return (self.path / "refs" / "shipmate" / _checked(commit)).is_file()

    def has(self, commit: str) -> bool:
        """Whether this copy holds the commit."""
        return self.as_of() is not None and (self._kept(commit) or self.kinds([commit]) == ["commit"])

    def kinds(self, names: list[str]) -> list[str]:
        """What each object id is: commit, tag, tree, blob or missing."""
        lines = self.git("cat-file", "--batch-check", doing="look objects up", stdin=_lines(names)).splitlines()
        return [line.split()[1].decode() for line in lines]

    def read(self, commit: str, path: str) -> bytes | None:
        """A file of a commit, through symbolic links that stay inside it; None when there is none.

        Raises SourceError(TooLarge) above FILE_LIMIT.
        """
        if not {".", ".."}.isdisjoint(path.split("/")) or not {"\n", "\0"}.isdisjoint(path):
            return None
        name = f"{self._known(commit)}:{path}"
        found = self.git(
            "cat-file", "--batch-check", "--follow-symlinks", doing=f"find {path!r}", stdin=_lines([name])
        ).split(b"\n", 1)[0]
        match found.split():
            case [oid, b"blob", size] if int(size) > FILE_LIMIT:
                raise SourceError(TooLarge(path=path, size=int(size), limit=FILE_LIMIT))
            case [oid, b"blob", _]:
                return self.git("cat-file", "blob", oid.decode(), doing=f"read {path!r}")
            case _:
                return None

    def ways_out(self, commit: str, links: Iterable[str]) -> dict[str, str]:
        """Of the symbolic links of a commit those that leave it, and where they lead."""
        names = {f"{commit}:{path}": path for path in links if "\n" not in path}
        if not names:
            return {}
        out = self.git(
            "cat-file", "--batch-check", "--follow-symlinks", doing="follow the links", stdin=_lines([*names])
        )
        found, lines = {}, iter(out.split(b"\n"))
        for path, line in zip(names.values(), lines, strict=False):
            if line.split(b" ", 1)[0] in (b"symlink", b"dangling", b"loop", b"notdir"):
                target = os.fsdecode(next(lines, b""))
                if line.startswith(b"symlink"):
                    found[path] = target
        return found

    def ls(self, commit: str, prefix: str = "") -> dict[str, str]:
        """Every file at or below `prefix` with its mode: 100644, 100755, 120000 (link) or 160000 (submodule)."""
        where = ("--", prefix) if prefix else ()
        out = self.git("ls-tree", "-r", "-z", "--full-tree", self._known(commit), *where, doing="list the files")
        entries = (entry.split(b"\t", 1) for entry in out.split(b"\0") if entry)
        return {os.fsdecode(path): info[:6].decode() for info, path in entries}

    def tree_id(self, commit: str) -> str:
        args = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{self._known(commit)}^{{tree}}")
        return self.git(*args, doing="read the commit").decode().strip()

    def changed(self, old: str, new: str) -> tuple[str, ...]:
        """Paths that differ between two commits."""
        args = ("diff-tree", "-r", "-z", "--name-only", "--no-renames", self._known(old), self._known(new))
        return tuple(os.fsdecode(path) for path in self.git(*args, doing="compare commits").split(b"\0") if path)

    def _read(self, commit: str) -> tuple[str, datetime]:
        out = self.git("log", "--max-count=1", "--format=%T %ct", commit, "--", doing="read the commit").split()
        return out[0].decode(), moment(out[1].decode())

    def _commits(self, old: str, new: str, limit: int) -> Commits:
        span = f"{self._known(old)}...{self._known(new)}"
        counts = self.git("rev-list", "--left-right", "--count", span, "--", doing="count commits").split()
        args = ("log", "-z", "--format=%H%x00%an%x00%s%x00%ct", f"--max-count={max(limit, 0)}", f"{old}..{new}", "--")
        parts = self.git(*args, doing="list commits").decode(errors="replace").split("\0")
        rows = zip(*(parts[column::4] for column in range(4)), strict=False)
        lines = tuple(CommitLine(commit=c, author=a, subject=s, at=moment(at)) for c, a, s, at in rows)
        return Commits(ahead=int(counts[1]), behind=int(counts[0]), lines=lines)

    def _known(self, commit: str) -> str:
        if not self.present().has(commit):
            raise SourceError(UnknownRef(text=commit))
        return commit

    def _begin(self) -> None:
        if (self.path / "HEAD").is_file():
            self._clear()
            return
        self.path.mkdir(parents=True, exist_ok=True)
        self._runner(
            Call(args=("init", "--bare", "--quiet", "--template="), doing="make its copy", git_dir=self.path),
        )

    def _clear(self) -> None:
        """Removes what a killed git left: nobody else writes here while the lock is held, refs we keep aside."""
        left = [*self.path.glob("*.lock"), *self.path.glob("refs/**/*.lock"), *self.path.glob("objects/pack/tmp_*")]
        for path in left:
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > ABANDONED:
                    path.unlink()

    @contextmanager
    def _alone(self, end: float) -> Iterator[int]:
        """The only writer of this copy on this host. git holds the same lock, so it survives a killed bot's fetch."""
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        with self._lock.open("a") as file:
            while not _locked(file.fileno()):
                if time.monotonic() > end:
                    raise SourceError(GitFailed(doing="fetch", detail="another fetch of it has not ended yet"))
                time.sleep(0.02)
            yield file.fileno()


def moment(seconds: str) -> datetime:
    """git's seconds since 1970, however absurd, as an aware datetime."""
    return datetime.fromtimestamp(min(max(int(seconds), 0), _LAST_MOMENT), UTC)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _checked(commit: str) -> str:
    if not is_commit(commit):
        raise SourceError(UnknownRef(text=commit))
    return commit


def _lines(names: list[str]) -> bytes:
    return b"".join(os.fsencode(name) + b"\n" for name in names)


def _slug(url: str) -> str:
    """A readable folder name; the address without its credentials decides, so a new token needs no new copy."""
    address = re.sub(r"(?<=://)[^/@]*@", "", url)
    word = re.sub(r"[^A-Za-z0-9]+", "-", address.rstrip("/").removesuffix(".git").rsplit("/", 1)[-1]).strip("-")
    return f"{word[:40] or 'repository'}-{hashlib.sha256(address.encode()).hexdigest()[:12]}"
