"""Inserting a row that another transaction may insert at the same time."""

from collections.abc import Callable, Mapping
from functools import cache

from sqlalchemy import Insert, inspect, literal_column
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel

_INSERT: Mapping[str, Callable[..., sqlite.Insert | postgresql.Insert]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}


def insert(session: Session, row: SQLModel) -> bool:
    """Insert the row, in one statement; False when one with a key of it came first, which stays."""
    statement = _statement(type(row), session.get_bind().dialect.name)
    return session.execute(statement, row.model_dump()).first() is not None


@cache  # making a statement takes as long as carrying it out
def _statement(kind: type[SQLModel], dialect: str) -> Insert:
    made = _INSERT[dialect](inspect(kind).local_table)
    return made.on_conflict_do_nothing().returning(literal_column("1"))
