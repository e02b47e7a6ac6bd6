"""Characters that are not what they seem: invisible ones, those that control how others are shown, those that may look
like another one. They are named, never repaired."""

import unicodedata
from dataclasses import dataclass

HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Default_Ignorable_Code_Point of the Unicode Character Database, where the general category does not tell: shown as
# nothing at all. Variation selectors only choose how the character before them looks: they are left out.
IGNORABLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0\u2800")


@dataclass(frozen=True, kw_only=True)
class Odd:
    """A character that cannot be where it is; `position` counts from 1."""

    character: str
    name: str
    position: int

    def __str__(self) -> str:
        return f"{self.character} ({self.name})"


def hidden(text: str) -> Odd | None:
    """The first character that is invisible or controls how others are shown."""
    if text.isprintable() and IGNORABLE.isdisjoint(text):
        return None  # most texts; what is not printable holds all of the categories
    for position, character in enumerate(text, 1):
        if character not in "\n\t" and (unicodedata.category(character) in HIDDEN or character in IGNORABLE):
            return _odd(character, position)
    return None


def foreign(text: str) -> Odd | None:
    """The first character beyond ASCII: in a name it may look like another one."""
    for position, character in enumerate(text, 1):
        if not character.isascii():
            return _odd(character, position)
    return None


def _odd(character: str, position: int) -> Odd:
    code = f"U+{ord(character):04X}"
    name = unicodedata.name(character, "").lower() or "a control character"
    shown = character if character.isprintable() and character not in IGNORABLE else code
    return Odd(character=shown, name=name, position=position)
