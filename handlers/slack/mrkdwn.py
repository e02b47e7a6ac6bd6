"""Foreign text made harmless: nothing in it mentions, links, formats or hides anything. Pure.

Blocks carry text as plain or rich text, where there is no markup to escape; only a message's `text` is read as mrkdwn.
"""

import re

from handlers.chat.seen import visible
from handlers.slack import limits

BREAK = " "  # stands inside what Slack would make a link of, and can be seen
_SCHEME = re.compile(r"(?<=[A-Za-z0-9])://")
_ADDRESS = re.compile(r"(?<=[\w.+\-!#$%&'/=?^{|};])@(?=\w)")
_MAILTO = re.compile(r"\b(mailto|tel):", re.IGNORECASE)
_FORMAT = str.maketrans(dict.fromkeys("*~`", "'"))


def shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def escaped(text: str) -> str:
    """Text for mrkdwn: no mention, no link, no formatting comes out of it."""
    plain = visible(text).translate(_FORMAT)
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
