"""Text as it arrives becomes plain words: what Slack and phones add is taken off. What could deceive is `letters`'."""

import html
import re

LIMIT = 4_000
_BARE_LINK = re.compile(r"<(https?://[^<>|\s]+)>")
_NAMED_LINK = re.compile(r"<(?:https?://|mailto:)[^<>|\s]+\|([^<>|]*)>")
_PERSON = re.compile(r"<@([UW][A-Z0-9]+)(?:\|([^<>]*))?>")
_CHANNEL = re.compile(r"<#([CG][A-Z0-9]+)\|([^<>|]*)>")
_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "‚": "'", "\u00a0": " ", "\u202f": " "})


def normalise(text: str) -> str:
    """Smart quotes, odd blanks, and what Slack made of links, people and channels, as they were typed."""
    text = _NAMED_LINK.sub(lambda m: m[1], text)
    text = _BARE_LINK.sub(lambda m: m[1], text)
    text = _PERSON.sub(lambda m: f"@{m[2] or m[1]}", text)
    text = _CHANNEL.sub(lambda m: f"#{m[2]}", text)
    text = html.unescape(text) if re.search(r"&(?:amp|lt|gt);", text) else text
    return text.translate(_QUOTES).replace("\r\n", "\n").strip()
