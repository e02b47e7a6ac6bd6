"""YAML 1.2 as located nodes: every scalar keeps its source text, every node its line. No key has a meaning here."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from pipelines.catalog.problems import Found

SIZE_LIMIT = 1_000_000
DEPTH_LIMIT = 30
NODES_LIMIT = 20_000


@dataclass(frozen=True, kw_only=True)
class Scalar:
    line: int
    text: str
    quoted: bool

    @property
    def empty(self) -> bool:
        return not self.quoted and self.text in ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True, kw_only=True)
class Sequence:
    line: int
    items: tuple["Value", ...]


@dataclass(frozen=True, kw_only=True)
class Entry:
    line: int
    key: str
    value: "Value"


@dataclass(frozen=True, kw_only=True)
class Mapping:
    line: int
    entries: tuple[Entry, ...]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)


Value = Scalar | Sequence | Mapping


def read(text: bytes | str, found: Found) -> Value | None:
    """The document's one node; None when it is empty or cannot be read, which `found` then tells."""
    if len(text) > SIZE_LIMIT:
        found.add(1, f"the file is larger than {SIZE_LIMIT // 1000} kB")
        return None
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        documents = list(YAML(typ="rt", pure=True).compose_all(decoded))
    except UnicodeDecodeError:
        found.add(1, "the file is not UTF-8 text")
        return None
    except (YAMLError, RecursionError, ValueError) as error:
        found.add(_line_of(error), _reason(error, text))
        return None
    if len(documents) > 1:
        found.add(documents[1].start_mark.line + 1, "a second document begins here; one file holds one document")
        return None
    return _Reader(found).value(documents[0], 0) if documents and documents[0] is not None else None


class _Reader:
    def __init__(self, found: Found) -> None:
        self._found = found
        self._count = 0

    def value(self, node: Node, depth: int) -> Value:
        line = int(node.start_mark.line) + 1
        self._count += 1
        if depth > DEPTH_LIMIT or self._count > NODES_LIMIT:
            if self._count <= NODES_LIMIT + 1:
                self._found.add(line, "this is nested too deeply, or aliases make it too large")
            self._count = NODES_LIMIT + 1
            return Scalar(line=line, text="", quoted=True)
        match node:
            case MappingNode():
                return Mapping(line=line, entries=tuple(self._entries(node, depth)))
            case SequenceNode():
                return Sequence(line=line, items=tuple(self.value(item, depth + 1) for item in node.value))
            case ScalarNode():
                return Scalar(line=line, text=str(node.value), quoted=node.style is not None)
            case _:
                self._found.add(line, "this cannot be read")
                return Scalar(line=line, text="", quoted=True)

    def _entries(self, node: MappingNode, depth: int) -> Iterator[Entry]:
        seen: dict[str, int] = {}
        for key, value in node.value:
            line = int(key.start_mark.line) + 1
            if not isinstance(key, ScalarNode):
                self._found.add(line, "a key must be a plain word")
                continue
            name = str(key.value)
            if name == "<<" and key.style is None:
                self._found.add(line, "merge keys (`<<`) are not supported; write the keys out")
                continue
            if name in seen:
                self._found.add(line, f"`{name}` is here twice; the first is in line {seen[name]}")
                continue
            seen[name] = line
            read = self.value(value, depth + 1)
            if isinstance(read, Scalar) and read.empty:
                read = replace(read, line=line)  # nothing begins where the next thing does, which may be far below
            yield Entry(line=line, key=name, value=read)


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
    value = line.split(":", 1)[-1].strip().lstrip("- [{,").strip()
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "a tab indents this line; YAML wants blanks"
    if value.startswith("@") or ("@" in line and "found character" in str(error)):
        return f'a value that begins with @ must be quoted: quote it, as in "{value or "@api"}"'
    if value.startswith("*") or "alias" in str(error):
        return f'a value that begins with * must be quoted: quote it, as in "{value or "*"}"'
    problem = error.problem if isinstance(error, MarkedYAMLError) and error.problem else str(error).splitlines()[0]
    return f"this is not YAML: {problem}"
