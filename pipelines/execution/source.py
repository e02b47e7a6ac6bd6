"""Repositories as the rest of Shipmate sees them, and the one place that starts git.

Here: `Source`, asynchronous, whose callers at the same time share one fetch and one checkout; the environment, the time
limit and the end of a git process. Not here: which git commands are run (`mirror`, `resolution`, `trees`).

Reading and checking out ignore the configuration of the machine, so that a tree is the same everywhere and no filter,
hook or helper runs. Only a fetch sees it: credentials, host keys, proxies and private certificates are git's own.
"""

import asyncio
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from git.cmd import Git
from git.exc import GitCommandNotFound

from pipelines.domain.ref_problems import GitFailed, RemoteAway, SourceError, check_ref
from pipelines.domain.refs import Commits, Freshness, RefKind, Resolved
from pipelines.execution.mirror import Call, Limits, Mirror
from pipelines.execution.resolution import names, resolve
from pipelines.execution.trees import Trees

__all__ = ["Processes", "Source", "check_ref", "git_version", "reach"]

P = ParamSpec("P")
T = TypeVar("T")

GRACE = 2.0
"""Seconds between asking git to end and ending its whole process group."""

_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.attributesFile=/dev/null",
    "core.fsmonitor=false",
    "core.logAllRefUpdates=false",
    "credential.interactive=false",
    "gc.auto=0",
    "maintenance.auto=false",
)
_ALWAYS = {
    "GIT_ALLOW_PROTOCOL": "https:ssh:file:git",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}
_ALONE = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_COUNT": "0"}
_ANOTHERS = (  # would point git at the repository the bot was started in, from a hook for instance
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)
_CREDENTIALS = re.compile(r"(?<=://)[^/\s'\"]*@")


class Processes:
    """Starts git in a process group of its own and sees to it that it ends."""

    def __init__(self) -> None:
        self._running: set[int] = set()
        self._lock = threading.Lock()
        self._closed = False

    def run(self, call: Call) -> bytes:
        """Output of one git command. Raises SourceError(GitFailed) when it fails or takes longer than its limit."""
        process = self._start(call)
        try:
            out, err = process.communicate(call.stdin, timeout=call.limit)
        except subprocess.TimeoutExpired as error:
            _end(process)
            detail = f"it did not finish in {call.limit:.3g} s"
            raise SourceError(GitFailed(doing=call.doing, detail=detail)) from error
        finally:
            with self._lock:
                self._running.discard(process.pid)
        if process.returncode != 0:
            raise SourceError(GitFailed(doing=call.doing, detail=redacted(err) or f"exit {process.returncode}"))
        return out

    def close(self) -> None:
        """Ends what runs and refuses what comes."""
        with self._lock:
            self._closed = True
        for number in (signal.SIGTERM, signal.SIGKILL):
            with self._lock:
                for pid in self._running:
                    _signal(pid, number)
            end = time.monotonic() + GRACE
            while self._running and time.monotonic() < end:
                time.sleep(0.02)

    def _start(self, call: Call) -> "subprocess.Popen[bytes]":
        with self._lock:
            if self._closed:
                raise SourceError(GitFailed(doing=call.doing, detail="Shipmate is stopping"))
            try:
                started = Git(os.fspath(call.git_dir)).execute(
                    _argv(call),
                    subprocess.PIPE,
                    as_process=True,
                    env={**_ALWAYS, **({} if call.remote else _ALONE), **call.env},
                    start_new_session=True,
                    umask=call.umask,
                    pass_fds=() if call.hold is None else (call.hold,),
                )
            except GitCommandNotFound as error:
                raise SourceError(GitFailed(doing=call.doing, detail="git is not installed")) from error
            process: subprocess.Popen[bytes] | None = started.proc
            assert process is not None
            started.proc = None  # else it ends git as soon as this wrapper goes
            self._running.add(process.pid)
            return process


class Source:
    """Every repository, under `folder`: its copies in `mirrors`, trees of commits in `trees`.

    A repository is named by its address from the configuration. Everything raises SourceError.
    """

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        self._folder = folder.absolute()
        self._limits = limits or Limits()
        self._processes = Processes()
        self._trees = Trees(self._folder / "trees", self._processes.run)
        self._mirrors: dict[str, Mirror] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._waiting: dict[str, asyncio.Task[Freshness]] = {}
        self._making: dict[str, asyncio.Task[Path]] = {}
        self._near = ThreadPoolExecutor(8, thread_name_prefix="git")
        self._far = ThreadPoolExecutor(8, thread_name_prefix="git-fetch")

    async def refresh(self, repo: str) -> Freshness:
        """Fetches. All who ask before a fetch begins share it; who asks later gets the next, so nobody gets an answer
        from before the question. Raises RemoteAway when there is no copy to go on with."""
        waiting = self._waiting.get(repo)
        if waiting is None:
            waiting = self._waiting[repo] = _shared(self._next_fetch(repo))
        return await asyncio.shield(waiting)

    async def _next_fetch(self, repo: str) -> Freshness:
        async with self._turns.setdefault(repo, asyncio.Lock()):
            del self._waiting[repo]
            return await asyncio.get_running_loop().run_in_executor(self._far, self._mirror(repo).fetch)

    async def bring(self, repo: str, commit: str) -> None:
        """Sees to it that the copy holds a commit which was in some copy once: that of another host, or this one's
        before it was lost. What the remote does not have stays unknown. Raises RemoteAway."""
        if await self.has(repo, commit):
            return
        found = await self.refresh(repo)
        if await self.has(repo, commit):
            return
        if not found.fresh:
            raise SourceError(RemoteAway(as_of=found.as_of, detail=found.detail))
        with suppress(SourceError):
            await asyncio.get_running_loop().run_in_executor(self._far, self._mirror(repo).fetch_commit, commit)

    async def resolve(self, repo: str, text: str, tags: str = "v*") -> Resolved:
        """What a typed name means in the copy as it is now; `tags` is the pattern of tags that are versions.

        Raises BadRef, UnknownRef, AmbiguousRef, Unreachable, RemoteAway.
        """
        return await self._do(resolve, self._mirror(repo), text, tags)

    async def names(self, repo: str) -> list[tuple[RefKind, str]]:
        """Every tag and branch in the copy, newest first. Raises RemoteAway where there is none."""
        return await self._do(names, self._mirror(repo))

    async def has(self, repo: str, commit: str) -> bool:
        """Whether the copy holds this full commit id, so that no fetch is needed for it."""
        return await self._do(self._mirror(repo).has, commit)

    async def commits_between(self, repo: str, old: str, new: str, limit: int = 50) -> Commits:
        """What `new` has and `old` has not, newest first. Raises UnknownRef for a commit that is not in the copy."""
        return await self._do(self._mirror(repo).commits, old, new, limit)

    async def changed_paths(self, repo: str, old: str, new: str) -> tuple[str, ...]:
        return await self._do(self._mirror(repo).changed, old, new)

    async def read_file(self, repo: str, commit: str, path: str) -> bytes | None:
        """A file of a commit, None when it has none there. Raises TooLarge above 1 MB."""
        return await self._do(self._mirror(repo).read, commit, path)

    async def ls(self, repo: str, commit: str, prefix: str = "") -> dict[str, str]:
        """Path to mode of every file below `prefix`: 100644, 100755 (executable), 120000 (link), 160000 (submodule)."""
        return await self._do(self._mirror(repo).ls, commit, prefix)

    async def ways_out(self, repo: str, commit: str, links: Iterable[str]) -> dict[str, str]:
        """Of the symbolic links of a commit those that leave it, and where they lead."""
        return await self._do(self._mirror(repo).ways_out, commit, links)

    async def tree_id(self, repo: str, commit: str) -> str:
        """The id of the commit's whole tree, 40 hex digits: it covers every byte, name and mode in it."""
        return await self._do(self._mirror(repo).tree_id, commit)

    async def keep(self, repo: str, commit: str) -> None:
        """Holds the commit in the copy until `forget`, whatever becomes of its branch or tag."""
        await self._do(self._mirror(repo).keep, commit)

    async def forget(self, repo: str, commit: str) -> None:
        await self._do(self._mirror(repo).forget, commit)

    async def tidy(self, repo: str) -> None:
        """Packs the copy when git finds it worth while; meant for a timer."""
        await asyncio.get_running_loop().run_in_executor(self._far, self._mirror(repo).tidy)

    async def tree(self, repo: str, commit: str) -> Path:
        """The whole tree of the commit, read-only. Ask each time it is needed: a stored path may be gone.

        Raises BadTree, UnknownRef, RemoteAway.
        """
        if path := self._trees.ready(commit):
            return path
        making = self._making.get(commit)
        if making is None:
            making = self._making[commit] = _shared(self._make(repo, commit))
            making.add_done_callback(lambda _: self._making.pop(commit, None))
        return await asyncio.shield(making)

    async def _make(self, repo: str, commit: str) -> Path:
        await self.bring(repo, commit)
        return await self._do(self._trees.make, self._mirror(repo), commit)

    async def remove_tree(self, commit: str) -> None:
        """Takes a tree off the disk; only when nothing runs in it."""
        await self._do(self._trees.remove, commit)

    async def prune_trees(self, wanted: frozenset[str], unused_since: float) -> tuple[str, ...]:
        """Removes every tree but the wanted ones, those asked for since then (seconds since 1970) and those that
        processes still run in; says which commits those were."""
        return await self._do(self._trees.prune, wanted, unused_since)

    async def close(self) -> None:
        """Ends git where it still runs; nothing can be asked afterwards."""
        await asyncio.to_thread(self._processes.close)
        for pool in (self._near, self._far):
            await asyncio.to_thread(partial(pool.shutdown, cancel_futures=True))

    def _mirror(self, repo: str) -> Mirror:
        if repo not in self._mirrors:
            self._mirrors[repo] = Mirror(self._folder / "mirrors", repo, self._processes.run, self._limits)
        return self._mirrors[repo]

    async def _do(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._near, partial(work, *args, **kwargs))


def reach(processes: Processes, repo: str, limit: float) -> bool:
    """Asks the remote for its branches, and leaves nothing on this disk; whether it has any. `limit` is in seconds.

    Blocks. Raises SourceError(GitFailed)."""
    nowhere = Path(os.devnull) / "nowhere"  # so that it is not the repository that we happen to stand in
    args = ("ls-remote", "--quiet", "--heads", "--end-of-options", repo)
    return bool(processes.run(Call(args=args, doing="reach it", git_dir=nowhere, limit=limit, remote=True)))


def git_version() -> tuple[int, ...] | None:
    """Which git is on the PATH, such as (2, 39, 5); None for none. Blocks."""
    try:
        return tuple(Git().version_info)
    except GitCommandNotFound:
        return None


def redacted(stderr: bytes) -> str:
    """What git complained about, on one line, without credentials, at most 500 characters."""
    lines = (line.strip() for line in stderr.decode(errors="replace").splitlines())
    text = "; ".join(line.removeprefix("fatal: ").removeprefix("error: ") for line in lines if line)
    return "".join(c for c in _CREDENTIALS.sub("[redacted]@", text) if c.isprintable())[:500].rstrip(".")


def _shared(work: Coroutine[None, None, T]) -> asyncio.Task[T]:
    """A task that several wait for, and that ends in order when all of them have gone away."""
    task = asyncio.create_task(work)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task


def _argv(call: Call) -> list[str]:
    inherited = [name for name in _ANOTHERS if name in os.environ and name not in call.env]
    hidden = ["env", *(part for name in inherited for part in ("-u", name))] if inherited else []
    where = [f"--git-dir={call.git_dir}", *([f"--work-tree={call.work_tree}"] if call.work_tree else [])]
    settings = [part for setting in (*_SETTINGS, f"safe.directory={call.git_dir}") for part in ("-c", setting)]
    return [*hidden, "git", *where, *settings, *call.args]


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Asks first, so that git removes its lock files; then ends the whole group."""
    _signal(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=GRACE)
    _signal(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=GRACE)


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
