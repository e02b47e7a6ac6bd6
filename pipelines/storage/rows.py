"""Rows without objects, for what is asked and written all the time: statements of tables, which are made once. To make
one, and to make objects of its rows, takes longer than to carry it out."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sql
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel

_INSERT: Mapping[str, Callable[..., sqlite.Insert | postgresql.Insert]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}


def table(kind: type[SQLModel]) -> sql.Table:
    found: sql.Table = sql.inspect(kind).local_table
    return found


def ask(session: Session, question: sql.Executable, **given: object) -> Sequence[Any]:
    """The rows; what this transaction wrote is in them."""
    session.flush()
    return session.connection().execute(question, given).all()


def write(session: Session, statement: sql.Executable, *given: Mapping[str, object]) -> int:
    """How many rows were written; of several given at once that is not known."""
    session.flush()
    return session.connection().execute(statement, given).rowcount


def insert(session: Session, row: SQLModel) -> bool:
    """Insert the row, in one statement; False when one with a key of it came first, which stays."""
    statement = _statement(type(row), session.get_bind().dialect.name)
    return bool(ask(session, statement, **row.model_dump()))


@cache
def _statement(kind: type[SQLModel], dialect: str) -> sql.Insert:
    return _INSERT[dialect](table(kind)).on_conflict_do_nothing().returning(sql.literal_column("1"))
