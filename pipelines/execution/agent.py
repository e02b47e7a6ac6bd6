"""The agent of one host: the only thing that starts scripts. It carries out the steps that are claimed for its host.

A claim is a row; a script's life is a run folder. After a restart every open claim is taken up where it is: what never
started is started, or said to be missed if it is too late for that by now; what runs is followed, what ended is
recorded, what nobody can know is said to be lost.
"""

import asyncio
import logging
import os
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from pipelines.domain.events import Progress
from pipelines.domain.lateness import missed
from pipelines.domain.plan import How
from pipelines.domain.ref_problems import SourceError
from pipelines.domain.reports import reported
from pipelines.domain.stepwork import Work
from pipelines.domain.variables import expand
from pipelines.errors import noted
from pipelines.execution import checks, disk, endings, rundir, values
from pipelines.execution.endings import NotBegunError, not_begun
from pipelines.execution.follower import Follower
from pipelines.execution.masking import Masker
from pipelines.execution.rundir import Limits, RunState, Spec
from pipelines.execution.source import Source
from pipelines.execution.values import ValuesError
from pipelines.pulse import Pulse
from pipelines.storage.database import Database, DatabaseAwayError, heard, surely
from pipelines.storage.steps import Claim, Ending, StepKey, append_output, begin, end, open_claims, take

log = logging.getLogger(__name__)

GRACE = 10.0
LOOK_AGAIN = 2.0
QUICK, SLOW, ALONE = 0.02, 0.25, 1.0
LOOKS = 400  # a second, at scripts that have nothing new: those of a crowd are looked at less often each
TRIES, AGAIN = 3, 1.0
STARTS, START_SECONDS = 3, 20.0  # how often a supervisor that does not come up is started, and when again
NO_LIMITS = Limits()


def utc_now() -> datetime:
    return datetime.now(UTC)


class Agent:
    """`runs` is where run folders are; `path` is the PATH that scripts get; `environ` is what `pass_env` hands on,
    `limits` what each script may take."""

    def __init__(
        self,
        *,
        database: Database,
        source: Source,
        host: str,
        runs: Path,
        path: str | None = None,
        environ: Mapping[str, str] = os.environ,
        limits: Limits = NO_LIMITS,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._source = source
        self._host = host
        self._runs = runs
        self._path = path or os.environ.get("PATH", os.defpath)
        self._environ = environ
        self._limits = limits
        self._clock = clock
        self._tasks: dict[StepKey, asyncio.Task[None]] = {}
        self._stops: dict[StepKey, asyncio.Event] = {}
        self.pulse = Pulse()

    async def run(self) -> None:
        """Carry out claims until cancelled. Scripts live on when this ends."""
        try:
            with self._database.waker.listening("steps") as told:
                await self._forget_left()
                while True:
                    told.clear()
                    self.pulse.beat("agent")
                    with suppress(DatabaseAwayError):
                        for claim in await self._claims():
                            self._take(claim)
                    await heard(told, LOOK_AGAIN)
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _claims(self) -> list[Claim]:
        claims = await self._database.read(self._open)
        if all(claim.host == self._host for claim in claims):
            return claims
        await self._database.write(lambda session, _: take(session, self._host))
        return await self._database.read(self._open)

    async def _forget_left(self) -> None:
        """A process that ended between the record of a run's end and the cleaning up left values behind."""
        left = await asyncio.to_thread(values.left, self._runs)
        open_ = [self.run_dir(claim.key) for claim in await self._database.read(self._open)] if left else []
        await asyncio.to_thread(values.forget_all, left, open_)

    def _open(self, session: Session) -> list[Claim]:
        return open_claims(session, self._host)

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
        """Until its end is recorded. Where that breaks the claim stays open, so it is taken up again."""
        try:
            await self.record(claim.key, await self._ending(claim, stop))
            # only now: until its end is recorded a run may be taken up again
            await asyncio.to_thread(values.forget_all, [self.run_dir(claim.key)])
        except Exception as error:
            noted(log, f"recording step {claim.key.step} of {claim.key.deploy}", error)

    async def _ending(self, claim: Claim, stop: asyncio.Event) -> Ending:
        """How the attempt ended. What breaks on our side meanwhile hurts no script: it is taken up again, without end
        where the disk or the database is away, a few times where the error is our own."""
        script, tries = Script(self, claim, stop), 0
        while True:
            try:
                if not stop.is_set() and await self._missed(claim):
                    return Ending(progress=Progress.MISSED, detail="was not begun in time", at=claim.at)
                return await (script.run() if claim.work.how is How.SCRIPT else self._ask(claim, stop))
            except (SourceError, ValuesError, NotBegunError) as error:
                full = isinstance(error, SourceError) and await asyncio.to_thread(disk.full, self._runs.parent)
                why = disk.FULL if full else error  # git says it in words of its own
                return Ending(progress=Progress.FAILED, detail=f"did not start: {why}")
            except Exception as error:
                number = noted(log, f"carrying out step {claim.key.step} of {claim.key.deploy}", error)
                away = isinstance(error, SQLAlchemyError | DatabaseAwayError) or (
                    isinstance(error, OSError) and script.began()
                )
                tries += not away
            if tries == TRIES:
                return await self._given_up(claim, script, number)
            await asyncio.sleep(AGAIN)

    async def _given_up(self, claim: Claim, script: "Script", number: str) -> Ending:
        """Nothing of it runs on after a failure; where that is not sure, nobody knows how it ended."""
        try:
            over = claim.work.how is not How.SCRIPT or await script.end()
        except Exception as error:
            noted(log, f"ending step {claim.key.step} of {claim.key.deploy}", error)
            over = False
        if over:
            return Ending(progress=Progress.FAILED, detail=f"ended because Shipmate itself broke (error {number})")
        return Ending(progress=Progress.LOST, detail=f"it was lost because Shipmate itself broke (error {number})")

    async def begin(self, key: StepKey) -> None:
        """Record that a script is about to begin: a full disk keeps it from beginning unrecorded."""
        await self._database.write(lambda session, _: begin(session, key))

    async def _missed(self, claim: Claim) -> bool:
        """Whether it is too late to begin it unasked; if so, nobody ever begins it."""
        if claim.progress is not None or not missed(claim.work, claim.at, self._clock()):
            return False
        script = claim.work.how is How.SCRIPT
        return await asyncio.to_thread(rundir.forbid, self.run_dir(claim.key)) if script else True

    async def record(self, key: StepKey, ending: Ending) -> None:
        """Record an end, as soon as there is a database to record it in."""
        at = self._clock()

        def work(session: Session, topics: set[str]) -> None:
            end(session, key, ending, at)
            topics |= {f"deploy:{key.deploy}", f"probe:{key.deploy}"}

        await surely(lambda: self._database.write(work))

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
            case How.HTTP | How.TCP:
                given = await values.read(work, self._environ)
                masker = await asyncio.to_thread(Masker, given.hidden)
                return values.masked(await _asked(work, expand(work.what, given.secrets), masker), masker)
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

    def slowest(self) -> float:
        return max(SLOW, len(self._tasks) / LOOKS)

    def run_dir(self, key: StepKey) -> Path:
        return self._runs / key.deploy / f"{key.step}.{key.attempt}"

    async def spec(self, claim: Claim, run_dir: Path) -> Spec:
        """What the supervisor is told; makes the folders that the script may use, and keeps what is to be masked."""
        work = claim.work
        given = await values.read(work, self._environ)
        tree = await self._source.tree(work.repo, work.commit)
        run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("home", "tmp"):
            (run_dir / name).mkdir(mode=0o700, exist_ok=True)
        await asyncio.to_thread(values.keep, run_dir, given, detach=work.detach)
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
            env={**given.env, **work.env, **ours},
            stdin=str(stdin.absolute()) if work.stdin else None,
            timeout=work.timeout or None,
            silence=work.silence or None,
            grace=GRACE,
            detach=work.detach,
            limits=self._limits,
        )

    def follower(self, key: StepKey, masker: Masker) -> Follower:
        return Follower(self._database, key, self.run_dir(key) / "out", masker, self._clock)


class Script:
    """One script from its claim to its end, whoever began it."""

    def __init__(self, agent: Agent, claim: Claim, stop: asyncio.Event) -> None:
        self._agent = agent
        self._claim = claim
        self._stop = stop
        self._run_dir = agent.run_dir(claim.key)
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
        follower = self._agent.follower(self._claim.key, masker)
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

    async def end(self) -> bool:
        """End what runs of it, and keep it from starting; False when nobody can know how it ended."""
        if self.never_began():
            return True
        for force in (False, True):
            await asyncio.to_thread(rundir.request_stop, self._run_dir, force=force)
            for _ in range(int(2 * GRACE / SLOW)):
                state = await self._state()
                if state in (RunState.EXITED, RunState.LOST):
                    return state is RunState.EXITED
                await asyncio.sleep(SLOW)
        return False

    async def _start(self) -> None:
        if not (self._run_dir / "spec.json").exists():
            try:
                spec = await self._agent.spec(self._claim, self._run_dir)
                await asyncio.to_thread(rundir.prepare, self._run_dir, spec)
            except OSError as error:
                raise not_begun(error) from error
        await self._agent.begin(self._claim.key)
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
                self._lived = self._agent.now()
            if state is RunState.ABSENT and clock() - began > START_SECONDS:
                began, starts = clock(), await self._start_again(starts)
            if state is RunState.UNSUPERVISED and not told:
                told = True
                await self._agent.record(self._claim.key, endings.UNSUPERVISED)
            if self._stop.is_set() and (not asked or clock() - asked > GRACE):
                force, asked = bool(asked), clock()
                await asyncio.to_thread(rundir.request_stop, self._run_dir, force=force)
            # however much is printed: a look that finds something is a transaction, so looks do not follow the lines
            slowest = ALONE if state is RunState.UNSUPERVISED else self._agent.slowest()
            delay = QUICK if asked or behind else min(delay * 1.3, slowest)
            await asyncio.sleep(delay)

    async def _start_again(self, starts: int) -> int:
        """Another supervisor for a run of which nothing is heard; after some that is forbidden for good."""
        if starts < STARTS:
            await self._spawn()
        elif await asyncio.to_thread(rundir.forbid, self._run_dir):
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


async def _asked(work: Work, what: str, masker: Masker) -> Ending:
    if work.how is How.TCP:
        return await checks.tcp(what, work.timeout)
    return await checks.http(what, work.timeout, status=work.status, hide=masker.text)
