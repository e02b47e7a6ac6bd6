"""Slack's limits as this stand-in holds them, and the checks of a message's blocks with Slack's own sentences."""

from collections.abc import Iterator
from typing import Any

TEXT_TRUNCATED = 40_000
UPDATE_TEXT = 4_000
BLOCKS = 50
BLOCK_TEXT = 13_200
SECTION = 3_000
FIELDS, FIELD = 10, 2_000
HEADER = 150
CONTEXT, ACTIONS = 10, 25
BUTTON, VALUE, ID = 75, 2_000, 255
CONFIRM_TITLE, CONFIRM_TEXT, CONFIRM_BUTTON = 100, 300, 30
ACK_SECONDS = 3.0
REDELIVERY_SECONDS = 4.0
TRIGGER_SECONDS = 3.0
RESPONSE_URL_SECONDS, RESPONSE_URL_USES = 1_800.0, 5
CONNECTIONS = 10
A_MINUTE = {
    "chat.update": 50,
    "chat.delete": 50,
    "chat.postEphemeral": 100,
    "conversations.history": 50,
    "conversations.replies": 50,
    "conversations.info": 50,
    "conversations.list": 20,
    "users.info": 100,
    "users.list": 20,
    "usergroups.list": 20,
    "usergroups.users.list": 20,
    "files.getUploadURLExternal": 100,
    "files.completeUploadExternal": 100,
    "apps.connections.open": 50,
}
POSTS_A_SECOND, POSTS_BURST = 1.0, 4

_KNOWN = """section divider image actions context context_actions input file call header markdown video rich_text table
task_card plan card alert container carousel auth_provider"""
KNOWN = frozenset(_KNOWN.split())

Problem = str


def check_blocks(blocks: Any) -> list[Problem]:
    """Slack's complaints about a message's blocks; none when it would take them."""
    if not isinstance(blocks, list):
        return ["must be an array [json-pointer:/blocks]"]
    found: list[Problem] = []
    if len(blocks) > BLOCKS:
        found.append(f"no more than {BLOCKS} items allowed [json-pointer:/blocks]")
    ids = [block["block_id"] for block in blocks if isinstance(block, dict) and block.get("block_id")]
    if len(ids) != len(set(ids)):
        found.append("`block_id` already exists [json-pointer:/blocks]")
    for index, block in enumerate(blocks):
        found += list(_block(block, f"/blocks/{index}"))
    return found


def text_size(blocks: list[Any]) -> int:
    """All the text in blocks: a whole message breaks at about 13,200 characters."""
    if isinstance(blocks, list):
        return sum(text_size(item) for item in blocks)
    if isinstance(blocks, dict):
        own = len(blocks["text"]) if isinstance(blocks.get("text"), str) else 0
        return own + sum(text_size(item) for item in blocks.values() if isinstance(item, list | dict))
    return 0


def _block(block: Any, at: str) -> Iterator[Problem]:  # noqa: PLR0912 (an arm a block type)
    if not isinstance(block, dict) or block.get("type") not in KNOWN:
        kind = block.get("type") if isinstance(block, dict) else None
        yield f"unsupported type: {kind} [json-pointer:{at}/type]"
        return
    if len(str(block.get("block_id", ""))) > ID:
        yield _long(ID, f"{at}/block_id")
    match block["type"]:
        case "section":
            if "text" not in block and "fields" not in block:
                yield f"missing required field: text [json-pointer:{at}]"
            if "text" in block:
                yield from _text(block["text"], f"{at}/text", SECTION, ("mrkdwn", "plain_text"))
            fields = block.get("fields", [])
            if len(fields) > FIELDS:
                yield f"no more than {FIELDS} items allowed [json-pointer:{at}/fields]"
            for i, one in enumerate(fields):
                yield from _text(one, f"{at}/fields/{i}", FIELD, ("mrkdwn", "plain_text"))
            if "accessory" in block:
                yield from _element(block["accessory"], f"{at}/accessory")
        case "header":
            yield from _text(block.get("text"), f"{at}/text", HEADER, ("plain_text",))
        case "context":
            yield from _items(block, at, CONTEXT)
            for i, one in enumerate(block.get("elements", [])):
                if one.get("type") != "image":
                    yield from _text(one, f"{at}/elements/{i}", SECTION, ("mrkdwn", "plain_text"))
        case "actions":
            yield from _items(block, at, ACTIONS)
            for i, one in enumerate(block.get("elements", [])):
                yield from _element(one, f"{at}/elements/{i}")
            names = [one.get("action_id") for one in block.get("elements", []) if one.get("action_id")]
            if len(names) != len(set(names)):
                yield f"`action_id` already exists [json-pointer:{at}/elements]"
        case "rich_text":
            yield from _rich(block.get("elements"), f"{at}/elements")
        case _:
            return


def _items(block: dict[str, Any], at: str, most: int) -> Iterator[Problem]:
    elements = block.get("elements")
    if not isinstance(elements, list) or not elements:
        yield f"must provide at least 1 items [json-pointer:{at}/elements]"
    elif len(elements) > most:
        yield f"no more than {most} items allowed [json-pointer:{at}/elements]"


def _rich(elements: Any, at: str) -> Iterator[Problem]:
    if not isinstance(elements, list):
        yield f"missing required field: elements [json-pointer:{at}]"
        return
    kinds = ("rich_text_section", "rich_text_preformatted", "rich_text_list", "rich_text_quote")
    for i, one in enumerate(elements):
        if not isinstance(one, dict) or one.get("type") not in kinds:
            yield f"unsupported type: {one.get('type') if isinstance(one, dict) else one} [json-pointer:{at}/{i}/type]"
            continue
        for j, leaf in enumerate(one.get("elements", [])):
            if leaf.get("type") == "text" and not leaf.get("text"):
                yield f"must be more than 0 characters [json-pointer:{at}/{i}/elements/{j}/text]"


def _text(text: Any, at: str, most: int, kinds: tuple[str, ...]) -> Iterator[Problem]:
    if not isinstance(text, dict) or text.get("type") not in kinds:
        yield f"failed to match all allowed schemas [json-pointer:{at}]"
        return
    words = text.get("text")
    if not isinstance(words, str) or not words:
        yield f"must be more than 0 characters [json-pointer:{at}/text]"
    elif len(words) > most:
        yield _long(most, f"{at}/text")


def _long(most: int, at: str) -> Problem:
    return f"must be less than {most + 1} characters [json-pointer:{at}]"


def _element(element: Any, at: str) -> Iterator[Problem]:
    if not isinstance(element, dict) or "type" not in element:
        yield f"failed to match all allowed schemas [json-pointer:{at}]"
        return
    if len(str(element.get("action_id", ""))) > ID:
        yield _long(ID, f"{at}/action_id")
    if element["type"] == "button":
        yield from _text(element.get("text"), f"{at}/text", BUTTON, ("plain_text",))
        if len(str(element.get("value", ""))) > VALUE:
            yield _long(VALUE, f"{at}/value")
        if element.get("style") not in (None, "primary", "danger"):
            yield f"failed to match all allowed schemas [json-pointer:{at}/style]"
    if "confirm" in element:
        confirm = element["confirm"]
        yield from _text(confirm.get("title"), f"{at}/confirm/title", CONFIRM_TITLE, ("plain_text",))
        yield from _text(confirm.get("text"), f"{at}/confirm/text", CONFIRM_TEXT, ("plain_text", "mrkdwn"))
        for name in ("confirm", "deny"):
            yield from _text(confirm.get(name), f"{at}/confirm/{name}", CONFIRM_BUTTON, ("plain_text",))
