"""What the agent of one host writes down of an attempt: that it begins, what it prints, how it ended."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from pipelines.execution.follower import Follower
from pipelines.execution.masking import Masker
from pipelines.storage.database import Database, surely
from pipelines.storage.steps import Ending, StepKey, append_output, begin, end


@dataclass(frozen=True)
class Records:
    database: Database
    clock: Callable[[], datetime]

    async def begun(self, key: StepKey) -> bool:
        """Before a script begins: a full disk keeps it from beginning unrecorded. False: it must not begin."""
        return await self.database.write(lambda session, _: begin(session, key))

    async def ended(self, key: StepKey, ending: Ending) -> None:
        """As soon as there is a database to record it in."""
        at = self.clock()

        def work(session: Session, topics: set[str]) -> None:
            end(session, key, ending, at)
            topics |= {f"deploy:{key.deploy}", f"probe:{key.deploy}"}

        await surely(lambda: self.database.write(work))

    async def said(self, key: StepKey, line: str) -> None:
        """The whole output of an attempt that no script prints."""
        at = self.clock()

        def work(session: Session, topics: set[str]) -> None:
            append_output(session, key, 0, line.encode(), at)
            topics |= {f"output:{key.deploy}", "output"}

        await self.database.write(work)

    def follower(self, key: StepKey, out: Path, masker: Masker) -> Follower:
        """Of what a script prints into the file `out`."""
        return Follower(self.database, key, out, masker, self.clock)
