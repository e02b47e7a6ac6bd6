"""Foreign text as something that can be seen: what is invisible, controls a terminal or turns the line around becomes a
mark. Pure; escaping for one surface is that surface's."""

import re
import unicodedata

from pipelines.domain.letters import HIDDEN, IGNORABLE

ODD = "\ufffd"
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")


def visible(text: str) -> str:
    """Control, bidirectional and invisible characters as a mark that can be seen; lines and tabs stay."""
    return "".join(c if _can_be_seen(c) else ODD for c in _SELECTORS.sub("", text))


def _can_be_seen(c: str) -> bool:
    return c in "\n\t" or (unicodedata.category(c) not in HIDDEN and c not in IGNORABLE)
