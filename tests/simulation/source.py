"""Repositories of the simulation: versions, each a commit with the same deploy.yml, and now and then no answer."""

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import cast

from pipelines.domain.ref_problems import RemoteAway, SourceError, UnknownRef
from pipelines.domain.refs import CommitLine, Commits, Freshness, RefKind, Resolved
from pipelines.execution.source import Source
from tests.support.domain import NOON, commit_of

VERSIONS = ("v1.0", "v1.1", "v1.2", "v1.3")
COMMITS = {commit_of(version): version for version in VERSIONS}
TREES = Path("/trees")


class SimulatedSource:
    """`away` is asked at each fetch."""

    def __init__(self, recipe: str, *, away: Callable[[], bool], clock: Callable[[], datetime]) -> None:
        self._recipe = recipe
        self._away = away
        self._clock = clock

    def as_source(self) -> Source:
        return cast(Source, self)

    async def refresh(self, repo: str) -> Freshness:
        if self._away():
            return Freshness(as_of=NOON, fresh=False, detail="no route to host")
        return Freshness(as_of=self._clock(), fresh=True)

    async def resolve(self, repo: str, text: str, tags: str = "v*") -> Resolved:
        version = {"latest": VERSIONS[-1], **COMMITS}.get(text, text)
        if version not in VERSIONS:
            raise SourceError(UnknownRef(text=text))
        commit = commit_of(version)
        return Resolved(
            commit=commit, version=version, ref_kind=RefKind.TAG, shown=version, committed_at=NOON, tree=commit[::-1]
        )

    async def has(self, repo: str, commit: str) -> bool:
        return commit in COMMITS

    async def bring(self, repo: str, commit: str) -> None: ...

    async def keep(self, repo: str, commit: str) -> None: ...

    async def read_file(self, repo: str, commit: str, path: str) -> bytes | None:
        return self._recipe.encode() if path == "deploy.yml" else None

    async def ls(self, repo: str, commit: str, prefix: str = "") -> dict[str, str]:
        names = ("install", "status", "route", "stop", "before", "after", "check")
        return {"deploy.yml": "100644", **{f"deploy/{name}.sh": "100755" for name in names}}

    async def ways_out(self, repo: str, commit: str, links: Iterable[str]) -> dict[str, str]:
        return {}

    async def tree_id(self, repo: str, commit: str) -> str:
        return commit[::-1]

    async def tree(self, repo: str, commit: str) -> Path:
        if self._away() and self._away():
            raise SourceError(RemoteAway(as_of=None, detail="no route to host"))
        return TREES / commit

    async def commits_between(self, repo: str, old: str, new: str, limit: int = 50) -> Commits:
        line = CommitLine(commit=new, author="ana", subject="a change", at=NOON)
        return Commits(ahead=1, behind=0, lines=(line,))
