"""Inserting a row that another transaction may insert at the same time."""

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel


def insert(session: Session, row: SQLModel) -> bool:
    """Insert the row; False when one with that key came first, which stays."""
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return False
    return True
