"""Steps of a host that does not come back: after a while a person is asked, and whoever comes late begins nothing."""

from datetime import UTC, datetime
from pathlib import Path

from sqlmodel import Session

from pipelines.domain.events import Progress
from pipelines.domain.plan import How
from pipelines.domain.stepwork import Work
from pipelines.execution.gone import GONE_SECONDS, GoneHosts
from pipelines.storage import steps
from pipelines.storage.database import Database
from pipelines.storage.schema import bring_up_to_date
from pipelines.storage.steps import Ending, StepKey

WORK = Work(how=How.SCRIPT, what="run.sh", repo="r", commit="1" * 40, timeout=60)
KEYS = {host: StepKey(deploy=f"d-{host}", step="001-deploy", attempt=1) for host in ("here", "there", "lost")}


def now() -> datetime:
    return datetime.now(UTC)


async def test_a_step_of_a_host_that_is_gone_is_asked_after_a_while_and_no_other(tmp_path: Path) -> None:
    url, passed, away = f"sqlite:///{tmp_path}/shipmate.db", [0.0], {"lost"}
    bring_up_to_date(url)
    database = Database(url)
    gone = GoneHosts(
        database, host="here", there=lambda _, host: host not in away, clock=now, seconds=lambda: passed[0]
    )

    def claimed(session: Session, _topics: set[str]) -> None:
        for host, key in KEYS.items():
            steps.claim(session, key, WORK, host, now())

    async def endings() -> dict[str, Ending | None]:
        return await database.read(lambda session: {host: steps.ending(session, key) for host, key in KEYS.items()})

    await database.write(claimed)
    await gone.sweep()
    passed[0] += GONE_SECONDS / 2
    away.clear()  # it was only being restarted
    await gone.sweep()
    away.add("lost")
    await gone.sweep()
    passed[0] += GONE_SECONDS / 2
    await gone.sweep()
    assert set((await endings()).values()) == {None}
    passed[0] += GONE_SECONDS / 2
    await gone.sweep()
    found = await endings()
    lost = found.pop("lost")
    assert lost is not None and (lost.progress, lost.detail) == (Progress.LOST, "its host lost is gone")
    assert set(found.values()) == {None}
    assert not await database.write(lambda session, _: steps.begin(session, KEYS["lost"]))  # should it come back
    assert await database.write(lambda session, _: steps.begin(session, KEYS["here"]))
    await database.close()
