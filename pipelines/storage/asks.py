"""Asks: what somebody asked for, until it is decided and the answer has reached them."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sql
from sqlmodel import Session

from pipelines.domain.events import Asked
from pipelines.storage import codec, rows
from pipelines.storage.codec import Outcome
from pipelines.storage.tables import AskRow

_TABLE = rows.table(AskRow)
_ASK = _TABLE.c
_THIS, _UNDECIDED = _ASK.id == sql.bindparam("this"), _ASK.decided_at.is_(None)
_KNOWN = sql.select(_ASK.id).where(_ASK.key == sql.bindparam("this"))
_OPEN = sql.select(_ASK.id).where(_THIS, _UNDECIDED).with_for_update()
_OUTCOME = sql.select(_ASK.outcome).where(_THIS)
_ALL_UNDECIDED = sql.select(_ASK.id, _ASK.body, _ASK.at).where(_UNDECIDED).order_by(_ASK.at)
_DECIDE = (
    sql.update(_TABLE)
    .where(_THIS, _UNDECIDED)
    .values(decided_at=sql.bindparam("now"), outcome=sql.bindparam("decision"))
)
_UNANSWERED = (
    sql.select(_ASK.id, _ASK.body, _ASK.outcome)
    .where(_ASK.surface == sql.bindparam("there"), _ASK.answered_at.is_(None), _ASK.decided_at.is_not(None))
    .order_by(_ASK.at)
    .limit(sql.bindparam("most"))
)
_BUT = _UNANSWERED.where(_ASK.id.not_in(sql.bindparam("but", expanding=True)))
_ANSWER = sql.update(_TABLE).where(_THIS, _ASK.answered_at.is_(None)).values(answered_at=sql.bindparam("now"))


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
    return next((row.id for row in rows.ask(session, _KNOWN, this=key)), None)


def decided(session: Session, ask: str, outcome: Outcome, at: datetime) -> bool:
    """Record the decision; False where there is one already, which stays."""
    return rows.write(session, _DECIDE, {"this": ask, "now": at, "decision": codec.dump(outcome)}) == 1


def is_open(session: Session, ask: str) -> bool:
    """Whether it is still to be decided. Whoever asks first decides; others wait here, and find it decided."""
    return bool(rows.ask(session, _OPEN, this=ask))


def outcome(session: Session, ask: str) -> Outcome | None:
    return next((codec.load_outcome(row.outcome) for row in rows.ask(session, _OUTCOME, this=ask) if row.outcome), None)


def undecided(session: Session) -> list[tuple[Asked, datetime]]:
    found = rows.ask(session, _ALL_UNDECIDED)
    return list(codec.each("the ask", found, lambda row: (codec.load(Asked, row.body), row.at), _id))


def unanswered(session: Session, surface: str, but: Collection[str], most: int) -> list[tuple[Asked, Outcome]]:
    """The decided asks whose people have not been told yet, without those that are named in `but`, oldest first."""
    given = {"there": surface, "most": most}
    found = rows.ask(session, _BUT, but=list(but), **given) if but else rows.ask(session, _UNANSWERED, **given)
    return list(codec.each("the answer to", found, _with_outcome, _id))


def _with_outcome(row: Any) -> tuple[Asked, Outcome]:
    return codec.load(Asked, row.body), codec.load_outcome(row.outcome)


def _id(row: Any) -> str:
    return str(row.id)


def answered(session: Session, ask: str, at: datetime) -> None:
    rows.write(session, _ANSWER, {"this": ask, "now": at})
