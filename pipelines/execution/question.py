"""An attempt that needs no script: a check is asked once, a wait is waited for."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from pipelines.domain.events import Progress
from pipelines.domain.plan import How
from pipelines.domain.stepwork import Work
from pipelines.domain.variables import expand
from pipelines.execution import checks, values
from pipelines.execution.masking import Masker
from pipelines.execution.records import Records
from pipelines.storage.steps import Claim, Ending


@dataclass(frozen=True, kw_only=True)
class Question:
    """Begun again after a restart; a wait is over when its time is, whoever waited. `environ`: what `pass_env` hands
    on; `stop`: set when it shall end."""

    claim: Claim
    environ: Mapping[str, str]
    records: Records
    stop: asyncio.Event

    async def run(self) -> Ending:
        """Raises ValuesError."""
        work = self.claim.work
        asking = asyncio.create_task(self._asked())
        stopping = asyncio.create_task(self.stop.wait())
        try:
            await asyncio.wait({asking, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                return Ending(progress=Progress.ABORTED, detail="was aborted")
            ending = asking.result()
        finally:
            asking.cancel()
            stopping.cancel()
        if work.how is not How.WAIT:
            said = ending.report.line if ending.report else (ending.detail or "yes")
            await self.records.said(self.claim.key, f"{work.how.value} {work.what}: {said}\n")
        return ending

    def began(self) -> bool:
        """Nothing of a question lasts: to ask again does no harm."""
        return False

    async def forbid(self) -> bool:
        return True

    async def end(self) -> bool:
        return True

    async def _asked(self) -> Ending:
        work = self.claim.work
        if work.pause:
            await asyncio.sleep(work.pause)
        match work.how:
            case How.HTTP | How.TCP:
                given = await values.read(work, self.environ)
                masker = await asyncio.to_thread(Masker, given.hidden)
                return values.masked(await _answer(work, expand(work.what, given.secrets), masker), masker)
            case How.WAIT:
                over = self.claim.at + timedelta(seconds=work.timeout)
                await asyncio.sleep(max(0.0, (over - self.records.clock()).total_seconds()))
                return Ending(progress=Progress.OK, at=over)
            case How.SCRIPT:
                raise AssertionError("a script is not a question")


async def _answer(work: Work, what: str, masker: Masker) -> Ending:
    if work.how is How.TCP:
        return await checks.tcp(what, work.timeout)
    return await checks.http(what, work.timeout, status=work.status, hide=masker.text)
