"""The agent of one host: the only thing that starts scripts. It carries out the steps that are claimed for its host.

A claim is a row; a script's life is a run folder. After a restart every open claim is taken up where it is: what never
started is started, or said to be missed if it is too late for that by now; what runs is followed, what ended is
recorded, what nobody can know is said to be lost.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlmodel import Session

from pipelines.domain.events import Progress
from pipelines.domain.lateness import missed
from pipelines.domain.plan import How
from pipelines.domain.ref_problems import SourceError
from pipelines.domain.reports import reported
from pipelines.domain.stepwork import Work
from pipelines.execution import checks, rundir
from pipelines.execution.follower import Follower
from pipelines.execution.masking import Masker
from pipelines.execution.rundir import Exit, RunState, Spec, Why
from pipelines.execution.source import Source
from pipelines.storage.database import Database, heard
from pipelines.storage.steps import Claim, Ending, StepKey, append_output, end, open_claims

log = logging.getLogger(__name__)

GRACE = 10.0
LOOK_AGAIN = 2.0
QUICK, SLOW = 0.02, 0.25
LOST = Ending(progress=Progress.LOST, detail="ended with its supervisor gone: nobody can know how")


def utc_now() -> datetime:
    return datetime.now(UTC)


class Agent:
    """`runs` is where run folders are; `path` is the PATH that scripts get."""

    def __init__(
        self,
        *,
        database: Database,
        source: Source,
        host: str,
        runs: Path,
        path: str | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._source = source
        self._host = host
        self._runs = runs
        self._path = path or os.environ.get("PATH", os.defpath)
        self._clock = clock
        self._tasks: dict[StepKey, asyncio.Task[None]] = {}
        self._stops: dict[StepKey, asyncio.Event] = {}

    async def run(self) -> None:
        """Carry out claims until cancelled. Scripts live on when this ends."""
        try:
            with self._database.waker.listening("steps") as told:
                while True:
                    told.clear()
                    for claim in await self._database.read(lambda session: open_claims(session, self._host)):
                        self._take(claim)
                    await heard(told, LOOK_AGAIN)
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _take(self, claim: Claim) -> None:
        stop = self._stops.setdefault(claim.key, asyncio.Event())
        if claim.stop:
            stop.set()
        if claim.key not in self._tasks:
            task = asyncio.create_task(self._carry_out(claim, stop))
            self._tasks[claim.key] = task
            task.add_done_callback(lambda _: self._forget(claim.key))

    def _forget(self, key: StepKey) -> None:
        self._tasks.pop(key, None)
        self._stops.pop(key, None)

    async def _carry_out(self, claim: Claim, stop: asyncio.Event) -> None:
        try:
            if not stop.is_set() and await self._missed(claim):
                ending = Ending(progress=Progress.MISSED, detail="was not begun in time", at=claim.at)
            elif claim.work.how is How.SCRIPT:
                ending = await Script(self, claim, stop).run()
            else:
                ending = await self._ask(claim, stop)
        except SourceError as error:
            ending = Ending(progress=Progress.FAILED, detail=f"did not start: {error}")
        except OSError as error:
            log.exception("step %s of %s", claim.key.step, claim.key.deploy)
            ending = Ending(progress=Progress.FAILED, detail=f"did not start: {error.strerror or error}")
        await self.record(claim.key, ending)

    async def _missed(self, claim: Claim) -> bool:
        """Whether it is too late to begin it unasked; if so, nobody ever begins it."""
        if not missed(claim.work, claim.at, self._clock()):
            return False
        script = claim.work.how is How.SCRIPT
        return await asyncio.to_thread(rundir.forbid, self.run_dir(claim.key)) if script else True

    async def record(self, key: StepKey, ending: Ending) -> None:
        at = self._clock()

        def work(session: Session, topics: set[str]) -> None:
            end(session, key, ending, at)
            topics |= {f"deploy:{key.deploy}", f"probe:{key.deploy}"}

        await self._database.write(work)

    async def _ask(self, claim: Claim, stop: asyncio.Event) -> Ending:
        """A question, begun again after a restart; or a wait, which is over when its time is, whoever waited."""
        asking = asyncio.create_task(self._question(claim))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({asking, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                return Ending(progress=Progress.ABORTED, detail="was aborted")
            ending = asking.result()
        finally:
            asking.cancel()
            stopping.cancel()
        if claim.work.how is not How.WAIT:
            said = ending.report.line if ending.report else (ending.detail or "yes")
            await self._note(claim.key, f"{claim.work.how.value} {claim.work.what}: {said}\n")
        return ending

    async def _question(self, claim: Claim) -> Ending:
        work = claim.work
        if work.pause:
            await asyncio.sleep(work.pause)
        match work.how:
            case How.HTTP:
                return await checks.http(work.what, work.timeout, status=work.status)
            case How.TCP:
                return await checks.tcp(work.what, work.timeout)
            case How.WAIT:
                over = claim.at + timedelta(seconds=work.timeout)
                await asyncio.sleep(max(0.0, (over - self._clock()).total_seconds()))
                return Ending(progress=Progress.OK, at=over)
            case How.SCRIPT:
                raise AssertionError("a script is not a question")

    async def _note(self, key: StepKey, text: str) -> None:
        at = self._clock()

        def work(session: Session, topics: set[str]) -> None:
            append_output(session, key, 0, text.encode(), at)
            topics |= {f"output:{key.deploy}", "output"}

        await self._database.write(work)

    def now(self) -> datetime:
        return self._clock()

    def run_dir(self, key: StepKey) -> Path:
        return self._runs / key.deploy / f"{key.step}.{key.attempt}"

    async def spec(self, claim: Claim, run_dir: Path) -> Spec:
        """What the supervisor is told; makes the folders that the script may use."""
        work = claim.work
        tree = await self._source.tree(work.repo, work.commit)
        for name in ("home", "tmp"):
            (run_dir / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        stdin = run_dir / "stdin"
        if work.stdin:
            stdin.write_text(work.stdin)
        ours = {
            "PATH": self._path,
            "LANG": "C.UTF-8",
            "HOME": str((run_dir / "home").absolute()),
            "TMPDIR": str((run_dir / "tmp").absolute()),
        }
        return Spec(
            argv=[str(tree / work.what)],
            cwd=str(tree),
            env={**work.env, **ours},
            stdin=str(stdin.absolute()) if work.stdin else None,
            timeout=work.timeout or None,
            grace=GRACE,
            detach=work.detach,
        )

    def follower(self, key: StepKey) -> Follower:
        return Follower(self._database, key, self.run_dir(key) / "out", Masker(()), self._clock)


class Script:
    """One script from its claim to its end, whoever began it."""

    def __init__(self, agent: Agent, claim: Claim, stop: asyncio.Event) -> None:
        self._agent = agent
        self._claim = claim
        self._stop = stop
        self._run_dir = agent.run_dir(claim.key)
        self._lived: datetime | None = None

    async def run(self) -> Ending:
        if rundir.state(self._run_dir) is RunState.ABSENT:
            if self._claim.work.pause:
                await heard(self._stop, self._claim.work.pause)
            if self._stop.is_set():
                rundir.request_stop(self._run_dir)
            else:
                await self._start()
        follower = self._agent.follower(self._claim.key)
        state = await self._until_over(follower)
        await follower.drain(last=True)
        return await asyncio.to_thread(self._ending, state)

    async def _start(self) -> None:
        if not (self._run_dir / "spec.json").exists():
            spec = await self._agent.spec(self._claim, self._run_dir)
            await asyncio.to_thread(rundir.prepare, self._run_dir, spec)
        await asyncio.to_thread(rundir.spawn, self._run_dir)

    async def _until_over(self, follower: Follower) -> RunState:
        """Follow the output until the run has ended in some way; pass a stop on to it, with force after a while."""
        delay, asked, told = QUICK, 0.0, False
        clock = asyncio.get_running_loop().time
        while True:
            state = await asyncio.to_thread(rundir.state, self._run_dir)
            await follower.drain()
            if state in (RunState.EXITED, RunState.LOST):
                return state
            if state in (RunState.RUNNING, RunState.UNSUPERVISED):
                self._lived = self._agent.now()
            if state is RunState.ABSENT and self._stop.is_set() and asked:
                return state
            if state is RunState.UNSUPERVISED and not told:
                told = True
                await self._agent.record(self._claim.key, Ending(progress=Progress.UNSUPERVISED))
            if self._stop.is_set() and (not asked or clock() - asked > GRACE):
                force, asked = bool(asked), clock()
                await asyncio.to_thread(rundir.request_stop, self._run_dir, force=force)
            # however much is printed: a look that finds something is a transaction, so looks do not follow the lines
            delay = QUICK if asked else min(delay * 1.3, SLOW)
            await asyncio.sleep(delay)

    def _ending(self, state: RunState) -> Ending:
        exit_ = rundir.read_exit(self._run_dir)
        if exit_ is None:
            if self._stop.is_set():
                return Ending(progress=Progress.ABORTED, detail="was ended")
            return replace(LOST, at=self._lived or rundir.last_sign(self._run_dir))
        ending = replace(ended_as(exit_, self._claim.work), at=exit_.at)
        if ending.progress is Progress.OK and self._claim.work.status:
            with (self._run_dir / "out").open("rb") as out:
                answer = out.read(checks.ANSWER_READ).decode(errors="replace")
            return replace(ending, report=reported(answer))
        return ending


def ended_as(exit_: Exit, work: Work) -> Ending:
    """A run's end in words."""
    match exit_.why:
        case Why.TIMEOUT:
            return Ending(progress=Progress.TIMED_OUT, detail=f"took longer than {work.timeout:g} s")
        case Why.SILENCE:
            return Ending(progress=Progress.TIMED_OUT, detail="was silent for too long")
        case Why.ABORT:
            return Ending(progress=Progress.ABORTED, detail="was aborted")
        case Why.SPAWN:
            return Ending(progress=Progress.FAILED, detail=f"did not start: {exit_.detail}")
        case Why.EXIT if exit_.rc == 0:
            return Ending(progress=Progress.OK)
        case Why.EXIT if exit_.signal:
            return Ending(progress=Progress.FAILED, detail=f"was killed by {signal.Signals(exit_.signal).name}")
        case Why.EXIT:
            return Ending(progress=Progress.FAILED, detail=f"exited {exit_.rc}")
