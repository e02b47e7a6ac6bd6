"""Counting what waits and what runs, for whoever watches over the bot; and a write that proves that writing works."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, update
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from pipelines.storage import deploys, rows
from pipelines.storage.tables import BEHIND, AskRow, DeployRow, StepRow, StreamRow

PROBE = "probe"


@dataclass(frozen=True, kw_only=True)
class Figures:
    """`unpainted` are deploys that are over and whose messages do not say so yet."""

    undecided: int
    unanswered: int
    running: int
    waiting: int
    scripts: int
    unpainted: int


def figures(session: Session, surface: str) -> Figures:
    running = deploys.running(session)
    return Figures(
        undecided=_count(session, select(func.count(col(AskRow.id))).where(col(AskRow.decided_at).is_(None))),
        unanswered=_count(session, select(func.count(col(AskRow.id))).where(*_unanswered(surface))),
        running=len(running),
        waiting=sum(deploy.waits() for deploy in running),
        scripts=_count(session, select(func.count(col(StepRow.deploy))).where(*_scripts())),
        unpainted=_count(session, select(func.count(col(DeployRow.id))).where(BEHIND, DeployRow.state != "running")),
    )


def probe(session: Session) -> None:
    """Write something that is nobody's."""
    rows.insert(session, StreamRow(name=PROBE, seq=0, body=""))
    session.execute(update(StreamRow).where(col(StreamRow.name) == PROBE).values(seq=StreamRow.seq + 1))


def _count(session: Session, query: SelectOfScalar[int]) -> int:
    return session.exec(query).one()


def _unanswered(surface: str) -> tuple[ColumnElement[bool], ...]:
    return col(AskRow.surface) == surface, col(AskRow.answered_at).is_(None), col(AskRow.decided_at).is_not(None)


def _scripts() -> tuple[ColumnElement[bool], ...]:
    return col(StepRow.ended_at).is_(None), col(StepRow.work).contains('"how":"script"')
