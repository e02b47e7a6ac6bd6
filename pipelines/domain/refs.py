"""Names of versions as people type them, and what a name turned out to mean.

Here: the grammar of a typed ref, the answers and the problems of the source, how version tags are ordered.
Not here: git itself (`execution.source`), `previous` (the room's history knows it), who may deploy what.
"""

import fnmatch
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

LATEST = "latest"
PREVIOUS = "previous"
"""This word always means the newest release tag; a tag or branch with this very name is reached by its commit id."""

_REF = re.compile(r"(?!-)[A-Za-z0-9][A-Za-z0-9._/+-]{0,199}")
_CHARACTER = re.compile(r"[A-Za-z0-9._/+-]")
_FULL = re.compile(r"[0-9a-f]{40}")
_HEX = re.compile(r"[0-9a-fA-F]{7,40}")
_RELEASE = re.compile(r"v?(\d{1,18})\.(\d{1,18})(?:\.(\d{1,18}))?", re.ASCII)
_GLOB = re.compile(r"[*?\[]")
_NUMBER = re.compile(r"(\d+)", re.ASCII)


class RefKind(StrEnum):
    TAG = "tag"
    BRANCH = "branch"
    COMMIT = "commit"


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """What a typed name meant when it was asked; nothing that moves afterwards changes it.

    `commit` and `tree` are 40 hex digits. `version` is the name to store. `shown` is what people read.
    """

    commit: str
    version: str
    ref_kind: RefKind
    shown: str
    committed_at: datetime
    tree: str


@dataclass(frozen=True, kw_only=True)
class CommitLine:
    """One commit in a list; author and subject are somebody else's text and are escaped by whoever shows them."""

    commit: str
    author: str
    subject: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Commits:
    """From one commit to another: `ahead` only the new one has, `behind` only the old one; `lines` newest first."""

    ahead: int
    behind: int
    lines: tuple[CommitLine, ...]


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """How new the copy of a repository is: `fresh` after a fetch just now, else `as_of` the last one that worked."""

    as_of: datetime
    fresh: bool
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    kind: RefKind
    name: str
    commit: str


def bad_character(text: str) -> str | None:
    """The first character of `text` that no ref may hold, in words; None when all are fine."""
    for character in text:
        if character == "`":
            return "a backtick"  # which would format whatever repeats it
        if not _CHARACTER.fullmatch(character):
            name = unicodedata.name(character, "control character").lower()
            return f"{character!r} ({name})" if character.isprintable() else f"U+{ord(character):04X} ({name})"
    return None


def flaw(text: str) -> str | None:
    """Why `text` cannot be a ref, as the end of "… because it"; None when it can."""
    if not text:
        return "is empty"
    if len(text) > 200:
        return "is longer than 200 characters"
    if found := bad_character(text):
        return f"holds {found}"
    if not _REF.fullmatch(text):
        return "does not begin with a letter or a digit"
    for part in ("..", "//"):
        if part in text:
            return f"holds {part!r}"
    return next((f"ends in {end!r}" for end in (".lock", "/") if text.endswith(end)), None)


def is_commit(text: str) -> bool:
    """Whether `text` is a full commit id: 40 lower-case hex digits."""
    return _FULL.fullmatch(text) is not None


def is_commit_prefix(text: str) -> bool:
    """Whether `text` could be a commit id or the first seven digits or more of one."""
    return _HEX.fullmatch(text) is not None


def release(tag: str, pattern: str) -> tuple[int, int, int] | None:
    """The numbers of a release tag under the service's `tags` pattern; None for pre-releases and everything else.

    What stands before the version in the pattern (`api-` in `api-v*`) stands before it in the tag.
    """
    if not fnmatch.fnmatchcase(tag, pattern):
        return None
    literal = _GLOB.split(pattern, maxsplit=1)[0]
    prefix = re.sub(r"v?[\d.]*$", "", literal)
    found = _RELEASE.fullmatch(tag[len(prefix) :])
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def newest_release(tags: list[str], pattern: str) -> str | None:
    """What `latest` means among these tags: the highest release by number (of `v1.5` and `v1.5.0` the longer one)."""
    numbered = [(numbers, tag) for tag in tags if (numbers := release(tag, pattern)) and flaw(tag) is None]
    return max(numbered, key=lambda each: (each[0], len(each[1]), each[1]))[1] if numbered else None


def version_tag(tags: list[str], pattern: str) -> str | None:
    """The version among the tags of one commit: its highest release, else its highest pre-release, else None."""
    if newest := newest_release(tags, pattern):
        return newest
    others = [tag for tag in tags if fnmatch.fnmatchcase(tag, pattern) and flaw(tag) is None]
    return max(others, key=_by_number, default=None)


def _by_number(tag: str) -> list[tuple[int, int, str]]:
    return [(1, int(part), "") if part.isdecimal() else (0, 0, part) for part in _NUMBER.split(tag)]
