"""One attempt of a script, from its claim to its end, whoever began it: its life is its run folder."""

import asyncio
import logging
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from pipelines.domain.events import Progress
from pipelines.domain.reports import reported
from pipelines.execution import checks, endings, rundir, values
from pipelines.execution.endings import NotBegunError, not_begun
from pipelines.execution.follower import Follower
from pipelines.execution.masking import Masker
from pipelines.execution.records import Records
from pipelines.execution.rundir import RunState
from pipelines.execution.surroundings import Surroundings
from pipelines.storage.database import heard
from pipelines.storage.steps import Claim, Ending

log = logging.getLogger(__name__)

QUICK, LOOK, ALONE = 0.02, 0.25, 1.0
STARTS, START_SECONDS = 3, 20.0  # how often a supervisor that does not come up is started, and when again


class Attempt:
    """`stop`: set when the script shall end. `slowest` says how many seconds at most to leave between two looks."""

    def __init__(
        self,
        claim: Claim,
        *,
        surroundings: Surroundings,
        records: Records,
        stop: asyncio.Event,
        slowest: Callable[[], float],
    ) -> None:
        self._claim = claim
        self._surroundings = surroundings
        self._records = records
        self._stop = stop
        self._slowest = slowest
        self._run_dir = surroundings.run_dir(claim.key)
        self._lived: datetime | None = None
        self._begun = claim.progress is not None

    async def run(self) -> Ending:
        """Raises NotBegunError, SourceError: nothing of it runs, and nothing will."""
        if await self._state() is RunState.ABSENT:
            if not self._run_dir.exists() and self._begun:
                return self._as_it_was(endings.lost(self._run_dir))
            if self._claim.work.pause:
                await heard(self._stop, self._claim.work.pause)
            if not self._stop.is_set():
                await self._start()
            elif not self._run_dir.exists():
                return endings.NEVER_BEGAN
        masker = await asyncio.to_thread(lambda: Masker(values.kept(self._run_dir)))
        follower = self._records.follower(self._claim.key, self._run_dir / "out", masker)
        await self._until_over(follower)
        await follower.drain(last=True)
        return await asyncio.to_thread(self._ending, masker)

    async def _state(self) -> RunState:
        return await asyncio.to_thread(self._state_now)

    def _state_now(self) -> RunState:
        return rundir.state(self._run_dir, detach=self._claim.work.detach)

    def _state_and_news(self, follower: Follower) -> tuple[RunState, bool]:
        return self._state_now(), follower.grown()

    def never_began(self) -> bool:
        """Nothing was prepared, so nothing can have started."""
        return not any((self._run_dir / name).exists() for name in ("spec.json", "started", "exit"))

    def began(self) -> bool:
        return (self._run_dir / "started").exists()

    async def forbid(self) -> bool:
        """Keep it from ever beginning; False: it began."""
        return await asyncio.to_thread(rundir.forbid, self._run_dir)

    async def end(self) -> bool:
        """End what runs of it, and keep it from starting; False when nobody can know how it ended."""
        if self.never_began():
            return True
        for force in (False, True):
            await asyncio.to_thread(rundir.request_stop, self._run_dir, force=force)
            for _ in range(int(2 * self._surroundings.grace / LOOK)):
                state = await self._state()
                if state in (RunState.EXITED, RunState.LOST):
                    return state is RunState.EXITED
                await asyncio.sleep(LOOK)
        return False

    async def _start(self) -> None:
        if not (self._run_dir / "spec.json").exists():
            try:
                spec = await self._surroundings.spec(self._claim.work, self._run_dir)
                await asyncio.to_thread(rundir.prepare, self._run_dir, spec)
            except OSError as error:
                raise not_begun(error) from error
        if not await self._records.begun(self._claim.key):
            raise NotBegunError("it was given up, for nobody was here")
        self._begun = True
        await self._spawn()

    async def _spawn(self) -> None:
        try:
            await asyncio.to_thread(rundir.spawn, self._run_dir)
        except (OSError, subprocess.CalledProcessError) as error:
            log.warning("no supervisor for %s: %s", self._run_dir, error)  # there is another try

    async def _until_over(self, follower: Follower) -> None:
        """Follow the output until the run has ended in some way; pass a stop on to it, with force after a while."""
        delay, asked, told, starts = QUICK, 0.0, False, 1
        clock = asyncio.get_running_loop().time
        began = clock()
        while True:
            state, printed = await asyncio.to_thread(self._state_and_news, follower)
            if state in (RunState.EXITED, RunState.LOST):
                return
            behind = printed and await follower.drain()
            if state in (RunState.RUNNING, RunState.UNSUPERVISED):
                self._lived = self._records.clock()
            if state is RunState.ABSENT and clock() - began > START_SECONDS:
                began, starts = clock(), await self._start_again(starts)
            if state is RunState.UNSUPERVISED and not told:
                told = True
                await self._records.ended(self._claim.key, endings.UNSUPERVISED)
            if self._stop.is_set() and (not asked or clock() - asked > self._surroundings.grace):
                force, asked = bool(asked), clock()
                await asyncio.to_thread(rundir.request_stop, self._run_dir, force=force)
            # however much is printed: a look that finds something is a transaction, so looks do not follow the lines
            slowest = ALONE if state is RunState.UNSUPERVISED else self._slowest()
            delay = QUICK if asked or behind else min(delay * 1.3, slowest)
            await asyncio.sleep(delay)

    async def _start_again(self, starts: int) -> int:
        """Another supervisor for a run of which nothing is heard; after some that is forbidden for good."""
        if starts < STARTS:
            await self._spawn()
        elif await self.forbid():
            raise NotBegunError("its supervisor did not come up; is its host out of memory, processes or disk?")
        return starts + 1

    def _as_it_was(self, lost: Ending) -> Ending:
        """Nobody can know when it was lost; it lived when it was last seen, or at least when it was claimed."""
        return replace(lost, at=self._lived or rundir.last_sign(self._run_dir) or self._claim.at)

    def _ending(self, masker: Masker) -> Ending:
        exit_ = rundir.read_exit(self._run_dir)
        if exit_ is None:
            ending = endings.without_exit(self._run_dir, stopped=self._stop.is_set())
            return self._as_it_was(ending) if ending.progress is Progress.LOST else ending
        ending = replace(endings.ended_as(exit_, self._claim.work, self._run_dir), at=exit_.at)
        if ending.progress is Progress.OK and self._claim.work.status:
            with (self._run_dir / "out").open("rb") as out:
                answer = out.read(checks.ANSWER_READ).decode(errors="replace")
            ending = replace(ending, report=reported(masker.text(answer)))
        return values.masked(ending, masker)
