"""A card: what is shown of something, before any surface. Who renders it escapes it.

Every text of a card is plain; `text` is the one sentence that notifications and screen readers get.
"""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

TEXT_LIMIT = 300


class Style(StrEnum):
    PLAIN = "plain"
    PRIMARY = "primary"
    DANGER = "danger"


@dataclass(frozen=True, kw_only=True)
class Confirm:
    title: str
    text: str
    yes: str


@dataclass(frozen=True, kw_only=True)
class Button:
    """`value` is opaque (see `clicks`); `say` are the words that do the same."""

    label: str
    action: str
    value: str
    say: str
    style: Style = Style.PLAIN
    confirm: Confirm | None = None


@dataclass(frozen=True, kw_only=True)
class Card:
    """`title` is the first line, `facts` stand beside it, `lines` below; `notes` are small print."""

    title: str
    text: str
    facts: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    buttons: tuple[Button, ...] = ()
    notes: tuple[str, ...] = ()


def plain_text(text: str) -> str:
    """A notification's sentence: one line, nothing hidden in it, at most 300 characters."""
    seen = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in text)
    line = " ".join(seen.replace("*", "").replace("`", "").replace("~", "").split())
    return line if len(line) <= TEXT_LIMIT else line[: TEXT_LIMIT - 1] + "…"
