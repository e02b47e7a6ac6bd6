"""Inserting a row that another transaction may insert at the same time."""

from collections.abc import Callable, Mapping

from sqlalchemy import literal_column
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel

_INSERT: Mapping[str, Callable[..., sqlite.Insert | postgresql.Insert]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}


def insert(session: Session, row: SQLModel) -> bool:
    """Insert the row, in one statement; False when one with a key of it came first, which stays."""
    made = _INSERT[session.get_bind().dialect.name](type(row)).values(row.model_dump())
    return session.execute(made.on_conflict_do_nothing().returning(literal_column("1"))).first() is not None
