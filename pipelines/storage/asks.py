"""Asks: what somebody asked for, until it is decided and the answer has reached them."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col, select

from pipelines.domain.events import Asked
from pipelines.storage import codec, rows
from pipelines.storage.codec import Outcome
from pipelines.storage.tables import AskRow


def insert(session: Session, asked: Asked, at: datetime) -> tuple[str, bool]:
    """The ask's id, and whether it is new: the same key twice is one ask."""
    row = AskRow(id=asked.ask, key=asked.key, at=at, surface=asked.place.surface, body=codec.dump(asked))
    if rows.insert(session, row):
        return asked.ask, True
    found = known(session, asked.key)
    assert found is not None
    return found, False


def known(session: Session, key: str) -> str | None:
    """The id of the ask that was kept under this key."""
    return session.exec(select(AskRow.id).where(AskRow.key == key)).first()


def decided(session: Session, ask: str, outcome: Outcome, at: datetime) -> bool:
    """Record the decision; False where there is one already, which stays."""
    open_one = update(AskRow).where(col(AskRow.id) == ask, col(AskRow.decided_at).is_(None))
    decision = open_one.values(decided_at=at, outcome=codec.dump(outcome))
    return session.execute(decision.returning(col(AskRow.id))).first() is not None


def is_open(session: Session, ask: str) -> bool:
    """Whether it is still to be decided. Whoever asks first decides; others wait here, and find it decided."""
    open_one = select(AskRow.id).where(AskRow.id == ask, col(AskRow.decided_at).is_(None))
    return session.exec(open_one.with_for_update()).first() is not None


def outcome(session: Session, ask: str) -> Outcome | None:
    row = session.get(AskRow, ask)
    return codec.load_outcome(row.outcome) if row is not None and row.outcome else None


def undecided(session: Session) -> list[tuple[Asked, datetime]]:
    found = session.exec(select(AskRow).where(col(AskRow.decided_at).is_(None)).order_by(col(AskRow.at)))
    return list(codec.each("the ask", found, lambda row: (codec.load(Asked, row.body), row.at), _id))


def unanswered(session: Session, surface: str, but: Collection[str], most: int) -> list[tuple[Asked, Outcome]]:
    """The decided asks whose people have not been told yet, without those that are named in `but`, oldest first."""
    query = (
        select(AskRow)
        .where(AskRow.surface == surface, col(AskRow.answered_at).is_(None), col(AskRow.decided_at).is_not(None))
        .order_by(col(AskRow.at))
        .limit(most)
    )
    found = session.exec(query.where(col(AskRow.id).not_in(but)) if but else query)
    return list(codec.each("the answer to", found, _with_outcome, _id))


def _with_outcome(row: AskRow) -> tuple[Asked, Outcome]:
    return codec.load(Asked, row.body), codec.load_outcome(row.outcome)


def _id(row: AskRow) -> str:
    return row.id


def answered(session: Session, ask: str, at: datetime) -> None:
    waiting = update(AskRow).where(col(AskRow.id) == ask, col(AskRow.answered_at).is_(None))
    session.execute(waiting.values(answered_at=at))
