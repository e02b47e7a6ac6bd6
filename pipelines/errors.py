"""Errors of Shipmate itself, which should not have been: the log has all there is to know of one, a person its id."""

import logging

from pipelines.ids import new_id
from pipelines.storage.errors import DatabaseAwayError


def noted(log: logging.Logger, doing: str, error: BaseException) -> str:
    """Log what broke, with its traceback, under a new id; the id. `doing` completes "while …". A database that is away
    is no error of ours: it gets a line."""
    number = new_id()[-8:]
    if away(error):
        log.warning("the database was away (%s) while %s", number, doing)
    else:
        log.error("error %s while %s", number, doing, exc_info=error)
    return number


def passing(error: BaseException) -> bool:
    """Whether the same may go well in a moment: the database is away or slow, or its disk is full."""
    return away(error) or isinstance(error, TimeoutError) or "disk is full" in str(getattr(error, "orig", ""))


def away(error: BaseException) -> bool:
    """Whether all there is to it is that the database is away."""
    if isinstance(error, BaseExceptionGroup):
        return all(away(one) for one in error.exceptions)
    return isinstance(error, DatabaseAwayError)
