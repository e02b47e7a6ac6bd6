"""A judge of what Slack would make of a message, written from Slack's documents and apart from the renderer.

https://docs.slack.dev/messaging/formatting-message-text: in mrkdwn `<…>` is a link, a mention or a channel; addresses
with a scheme and e-mail addresses become links by themselves; `*_~` and backticks format; three backticks fence.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

_ANGLE = re.compile(r"<([^<>]*)>")
_BARE_LINK = re.compile(
    r"(?:(?a:[a-z][a-z0-9+.-]*://)\S|\b(?:mailto|tel):\S|[\w.+-]+@[\w-]+(?:\.[\w-]+)+)", re.IGNORECASE
)
_ENTITY = re.compile(r"&(?!amp;|lt;|gt;)")
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)
TEXT_ONLY = frozenset({"rich_text_section", "rich_text_preformatted"})


def complaints(message: dict[str, Any], *, may_mention: str | None = None) -> list[str]:
    """Everything in a message that foreign text must never bring about; `may_mention` is the one user who may be."""
    return [*_of_text(str(message.get("text", "")), may_mention), *_of_blocks(message.get("blocks") or (), may_mention)]


def _of_text(text: str, may_mention: str | None) -> Iterator[str]:
    for found in _ANGLE.finditer(text):
        if found[1] != f"@{may_mention}":
            yield f"mention or link in text: {found[0]!r}"
    rest = _ANGLE.sub("", text)
    if "<" in rest or ">" in rest or _ENTITY.search(rest):
        yield f"text is not escaped: {text!r}"
    if linked := _BARE_LINK.search(rest):
        yield f"text links by itself: {linked[0]!r}"
    if any(mark in rest for mark in "*~`"):
        yield f"text formats: {text!r}"
    yield from _hidden(rest, "text")


def _hidden(text: str, where: str) -> Iterator[str]:
    for character in text:
        category = unicodedata.category(character)
        if character not in "\n\t" and (category[0] == "C" or category in ("Zl", "Zp") or _INVISIBLE.match(character)):
            yield f"hidden character U+{ord(character):04X} in {where}"
            return


def _of_blocks(blocks: Any, may_mention: str | None) -> Iterator[str]:
    for block in blocks:
        match block["type"]:
            case "rich_text":
                for part in block["elements"]:
                    if part["type"] not in TEXT_ONLY:
                        yield f"a {part['type']} in rich text"
                    yield from (c for leaf in part["elements"] for c in _of_leaf(leaf, may_mention))
            case "actions":
                yield from (c for element in block["elements"] for c in _of_button(element))
            case "context":
                yield from (c for element in block["elements"] for c in _of_plain(element))
            case other:
                yield f"a block of type {other}"


def _of_leaf(leaf: dict[str, Any], may_mention: str | None) -> Iterator[str]:
    if leaf["type"] == "user":
        if leaf["user_id"] != may_mention:
            yield f"a mention of {leaf['user_id']}"
    elif leaf["type"] != "text":
        yield f"a {leaf['type']} in rich text"
    else:
        yield from _hidden(leaf["text"], "rich text")


def _of_button(element: dict[str, Any]) -> Iterator[str]:
    if element["type"] != "button" or "url" in element:
        yield f"a {element['type']} that may lead elsewhere"
    yield from _of_plain(element["text"])
    for name in ("title", "text", "confirm", "deny"):
        if "confirm" in element:
            yield from _of_plain(element["confirm"][name])


def _of_plain(text: dict[str, Any]) -> Iterator[str]:
    if text["type"] != "plain_text" or text.get("emoji", True):
        yield f"a text that is not plain: {text!r}"
    yield from _hidden(str(text["text"]), "plain text")
