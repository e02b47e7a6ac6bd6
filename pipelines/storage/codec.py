"""Domain values as JSON text and back. The one place that knows how a value is written down."""

from collections.abc import Hashable
from functools import cache
from typing import Annotated, Any, TypeVar, cast

from pydantic import Field, TypeAdapter

from pipelines.domain.events import Event
from pipelines.domain.refusals import Accepted, Refusal

VERSION = 1

T = TypeVar("T")


Outcome = Accepted | Refusal


@cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast(Any, kind))


_EVENT: Any = Annotated[Event, Field(discriminator="kind")]
_OUTCOME: Any = Annotated[Outcome, Field(discriminator="kind")]


def dump(value: object) -> str:
    return _adapter(cast(Hashable, type(value))).dump_json(value).decode()


def load(kind: type[T], text: str) -> T:
    """Raises pydantic's ValidationError for a text that is no such value."""
    return cast(T, _adapter(cast(Hashable, kind)).validate_json(text))


def load_event(text: str) -> Event:
    return cast(Event, _adapter(_EVENT).validate_json(text))


def load_outcome(text: str) -> Outcome:
    return cast(Outcome, _adapter(_OUTCOME).validate_json(text))
