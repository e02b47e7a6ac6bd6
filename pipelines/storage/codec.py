"""Domain values as JSON text and back. The one place that knows how a value is written down."""

import logging
from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import cache, lru_cache
from threading import Lock
from typing import Annotated, Any, TypeVar, cast

from pydantic import Field, TypeAdapter, ValidationError

from pipelines.domain.events import Event
from pipelines.domain.refusals import Accepted, Refusal
from pipelines.errors import noted

log = logging.getLogger(__name__)

VERSION = 1

R = TypeVar("R")
T = TypeVar("T")


Outcome = Accepted | Refusal


class UnreadableError(ValueError):
    """A text that is kept is no such value. The message says where it is wrong and holds nothing of the text."""


@cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast(Any, kind))


_EVENT: Any = Annotated[Event, Field(discriminator="kind")]
_OUTCOME: Any = Annotated[Outcome, Field(discriminator="kind")]


def dump(value: object) -> str:
    return _adapter(cast(Hashable, type(value))).dump_json(value).decode()


def load(kind: type[T], text: str) -> T:
    """Raises UnreadableError for a text that is no such value."""
    return cast(T, _read(cast(Hashable, kind), text))


def load_each(kind: type[T], rows: Iterable[tuple[str, str]]) -> Iterator[T]:
    """The values of (id, text)."""
    return each(kind.__name__, rows, lambda row: load(kind, row[1]), lambda row: row[0])


def each(kind: str, rows: Iterable[R], read: Callable[[R], T], name: Callable[[R], str]) -> Iterator[T]:
    """What the rows hold. One that nobody can read, of which the log tells once, holds up no other."""
    for row in rows:
        try:
            yield read(row)
        except UnreadableError as error:
            with _telling:  # readers in other threads meet the same row
                _unreadable(kind, name(row), str(error))


_telling = Lock()


@lru_cache(maxsize=1_000)
def _unreadable(kind: str, name: str, problem: str) -> None:
    noted(log, f"reading {kind} {name}, which is left alone", ValueError(problem))


def load_event(text: str) -> Event:
    return cast(Event, _read(_EVENT, text))


def load_outcome(text: str) -> Outcome:
    return cast(Outcome, _read(_OUTCOME, text))


def _read(kind: Hashable, text: str) -> object:
    try:
        return _adapter(kind).validate_json(text)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False, include_context=False)
        where = ", ".join(f"{'.'.join(map(str, one['loc']))} ({one['type']})" for one in problems[:5])
        raise UnreadableError(f"this is no {getattr(kind, '__name__', 'entry')}: {where}") from None
