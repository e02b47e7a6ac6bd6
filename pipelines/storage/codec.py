"""Domain values as JSON text and back. The one place that knows how a value is written down."""

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, cast

from pydantic import Field, TypeAdapter

from pipelines.domain.events import Event
from pipelines.domain.refusals import Refusal

VERSION = 1

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """The command was carried out or begun: `deploy` is the one it made or touched, `done` what was done to it."""

    kind: Literal["accepted"] = "accepted"
    deploy: str
    done: Literal["planned", "abort", "abort_then", "answered"]


@dataclass(frozen=True, kw_only=True)
class Said:
    kind: Literal["refused"] = "refused"
    refusal: Refusal


Outcome = Annotated[Accepted | Said, Field(discriminator="kind")]


@cache
def adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


_EVENT: Any = Annotated[Event, Field(discriminator="kind")]
_OUTCOME: Any = Outcome


def dump(value: object) -> str:
    return adapter(type(value)).dump_json(value).decode()


def load(kind: type[T], text: str) -> T:
    """Raises pydantic's ValidationError for a text that is no such value."""
    return cast(T, adapter(kind).validate_json(text))


def load_event(text: str) -> Event:
    return cast(Event, adapter(_EVENT).validate_json(text))


def load_outcome(text: str) -> Accepted | Said:
    return cast(Accepted | Said, adapter(_OUTCOME).validate_json(text))
