"""Asks: what somebody asked for, until it is decided and the answer has reached them."""

from datetime import datetime

from sqlmodel import Session, col, select

from pipelines.domain.events import Asked
from pipelines.storage import codec
from pipelines.storage.codec import Outcome
from pipelines.storage.tables import AskRow

ANSWERS_AT_ONCE = 50


def insert(session: Session, asked: Asked, at: datetime) -> tuple[str, bool]:
    """The ask's id, and whether it is new: the same key twice is one ask."""
    if (before := known(session, asked.key)) is not None:
        return before, False
    row = AskRow(id=asked.ask, key=asked.key, at=at, surface=asked.place.surface, body=codec.dump(asked))
    session.add(row)
    return asked.ask, True


def known(session: Session, key: str) -> str | None:
    """The id of the ask that was kept under this key."""
    return session.exec(select(AskRow.id).where(AskRow.key == key)).first()


def decided(session: Session, ask: str, outcome: Outcome, at: datetime) -> bool:
    """Record the decision; False where there is one already, which stays."""
    row = session.get(AskRow, ask)
    if row is None or row.decided_at is not None:
        return False
    row.decided_at, row.outcome = at, codec.dump(outcome)
    return True


def is_open(session: Session, ask: str) -> bool:
    row = session.get(AskRow, ask)
    return row is not None and row.decided_at is None


def outcome(session: Session, ask: str) -> Outcome | None:
    row = session.get(AskRow, ask)
    return codec.load_outcome(row.outcome) if row is not None and row.outcome else None


def undecided(session: Session) -> list[tuple[Asked, datetime]]:
    rows = session.exec(select(AskRow).where(col(AskRow.decided_at).is_(None)).order_by(col(AskRow.at)))
    return list(codec.each("the ask", rows, lambda row: (codec.load(Asked, row.body), row.at), _id))


def unanswered(session: Session, surface: str) -> list[tuple[Asked, Outcome]]:
    """The decided asks whose people have not been told yet, oldest first."""
    rows = session.exec(
        select(AskRow)
        .where(AskRow.surface == surface, col(AskRow.answered_at).is_(None), col(AskRow.decided_at).is_not(None))
        .order_by(col(AskRow.at))
        .limit(ANSWERS_AT_ONCE)
    )
    return list(codec.each("the answer to", rows, _with_outcome, _id))


def _with_outcome(row: AskRow) -> tuple[Asked, Outcome]:
    return codec.load(Asked, row.body), codec.load_outcome(row.outcome)


def _id(row: AskRow) -> str:
    return row.id


def answered(session: Session, ask: str, at: datetime) -> None:
    row = session.get(AskRow, ask)
    if row is not None and row.answered_at is None:
        row.answered_at = at
