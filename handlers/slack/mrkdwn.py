"""Foreign text made harmless: nothing in it mentions, links, formats or hides anything. Pure.

Blocks carry text as plain or rich text, where there is no markup to escape; only a message's `text` is read as mrkdwn.
"""

import re
import unicodedata

from handlers.slack import limits

BREAK = " "  # stands inside what Slack would make a link of, and can be seen
ODD = "\ufffd"
# Default_Ignorable_Code_Point of the Unicode Character Database, where the general category does not tell: shown as
# nothing at all. Variation selectors only choose how the character before them looks: they are left out.
_IGNORABLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0\u2800")
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_SCHEME = re.compile(r"(?<=[A-Za-z0-9])://")
_ADDRESS = re.compile(r"(?<=[\w.+\-!#$%&'/=?^{|};])@(?=\w)")
_MAILTO = re.compile(r"\b(mailto|tel):", re.IGNORECASE)
_FORMAT = str.maketrans(dict.fromkeys("*~`", "'"))


def inert(text: str) -> str:
    """Control, bidirectional and invisible characters as a mark that can be seen; lines and tabs stay."""
    return "".join(c if _can_be_seen(c) else ODD for c in _SELECTORS.sub("", text))


def _can_be_seen(c: str) -> bool:
    return c in "\n\t" or (unicodedata.category(c)[0] != "C" and c not in _IGNORABLE)


def shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def escaped(text: str) -> str:
    """Text for mrkdwn: no mention, no link, no formatting comes out of it."""
    plain = inert(text).translate(_FORMAT)
    plain = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    plain = _SCHEME.sub(f":{BREAK}//", plain)
    plain = _MAILTO.sub(rf"\1{BREAK}:", plain)
    return _ADDRESS.sub(f"@{BREAK}", plain)


def sentence(text: str, limit: int = limits.TEXT) -> str:
    """A message's `text`: one line that is at most `limit` long after escaping."""
    line = " ".join(text.split())
    cut = limit
    while len(safe := escaped(shortened(line, cut))) > limit:
        cut -= max(1, len(safe) - limit)
        if cut < 2:
            return ""
    return safe
