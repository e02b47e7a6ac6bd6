"""Text as it arrives becomes plain words: what Slack and phones add is taken off, what could deceive is refused.

Invisible, look-alike and control characters are named and never repaired."""

import html
import re
import unicodedata
from dataclasses import dataclass

LIMIT = 4_000
_BARE_LINK = re.compile(r"<(https?://[^<>|\s]+)>")
_NAMED_LINK = re.compile(r"<(?:https?://|mailto:)[^<>|\s]+\|([^<>|]*)>")
_PERSON = re.compile(r"<@([UW][A-Z0-9]+)(?:\|([^<>]*))?>")
_CHANNEL = re.compile(r"<#([CG][A-Z0-9]+)\|([^<>|]*)>")
_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "‚": "'", "\u00a0": " ", "\u202f": " "})
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(frozen=True, kw_only=True)
class Odd:
    """A character that cannot be in a command; `position` counts from 1."""

    character: str
    name: str
    position: int


def normalise(text: str) -> str:
    """Smart quotes, odd blanks, and what Slack made of links, people and channels, as they were typed."""
    text = _NAMED_LINK.sub(lambda m: m[1], text)
    text = _BARE_LINK.sub(lambda m: m[1], text)
    text = _PERSON.sub(lambda m: f"@{m[2] or m[1]}", text)
    text = _CHANNEL.sub(lambda m: f"#{m[2]}", text)
    text = html.unescape(text) if re.search(r"&(?:amp|lt|gt);", text) else text
    return text.translate(_QUOTES).replace("\r\n", "\n").strip()


def hidden(text: str) -> Odd | None:
    """The first character that is invisible or controls how others are shown."""
    for position, character in enumerate(text, 1):
        if character not in "\n\t" and unicodedata.category(character) in _HIDDEN:
            return _odd(character, position)
    return None


def foreign(text: str) -> Odd | None:
    """The first character beyond ASCII: in a name it may look like another one."""
    for position, character in enumerate(text, 1):
        if not character.isascii():
            return _odd(character, position)
    return None


def _odd(character: str, position: int) -> Odd:
    name = unicodedata.name(character, "").lower() or f"control character U+{ord(character):04X}"
    shown = character if character.isprintable() else f"U+{ord(character):04X}"
    return Odd(character=shown, name=name, position=position)
