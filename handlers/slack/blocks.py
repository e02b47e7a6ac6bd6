"""Cards become Block Kit: pure, within Slack's sizes, the same card always the same blocks.

What a card says is `handlers.chat`'s; when a message is posted or edited is the painter's.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from handlers.chat.card import Button, Card, Confirm, Style
from handlers.chat.seen import visible
from handlers.slack import limits
from handlers.slack.mrkdwn import sentence, shortened

Block = dict[str, Any]

_CODE = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True, kw_only=True)
class Message:
    """What a message of ours shows; `digest` tells one from another."""

    text: str
    blocks: tuple[Block, ...] = ()

    @property
    def digest(self) -> str:
        shown = json.dumps([self.text, self.blocks], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(shown.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    @property
    def payload(self) -> dict[str, Any]:
        """The arguments of a call that posts or edits it."""
        return {"text": self.text, "blocks": list(self.blocks)}


def card_message(card: Card) -> Message:
    head = [*_spans(shortened(card.title, limits.TITLE), bold=True)]
    if facts := " · ".join(card.facts):
        head += _spans("\n" + shortened(facts, limits.LINE))
    blocks = [_rich("card", _section(head))]
    if card.lines:
        blocks.append(_rich("lines", _section(_spans("\n".join(_fitting(card.lines))))))
    blocks += _actions(card.buttons)
    if card.notes:
        notes = [_plain(shortened(note, limits.NOTE)) for note in card.notes[: limits.NOTES]]
        blocks.append({"type": "context", "block_id": "notes", "elements": notes})
    return Message(text=sentence(card.text), blocks=tuple(blocks))


def lines_message(lines: Iterable[str], *, about: str = "", mention: str | None = None) -> Message:
    """Plain lines in a thread; `mention` is the Slack user who is to notice the last of them. `about` stands before
    them where only the text is seen: in a notification nobody sees whose thread it is."""
    kept = list(_fitting(tuple(lines)))
    if not mention:
        told = " ".join([*([f"{about}:"] if about else []), *kept])
        return Message(text=sentence(told), blocks=(_rich("lines", _section(_spans("\n".join(kept)))),))
    before = "\n".join([*kept[:-1], ""])
    spans = [*_spans(before), {"type": "user", "user_id": mention}, *_spans(" " + kept[-1])]
    told = sentence(kept[-1], limits.TEXT - len(mention) - 4)
    return Message(text=f"<@{mention}> {told}", blocks=(_rich("lines", _section(spans)),))


def tail_message(title: str, tail: str, *, about: str = "") -> Message:
    """The last lines of some output, as they were printed. `about` as in `lines_message`."""
    shown = visible(tail).strip("\n") or " "
    blocks = (
        _rich(
            "tail",
            _section(_spans(shortened(title, limits.TITLE))),
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": shown}]},
        ),
    )
    return Message(text=sentence(f"{about}: {title}" if about else title), blocks=blocks)


def plainer(message: Message) -> Message:
    """The same without blocks, for a Slack that does not take them."""
    return Message(text=message.text)


def action_of(action_id: str) -> str:
    """The action behind an id, which is numbered where a message has the same action twice."""
    return action_id.split("#", 1)[0]


def _rich(block_id: str, *elements: Block) -> Block:
    return {"type": "rich_text", "block_id": block_id, "elements": list(elements)}


def _section(spans: Iterable[Block]) -> Block:
    return {"type": "rich_text_section", "elements": list(spans)}


def _spans(text: str, *, bold: bool = False) -> Iterator[Block]:
    """Text, with what stands in backticks as code."""
    for i, part in enumerate(_CODE.split(visible(text))):
        if part:
            style = {**({"bold": True} if bold else {}), **({"code": True} if i % 2 else {})}
            yield {"type": "text", "text": part, **({"style": style} if style else {})}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": visible(text) or " ", "emoji": False}


def _fitting(lines: tuple[str, ...]) -> Iterator[str]:
    room = limits.BODY
    for i, line in enumerate(lines):
        short = shortened(line, limits.LINE)
        room -= len(short) + 1
        if room < 0:
            yield f"and {len(lines) - i} more lines"
            return
        yield short


def _actions(buttons: tuple[Button, ...]) -> Iterator[Block]:
    counted: dict[str, int] = {}
    elements = []
    for button in buttons[: limits.BUTTONS]:
        counted[button.action] = counted.get(button.action, 0) + 1
        elements.append(_button(button, counted[button.action]))
    for i in range(0, len(elements), limits.BUTTONS_A_BLOCK):
        chunk = elements[i : i + limits.BUTTONS_A_BLOCK]
        yield {"type": "actions", "block_id": f"buttons-{i // limits.BUTTONS_A_BLOCK + 1}", "elements": chunk}


def _button(button: Button, number: int) -> Block:
    action = button.action if number == 1 else f"{button.action}#{number}"
    made: Block = {
        "type": "button",
        "action_id": shortened(action, limits.ACTION_ID),
        "text": _plain(shortened(button.label, limits.LABEL)),
        "value": button.value[: limits.VALUE] or "-",
    }
    if button.style is not Style.PLAIN:
        made["style"] = button.style.value
    if button.confirm is not None:
        made["confirm"] = _confirm(button.confirm, button.style)
    return made


def _confirm(confirm: Confirm, style: Style) -> Block:
    made: Block = {
        "title": _plain(shortened(confirm.title, limits.CONFIRM_TITLE)),
        "text": _plain(shortened(confirm.text, limits.CONFIRM_TEXT)),
        "confirm": _plain(shortened(confirm.yes, limits.CONFIRM_BUTTON)),
        "deny": _plain("Cancel"),
    }
    return made | ({"style": "danger"} if style is Style.DANGER else {})
