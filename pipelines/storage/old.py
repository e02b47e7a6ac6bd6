"""What is old enough to go: run folders whose deploys are over, output that is kept no longer. History stays."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, func
from sqlmodel import Session, and_, col, or_, select

from pipelines import ids
from pipelines.domain.room import Room
from pipelines.storage import codec
from pipelines.storage.steps import StepKey
from pipelines.storage.tables import DeployRow, OutputRow, StepRow, StreamRow

AT_ONCE = 100
LOOK = "look-"  # how ids begin that are of no deploy: somebody looked at a room


def over(session: Session, names: Iterable[str], before: datetime) -> set[str]:
    """Of these deploys and looks, those whose every step ended before then, and that are over themselves."""
    return {name for name in names if _over(session, name, before)}


def _over(session: Session, name: str, before: datetime) -> bool:
    deploy = session.get(DeployRow, name)
    if deploy.state == "running" if deploy is not None else not name.startswith(LOOK):
        return False
    steps, ended, last = session.exec(
        select(func.count(), func.count(col(StepRow.ended_at)), func.max(StepRow.ended_at)).where(
            StepRow.deploy == name
        )
    ).one()
    return bool(steps) and steps == ended and last is not None and last < before


def rooms(session: Session) -> list[Room]:
    rows = session.exec(select(StreamRow).where(col(StreamRow.body) != "", col(StreamRow.name).like("%/%")))
    return [codec.load(Room, row.body) for row in rows]


def steps_with_output(session: Session, before: datetime) -> list[StepKey]:
    """Some of the steps of which there is output, and whose deploy began before then, as its id tells, and is over."""
    bound = ids.first_id(before)
    early = or_(
        col(OutputRow.deploy) < bound,
        and_(col(OutputRow.deploy) >= LOOK, col(OutputRow.deploy) < f"{LOOK}{bound}"),
    )
    running = select(DeployRow.id).where(DeployRow.state == "running")
    found = session.exec(
        select(OutputRow.deploy, OutputRow.step, OutputRow.attempt)
        .where(early, col(OutputRow.deploy).not_in(running))
        .distinct()
        .limit(AT_ONCE)
    )
    return [StepKey(deploy=deploy, step=step, attempt=attempt) for deploy, step, attempt in found]


def drop_output(session: Session, key: StepKey) -> None:
    of_step = (OutputRow.deploy == key.deploy, OutputRow.step == key.step, OutputRow.attempt == key.attempt)
    session.execute(delete(OutputRow).where(*of_step))  # type: ignore[arg-type]
