"""Cards as Block Kit: foreign text stays text, whatever is in it, and Slack's sizes hold."""

import re
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from handlers.chat.card import Button, Card, Confirm, Style
from handlers.slack import limits
from handlers.slack.blocks import Message, action_of, card_message, lines_message, tail_message

NASTY = [
    "<!channel>",
    "<!here|here>",
    "<@U123>",
    "<#C1|x>",
    "<https://evil.test|click>",
    "https://evil.test",
    "mailto:a@b.test",
    "a@evil.test",
    "```",
    "`*_~",
    "&amp;lt;",
    "\u202e",
    "\x1b[31m",
    "\u200b",
    "\ud800",
    ":rocket:",
    "\n" * 5,
    "x" * 4_000,
]
hostile = st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=30)), max_size=6).map("".join)
buttons = st.builds(
    Button,
    label=hostile,
    action=st.sampled_from(["abort", "rollback", "retry"]),
    value=st.text(max_size=50),
    say=st.just(""),
    style=st.sampled_from(list(Style)),
    confirm=st.one_of(st.none(), st.builds(Confirm, title=hostile, text=hostile, yes=hostile)),
)
cards = st.builds(
    Card,
    title=hostile,
    text=hostile,
    facts=st.lists(hostile, max_size=5).map(tuple),
    lines=st.lists(hostile, max_size=30).map(tuple),
    buttons=st.lists(buttons, max_size=30).map(tuple),
    notes=st.lists(hostile, max_size=15).map(tuple),
)
LEAVES = frozenset({"text", "plain_text", "user", "button"})
CONTAINERS = frozenset(
    {"rich_text", "rich_text_section", "rich_text_preformatted", "actions", "context", "plain_text", "button"}
)


def parts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from parts(inner)
    if isinstance(value, list | tuple):
        for inner in value:
            yield from parts(inner)


def texts(message: Message) -> list[str]:
    return [part["text"] for part in parts(message.blocks) if isinstance(part.get("text"), str)]


def harmless(message: Message, *, mentions: int = 0) -> None:
    """Nothing in it is read as markup: no element that links or mentions but ours, no mrkdwn but an inert `text`."""
    kinds = [part["type"] for part in parts(message.blocks) if "type" in part]
    assert set(kinds) <= CONTAINERS | LEAVES
    assert kinds.count("user") == mentions
    assert "mrkdwn" not in kinds
    for part in parts(message.blocks):
        assert part.get("emoji", False) is False
    for text in texts(message):
        assert text
        assert not re.search("[\u0000-\u0008\u200b\u202a-\u202e\u2066-\u2069\ud800-\udfff\x1b]", text)
    told = re.sub(r"^<@U1> ", "", message.text) if mentions else message.text
    assert not re.search(r"[<>]|://|\w:\w*//|[*`~]|\w@\w", told)
    assert not re.search(r"&(?!amp;|lt;|gt;)", told)


@given(cards)
def test_no_card_mentions_links_or_hides_anything(card: Card) -> None:
    harmless(card_message(card))


@given(st.lists(hostile, min_size=1, max_size=8))
def test_lines_mention_whom_they_are_for_and_nobody_else(lines: list[str]) -> None:
    harmless(lines_message(lines, mention="U1"), mentions=1)


@given(hostile)
def test_output_is_shown_as_it_was_printed_and_cannot_leave_its_frame(output: str) -> None:
    message = tail_message("Output: install on stg-1", output)
    harmless(message)
    assert [block["type"] for block in message.blocks] == ["rich_text"]
    assert [one["type"] for one in message.blocks[0]["elements"]] == ["rich_text_section", "rich_text_preformatted"]


@given(cards)
def test_slacks_sizes_hold(card: Card) -> None:
    message = card_message(card)
    assert len(message.text) <= 300
    assert len(message.blocks) <= 50
    assert sum(len(text) for text in texts(message)) < 13_200 + 25 * (75 + 430)
    ids = [block["block_id"] for block in message.blocks]
    assert len(ids) == len(set(ids))
    for block in message.blocks:
        if block["type"] == "actions":
            names = [element["action_id"] for element in block["elements"]]
            assert len(names) <= limits.BUTTONS_A_BLOCK
    names = [p["action_id"] for p in parts(message.blocks) if "action_id" in p]
    assert len(names) == len(set(names)) <= 25
    for part in parts(message.blocks):
        if part.get("type") == "button":
            assert 1 <= len(part["text"]["text"]) <= 75
            assert 1 <= len(part["value"]) <= 2_000
            confirm = part.get("confirm")
            assert confirm is None or (len(confirm["text"]["text"]) <= 300 and len(confirm["title"]["text"]) <= 100)


@given(cards)
def test_the_same_card_is_the_same_message(card: Card) -> None:
    assert card_message(card) == card_message(card)
    assert card_message(card).digest == card_message(card).digest


def test_words_in_backticks_are_code_and_the_title_is_bold() -> None:
    message = card_message(Card(title="Type `/deploy help` now", text="x"))
    assert message.blocks[0]["elements"][0]["elements"] == [
        {"type": "text", "text": "Type ", "style": {"bold": True}},
        {"type": "text", "text": "/deploy help", "style": {"bold": True, "code": True}},
        {"type": "text", "text": " now", "style": {"bold": True}},
    ]


def test_a_sentence_of_service_and_version_reads_as_it_is() -> None:
    text = "api v1.4 was live in staging, replaced by v1.5 (@mia)"
    assert card_message(Card(title=text, text=text)).text == text


def test_the_same_action_twice_has_two_ids_and_one_meaning() -> None:
    twice = tuple(Button(label=str(i), action="abort", value="v", say="") for i in range(2))
    message = card_message(Card(title="x", text="x", buttons=twice))
    ids = [part["action_id"] for part in parts(message.blocks) if "action_id" in part]
    assert ids == ["abort", "abort#2"]
    assert {action_of(one) for one in ids} == {"abort"}
