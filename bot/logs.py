"""The log, on stderr: one line an event. JSON where a machine reads it, words where a person does.

What a line says beside its words goes into `extra={"facts": …}`. Tokens are taken out, should one ever get in.
"""

import json
import logging
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

CHATTY = ("aiohttp.access", "alembic", "slack_bolt", "slack_sdk", "dbos")
_SECRETS = re.compile(r"\bx(?:ox[a-z]|app)-[\w-]+|(?<=hooks\.slack\.com/)[\w/-]+|(?<=://)[^/\s@\"']+@")


def log_to_stderr(form: str = "", level: str = "INFO") -> None:
    """`form` is `json` or `text`; empty: text on a terminal, else JSON."""
    form = form or ("text" if sys.stderr.isatty() else "json")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Json() if form == "json" else Text())
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLogger().level))
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # that a call still runs is no news, time after time


class Json(logging.Formatter):
    """One JSON object a line; a fault's traceback is a text in it."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {"at": _at(record).isoformat(timespec="milliseconds"), "level": record.levelname.lower()}
        found = _facts(record)
        line |= {"logger": record.name, "event" if found else "message": record.getMessage(), **found}
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return hidden(json.dumps(line, default=str))


class Text(logging.Formatter):
    """Time, level, who, what, and the facts as `name=value`."""

    def format(self, record: logging.LogRecord) -> str:
        words = [f"{_at(record):%H:%M:%S}", f"{record.levelname:<7}", f"{record.name}: {record.getMessage()}"]
        words += [f"{name}={_word(value)}" for name, value in _facts(record).items()]
        trace = f"\n{self.formatException(record.exc_info)}" if record.exc_info else ""
        return hidden(" ".join(words) + trace)


def _at(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    found: Mapping[str, Any] = getattr(record, "facts", {})
    return {name: value for name, value in found.items() if value is not None}


def _word(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def hidden(text: str) -> str:
    """The text without what looks like a token, should one have got into it all the same."""
    return _SECRETS.sub("[redacted]", text)
