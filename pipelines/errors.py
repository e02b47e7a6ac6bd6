"""Errors of Shipmate itself, which should not have been: the log has all there is to know of one, a person its id."""

import logging

from pipelines.ids import new_id


def noted(log: logging.Logger, doing: str, error: BaseException) -> str:
    """Log what broke, with its traceback, under a new id; the id. `doing` completes "while …"."""
    number = new_id()[-8:]
    log.error("error %s while %s", number, doing, exc_info=error)
    return number
