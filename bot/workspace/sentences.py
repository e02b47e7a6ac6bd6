"""Slack's sentences for what it would not take, and the checks that every part of a block shares."""

from collections.abc import Iterator
from typing import Any

Problem = str

PLAIN = ("plain_text",)
BOTH = ("mrkdwn", "plain_text")


def missing(name: str, at: str) -> Problem:
    return f"missing required field: {name} [json-pointer:{at}]"


def mismatch(at: str) -> Problem:
    return f"failed to match all allowed schemas [json-pointer:{at}]"


def unsupported(kind: Any, at: str) -> Problem:
    return f"unsupported type: {kind} [json-pointer:{at}/type]"


def too_long(value: Any, most: int, at: str) -> Iterator[Problem]:
    if isinstance(value, str) and len(value) > most:
        yield f"must be less than {most + 1} characters [json-pointer:{at}]"


def extra(found: dict[str, Any], known: str, at: str) -> Iterator[Problem]:
    """Slack refuses a property that it does not know."""
    allowed = {"type", "block_id", *known.split()}
    yield from (f"invalid additional property: {name} [json-pointer:{at}]" for name in found if name not in allowed)


def listed(found: dict[str, Any], name: str, at: str, most: int, *, least: int = 1) -> tuple[list[Any], list[Problem]]:
    """A list of so many things, and what is wrong with it."""
    items = found.get(name)
    if not isinstance(items, list):
        return [], [missing(name, at)]
    if len(items) < least:
        return items, [f"must provide at least {least} items [json-pointer:{at}/{name}]"]
    if len(items) > most:
        return items, [f"no more than {most} items allowed [json-pointer:{at}/{name}]"]
    return items, []


def text(found: Any, at: str, most: int, kinds: tuple[str, ...]) -> Iterator[Problem]:
    """A text object of one of the kinds, with 1 to `most` characters."""
    if not isinstance(found, dict) or found.get("type") not in kinds:
        yield mismatch(at)
        return
    yield from extra(found, "text emoji" if found["type"] == "plain_text" else "text verbatim", at)
    words = found.get("text")
    if not isinstance(words, str) or not words:
        yield f"must be more than 0 characters [json-pointer:{at}/text]"
        yield mismatch(at)
    elif len(words) > most:
        yield from too_long(words, most, f"{at}/text")
        yield mismatch(at)


def flags(found: dict[str, Any], names: tuple[str, ...], at: str) -> Iterator[Problem]:
    """What may only be yes or no."""
    yield from (mismatch(f"{at}/{name}") for name in names if not isinstance(found.get(name, False), bool))
