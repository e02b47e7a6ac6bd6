"""Counting what waits and what runs, for whoever watches over the bot; and a write that proves that writing works."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, and_, col, select
from sqlmodel.sql.expression import SelectOfScalar

from pipelines.storage import deploys
from pipelines.storage.tables import AskRow, DeployRow, PostingRow, StepRow, StreamRow

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


def figures(session: Session, surface: str, mark: str) -> Figures:
    """`mark` is the kind of posting that says up to which event a deploy is painted on `surface`."""
    running = deploys.running(session)
    return Figures(
        undecided=_count(session, select(func.count(col(AskRow.id))).where(col(AskRow.decided_at).is_(None))),
        unanswered=_count(session, select(func.count(col(AskRow.id))).where(*_unanswered(surface))),
        running=len(running),
        waiting=sum(deploy.waits() for deploy in running),
        scripts=_count(session, select(func.count(col(StepRow.deploy))).where(*_scripts())),
        unpainted=_count(session, _unpainted(surface, mark)),
    )


def probe(session: Session) -> None:
    """Write something that is nobody's."""
    row = session.get(StreamRow, PROBE) or StreamRow(name=PROBE, seq=0, body="")
    row.seq += 1
    session.add(row)


def _count(session: Session, query: SelectOfScalar[int]) -> int:
    return session.exec(query).one()


def _unanswered(surface: str) -> tuple[ColumnElement[bool], ...]:
    return col(AskRow.surface) == surface, col(AskRow.answered_at).is_(None), col(AskRow.decided_at).is_not(None)


def _scripts() -> tuple[ColumnElement[bool], ...]:
    return col(StepRow.ended_at).is_(None), col(StepRow.work).contains('"how":"script"')


def _unpainted(surface: str, mark: str) -> SelectOfScalar[int]:
    painted = and_(
        col(PostingRow.deploy) == col(DeployRow.id),
        col(PostingRow.kind) == mark,
        col(PostingRow.surface) == surface,
        col(PostingRow.seq) == col(DeployRow.seq),
    )
    query = select(func.count(col(DeployRow.id))).join(PostingRow, painted, isouter=True)
    return query.where(col(DeployRow.state) != "running", col(PostingRow.deploy).is_(None))
