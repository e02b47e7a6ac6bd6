"""What is not needed any more goes: run folders of deploys that are over, trees that nobody used for a while, old
output. What is kept for how long is told; a timer calls. The history of deploys stays, and every commit that can be
rolled back to, with its tree.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlmodel import Session

from pipelines.execution import cgroup, in_use
from pipelines.execution.holes import punch
from pipelines.execution.source import Source
from pipelines.execution.trees import delete
from pipelines.storage import deploys, old
from pipelines.storage.database import Database
from pipelines.storage.steps import KEPT_FIRST, StepKey

log = logging.getLogger(__name__)

PRUNE_SECONDS = 600.0


@dataclass(frozen=True, kw_only=True)
class Keep:
    """How long: run folders after the last script ended, trees after they were last asked for, output after its deploy
    began."""

    runs: timedelta
    trees: timedelta
    logs: timedelta


class Pruner:
    """`runs` is where run folders are."""

    def __init__(
        self, *, database: Database, source: Source, runs: Path, keep: Keep, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._source = source
        self._runs = runs
        self._keep = keep
        self._clock = clock

    async def prune(self) -> None:
        """Everything that is old enough by now."""
        now = self._clock()
        await self._run_folders(now - self._keep.runs)
        await self._trees(now - self._keep.trees)
        await self._output(now - self._keep.logs)
        await asyncio.to_thread(cgroup.sweep)

    async def _run_folders(self, before: datetime) -> None:
        there = await asyncio.to_thread(lambda: [path.name for path in self._runs.glob("*")])
        over = await self._database.read(lambda session: old.over(session, there, before)) if there else set()
        used = await asyncio.to_thread(in_use.runs, self._runs) if over else set()
        for name in sorted(over - used):
            await asyncio.to_thread(delete, self._runs / name)
        for out in [out for name in over & used for out in (self._runs / name).glob("*/out")]:
            # what a service prints that was left running is kept nowhere, and must not fill the disk
            await asyncio.to_thread(punch, out, KEPT_FIRST, out.stat().st_size)

    async def _trees(self, before: datetime) -> None:
        wanted = await self._database.read(commits_wanted)
        for commit in await self._source.prune_trees(wanted, before.timestamp()):
            log.info("the tree of %s was not used for a while and went off the disk", commit)

    async def _output(self, before: datetime) -> None:
        while keys := await self._database.read(lambda session: old.steps_with_output(session, before)):
            for key in keys:
                await self._database.write_behind(partial(_drop_output, key=key))


def _drop_output(session: Session, _topics: set[str], key: StepKey) -> None:
    old.drop_output(session, key)


def commits_wanted(session: Session) -> frozenset[str]:
    """The commits that something runs of now, or that a room runs or may go back to."""
    wanted: set[str | None] = set()
    for deploy in deploys.running(session):
        wanted |= {deploy.plan.commit, deploy.plan.previous_commit, *(step.commit for step in deploy.steps)}
    for room in old.rooms(session):
        wanted |= {room.last_commit, *(target.commit for target in room.targets.values())}
        wanted |= {good.commit for good in (room.last_good(),) if good is not None}
    return frozenset(commit for commit in wanted if commit)
