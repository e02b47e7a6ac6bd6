"""The agent of one host: the only thing that starts scripts. It carries out the steps that are claimed for its host.

A claim is a row; a script's life is a run folder. After a restart every open claim is taken up where it is: what never
started is started, or said to be missed if it is too late for that by now; what runs is followed, what ended is
recorded, what nobody can know is said to be lost.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from pipelines.domain.events import Progress
from pipelines.domain.lateness import missed
from pipelines.domain.plan import How
from pipelines.domain.ref_problems import SourceError
from pipelines.errors import noted
from pipelines.execution import disk, values
from pipelines.execution.attempt import LOOK, Attempt
from pipelines.execution.endings import NotBegunError
from pipelines.execution.question import Question
from pipelines.execution.records import Records
from pipelines.execution.rundir import Limits
from pipelines.execution.source import Source
from pipelines.execution.surroundings import Surroundings
from pipelines.execution.values import ValuesError
from pipelines.pulse import Pulse
from pipelines.storage.database import Database, DatabaseAwayError, heard
from pipelines.storage.steps import Claim, Ending, StepKey, open_claims, take

log = logging.getLogger(__name__)

GRACE = 10.0
LOOK_AGAIN = 2.0
LOOKS = 400  # a second, at scripts that have nothing new: those of a crowd are looked at less often each
TRIES, AGAIN = 3, 1.0
NO_LIMITS = Limits()


def utc_now() -> datetime:
    return datetime.now(UTC)


class Agent:
    """`runs` is where run folders are; `path` is the PATH that scripts get; `environ` is what `pass_env` hands on,
    `limits` what each script may take, `grace` how many seconds one has to end after it was told to."""

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
        grace: float = GRACE,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._host = host
        self._surroundings = Surroundings(
            source=source,
            runs=runs,
            path=path or os.environ.get("PATH", os.defpath),
            environ=environ,
            limits=limits,
            grace=grace,
        )
        self._records = Records(database, clock)
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
        left = await asyncio.to_thread(values.left, self._surroundings.runs)
        open_ = await self._database.read(self._open) if left else []
        await asyncio.to_thread(values.forget_all, left, [self._surroundings.run_dir(claim.key) for claim in open_])

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
            await self._records.ended(claim.key, await self._ending(claim, stop))
            # only now: until its end is recorded a run may be taken up again
            await asyncio.to_thread(values.forget_all, [self._surroundings.run_dir(claim.key)])
        except Exception as error:
            noted(log, f"recording step {claim.key.step} of {claim.key.deploy}", error)

    async def _ending(self, claim: Claim, stop: asyncio.Event) -> Ending:
        """How the attempt ended. What breaks on our side meanwhile hurts no script: it is taken up again, without end
        where the disk or the database is away, a few times where the error is our own."""
        attempt, tries = self._attempt(claim, stop), 0
        while True:
            try:
                if not stop.is_set() and await self._missed(claim, attempt):
                    return Ending(progress=Progress.MISSED, detail="was not begun in time", at=claim.at)
                return await attempt.run()
            except (SourceError, ValuesError, NotBegunError) as error:
                full = isinstance(error, SourceError) and await asyncio.to_thread(
                    disk.full, self._surroundings.runs.parent
                )
                why = disk.FULL if full else error  # git says it in words of its own
                return Ending(progress=Progress.FAILED, detail=f"did not start: {why}")
            except Exception as error:
                number = noted(log, f"carrying out step {claim.key.step} of {claim.key.deploy}", error)
                away = isinstance(error, SQLAlchemyError | DatabaseAwayError) or (
                    isinstance(error, OSError) and attempt.began()
                )
                tries += not away
            if tries == TRIES:
                return await self._given_up(claim, attempt, number)
            await asyncio.sleep(AGAIN)

    def _attempt(self, claim: Claim, stop: asyncio.Event) -> Attempt | Question:
        if claim.work.how is not How.SCRIPT:
            return Question(claim=claim, environ=self._surroundings.environ, records=self._records, stop=stop)
        return Attempt(claim, surroundings=self._surroundings, records=self._records, stop=stop, slowest=self._slowest)

    def _slowest(self) -> float:
        return max(LOOK, len(self._tasks) / LOOKS)

    async def _missed(self, claim: Claim, attempt: Attempt | Question) -> bool:
        """Whether it is too late to begin it unasked; if so, nobody ever begins it."""
        return claim.progress is None and missed(claim.work, claim.at, self._clock()) and await attempt.forbid()

    async def _given_up(self, claim: Claim, attempt: Attempt | Question, number: str) -> Ending:
        """Nothing of it runs on after a failure; where that is not sure, nobody knows how it ended."""
        try:
            over = await attempt.end()
        except Exception as error:
            noted(log, f"ending step {claim.key.step} of {claim.key.deploy}", error)
            over = False
        if over:
            return Ending(progress=Progress.FAILED, detail=f"ended because Shipmate itself broke (error {number})")
        return Ending(progress=Progress.LOST, detail=f"it was lost because Shipmate itself broke (error {number})")
