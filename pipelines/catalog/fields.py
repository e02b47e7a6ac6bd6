"""Reading fields out of located nodes: each function gives a value, or notes what is wrong and gives a stand-in."""

import re
from collections.abc import Callable
from collections.abc import Mapping as Table
from typing import TypeVar

from pipelines.catalog.nodes import Entry, Mapping, Scalar, Sequence, Value
from pipelines.catalog.problems import Found, lookalike, nearest

T = TypeVar("T")

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?", re.ASCII)
LONGEST = 30 * 24 * 3600.0  # seconds of any time that a file names


def kind(value: Value) -> str:
    match value:
        case Scalar():
            return "nothing" if value.empty else f"`{value.text}`"
        case Sequence():
            return "a list" if value.items else "an empty list"
        case Mapping():
            return "a mapping" if value.entries else "an empty mapping"


class Fields:
    """The fields of one mapping: what this version enforces, what it knows of but does not, and what the service's own
    deploy.yml says."""

    def __init__(
        self,
        value: Value | None,
        found: Found,
        *,
        of: str,
        known: tuple[str, ...],
        later: tuple[str, ...] = (),
        elsewhere: tuple[str, ...] = (),
    ) -> None:
        self.found = found
        self._of = of
        self._entries: dict[str, Entry] = {}
        self.line = value.line if value is not None else 1
        if value is None or (isinstance(value, Scalar) and value.empty):
            return
        if not isinstance(value, Mapping):
            found.add(value.line, f"{of} must be a mapping such as `{known[0]}: …`, not {kind(value)}")
            return
        for entry in value:
            if found.full:
                break
            if entry.key in known:
                self._entries[entry.key] = entry
            elif entry.key in later:
                found.add(entry.line, f"`{entry.key}` is not enforced by this version yet; remove it for now")
            elif entry.key in elsewhere:
                found.add(entry.line, f"`{entry.key}` belongs in deploy.yml, in the service's own repository")
            else:
                found.add(
                    entry.line, f"`{entry.key}` is not a key of {of}.{lookalike(entry.key)}{nearest(entry.key, known)}"
                )

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def entry(self, key: str) -> Entry | None:
        return self._entries.get(key)

    def get(self, key: str, read: Callable[[Value, Found, str], T], default: T) -> T:
        entry = self._entries.get(key)
        return default if entry is None else read(entry.value, self.found, key)


def text(value: Value, found: Found, key: str) -> str:
    if isinstance(value, Scalar) and not value.empty and value.text.strip():
        return value.text
    found.add(value.line, f"`{key}` must be a word, not {kind(value)}")
    return ""


def boolean(value: Value, found: Found, key: str) -> bool:
    if isinstance(value, Scalar) and value.text in ("true", "false"):
        return value.text == "true"
    found.add(value.line, f"`{key}` must be true or false, not {kind(value)}")
    return False


def duration(value: Value, found: Found, key: str) -> float:
    """Seconds: `90s`, `15m`, `1h30m`."""
    if isinstance(value, Scalar) and value.text and (match := _DURATION.fullmatch(value.text)) and match[0]:
        hours, minutes, seconds = (float(part or 0) for part in match.groups())
        total = hours * 3600 + minutes * 60 + seconds
        if total <= LONGEST:
            return total
        found.add(value.line, f"`{key}` is longer than 30 days, which is 720h")
        return 0.0
    found.add(value.line, f"`{key}` must be a time such as 30s, 15m or 1h30m, not {kind(value)}")
    return 0.0


def positive(value: Value, found: Found, key: str) -> float:
    before = len(found.problems)
    seconds = duration(value, found, key)
    if seconds <= 0 and len(found.problems) == before:
        found.add(value.line, f"`{key}` must be longer than nothing, such as 30s")
    return seconds or 1.0


def count(value: Value, found: Found, key: str) -> int:
    if isinstance(value, Scalar) and re.fullmatch(r"[0-9]{1,3}", value.text):
        return int(value.text)
    found.add(value.line, f"`{key}` must be a whole number such as 2, not {kind(value)}")
    return 0


def choice(*options: str) -> Callable[[Value, Found, str], str]:
    def read(value: Value, found: Found, key: str) -> str:
        if isinstance(value, Scalar) and value.text in options:
            return value.text
        found.add(value.line, f"`{key}` must be {' or '.join(options)}, not {kind(value)}")
        return options[0]

    return read


def texts(value: Value, found: Found, key: str) -> tuple[str, ...]:
    """A word, or a list of words."""
    if isinstance(value, Sequence):
        return tuple(text(item, found, key) for item in value.items)
    return (text(value, found, key),)


def named(value: Value | None, found: Found, of: str) -> Table[str, Entry]:
    """The entries of a mapping whose keys are names, such as `services`."""
    if value is None or (isinstance(value, Scalar) and value.empty):
        return {}
    if not isinstance(value, Mapping):
        found.add(value.line, f"`{of}` must be a mapping from names, not {kind(value)}")
        return {}
    return {entry.key: entry for entry in value}
