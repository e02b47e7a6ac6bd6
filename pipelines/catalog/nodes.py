"""YAML as located nodes: every scalar keeps its source text, every node its line. No key has a meaning here."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import NoReturn

import yaml
from yaml.error import MarkedYAMLError, YAMLError
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from pipelines.catalog.problems import Found
from pipelines.domain.letters import hidden

DEPTH_LIMIT = 30
BRACKETS_LIMIT = 60
TOO_DEEP = "this is nested too deeply"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml reads ten times as fast, where it is there
SHOWN = 60  # characters of a word that is to be quoted
_UNQUOTED = re.compile(r"(?:^|[\s\[{,:-])([@*][^\s,\]}:#]*)")
_BRACKET = re.compile(r"[\[\]{}]")


@dataclass(slots=True, kw_only=True)
class Scalar:
    line: int
    text: str
    quoted: bool

    @property
    def empty(self) -> bool:
        return not self.quoted and self.text in ("", "~", "null", "Null", "NULL")


@dataclass(slots=True, kw_only=True)
class Sequence:
    line: int
    items: tuple["Value", ...]


@dataclass(slots=True, kw_only=True)
class Entry:
    line: int
    key: str
    value: "Value"


@dataclass(slots=True, kw_only=True)
class Mapping:
    line: int
    entries: tuple[Entry, ...]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)


Value = Scalar | Sequence | Mapping


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a file may be: bytes, and nodes with those that aliases repeat. A file that others write has to be read in a
    moment, whatever is in it."""

    size: int = 1_000_000
    nodes: int = 25_000


def read(text: bytes | str, found: Found, limits: Limits = Limits()) -> Value | None:
    """The document's one node; None when it is empty or cannot be read, which `found` then tells."""
    if len(text) > limits.size:
        found.add(1, f"the file is larger than {limits.size // 1000} kB")
        return None
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        if (line := _too_deep(decoded)) is not None:
            found.add(line, TOO_DEEP)
            return None
        return _Reader(found, limits.nodes).document(yaml.parse(decoded, Loader=LOADER))
    except UnicodeDecodeError:
        found.add(1, "the file is not UTF-8 text")
    except (YAMLError, RecursionError, ValueError) as error:
        found.add(_line_of(error), _reason(error, text))
    return None


def _too_deep(text: str) -> int | None:
    """The line where brackets open too deeply: the scanner would look far ahead for each of them."""
    depth = 0
    for number, bracket in enumerate(_BRACKET.findall(text)):
        if bracket in "[{":
            depth += 1
            if depth > BRACKETS_LIMIT:
                start = next(islice(_BRACKET.finditer(text), number, None)).start()
                return text.count("\n", 0, start) + 1
        elif depth:
            depth -= 1
    return None


class _StopError(Exception):
    """What is wrong was told; the rest of the file is not read."""


class _Reader:
    """Builds nodes from the parser's events, so that a file that grows too large is left at once."""

    def __init__(self, found: Found, limit: int) -> None:
        self._found = found
        self._left = limit
        self._anchors: dict[str, tuple[Value, int]] = {}

    def document(self, events: Iterator[Event]) -> Value | None:
        value: Value | None = None
        documents = 0
        try:
            for event in events:
                match event:
                    case DocumentStartEvent():
                        documents += 1
                        if documents > 1:
                            line = _line(event)
                            self._stop(line, "a second document begins here; one file holds one document")
                    case NodeEvent():
                        value = self._node(event, events, 0)
        except _StopError:
            return None
        return value

    def _node(self, event: NodeEvent, events: Iterator[Event], depth: int) -> Value:
        if isinstance(event, AliasEvent):
            return self._alias(event)
        before = self._left
        self._count(1, event)
        if depth > DEPTH_LIMIT:
            self._stop(_line(event), TOO_DEEP)
        value: Value
        match event:
            case ScalarEvent():
                value = Scalar(line=_line(event), text=str(event.value), quoted=event.style not in (None, ""))
                if (odd := hidden(value.text)) is not None:
                    self._found.add(value.line, f"an invisible character is here: {odd}; type it again by hand")
            case MappingStartEvent():
                value = Mapping(line=_line(event), entries=tuple(self._entries(events, depth)))
            case SequenceStartEvent():
                items = tuple(self._node(item, events, depth + 1) for item in _until(SequenceEndEvent, events))
                value = Sequence(line=_line(event), items=items)
            case _:
                raise ValueError(f"an event that no document holds: {event}")
        if event.anchor:
            self._anchors[event.anchor] = (value, before - self._left)
        return value

    def _alias(self, event: AliasEvent) -> Value:
        known = self._anchors.get(event.anchor or "")
        if known is None:
            self._stop(_line(event), f"`*{event.anchor}` names nothing that ended before it; quote it if it is a text")
        value, size = known
        self._count(size, event)
        return value

    def _count(self, nodes: int, event: NodeEvent) -> None:
        self._left -= nodes
        if self._left < 0:
            self._stop(_line(event), "this is too large, or aliases make it so")

    def _stop(self, line: int, message: str) -> NoReturn:
        self._found.add(line, message)
        raise _StopError

    def _entries(self, events: Iterator[Event], depth: int) -> Iterator[Entry]:
        seen: dict[str, int] = {}
        for event in _until(MappingEndEvent, events):
            line = _line(event)
            key = self._node(event, events, depth + 1)
            value = self._node(_next_node(events), events, depth + 1)
            if isinstance(value, Scalar) and value.empty:
                value = replace(value, line=line)  # nothing begins where the next thing does, which may be far below
            if not isinstance(key, Scalar):
                self._found.add(line, "a key must be a plain word")
            elif key.text == "<<" and not key.quoted:
                self._found.add(line, "merge keys (`<<`) are not supported; write the keys out")
            elif key.text in seen:
                self._found.add(line, f"`{key.text}` is here twice; the first is in line {seen[key.text]}")
            else:
                seen[key.text] = line
                yield Entry(line=line, key=key.text, value=value)


def _until(end: type[Event], events: Iterator[Event]) -> Iterator[NodeEvent]:
    for event in events:
        if isinstance(event, end):
            return
        if isinstance(event, NodeEvent):
            yield event


def _next_node(events: Iterator[Event]) -> NodeEvent:
    return next(event for event in events if isinstance(event, NodeEvent))


def _line(event: Event) -> int:
    return int(event.start_mark.line) + 1 if event.start_mark else 1


def _line_of(error: Exception) -> int:
    if isinstance(error, MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        if mark is not None:
            return int(mark.line) + 1
    return 1


def _reason(error: Exception, text: bytes | str) -> str:
    decoded = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    lines = decoded.splitlines()
    number = _line_of(error)
    line = lines[number - 1] if number <= len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "a tab indents this line; YAML wants blanks"
    if (word := _UNQUOTED.search(line)) is not None and ("found character" in str(error) or "alias" in str(error)):
        return f'a value that begins with {word[1][0]} must be quoted: quote it, as in "{word[1][:SHOWN]}"'
    problem = error.problem if isinstance(error, MarkedYAMLError) and error.problem else str(error).splitlines()[0]
    return f"this is not YAML: {problem}"
