"""Whether Slack would take the blocks of a message or a modal, said with its own sentences. What is inside a block:
elements.py, input_blocks.py, rich_text.py."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from bot.workspace import limits
from bot.workspace.elements import IN_ACTIONS, IN_SECTIONS, element
from bot.workspace.input_blocks import check_input
from bot.workspace.rich_text import rich_text
from bot.workspace.sentences import BOTH, PLAIN, Problem, extra, listed, missing, text, too_long, unsupported

IN_MESSAGES = frozenset(
    (
        "section",
        "divider",
        "image",
        "actions",
        "context",
        "context_actions",
        "file",
        "header",
        "markdown",
        "video",
        "rich_text",
        "table",
        "task_card",
        "plan",
        "card",
        "carousel",
        "container",
        "alert",
        "call",
        "auth_provider",
        "data_table",
        "data_visualization",
    )
)
IN_MODALS = (IN_MESSAGES - {"markdown", "context_actions", "file"}) | {"input"}


def check_blocks(blocks: Any) -> list[Problem]:
    """Slack's complaints about a message's blocks; none when it would take them."""
    return list(_all(blocks, "/blocks", limits.BLOCKS, IN_MESSAGES))


def check_modal_blocks(blocks: Any) -> list[Problem]:
    return list(_all(blocks, "/view/blocks", limits.MODAL_BLOCKS, IN_MODALS))


def text_size(blocks: Any) -> int:
    """All the text in blocks, in characters: a whole message has a limit, too."""
    if isinstance(blocks, list):
        return sum(text_size(item) for item in blocks)
    if isinstance(blocks, dict):
        own = len(blocks["text"]) if isinstance(blocks.get("text"), str) else 0
        return own + sum(text_size(item) for item in blocks.values() if isinstance(item, list | dict))
    return 0


def _all(blocks: Any, at: str, most: int, kinds: frozenset[str]) -> Iterator[Problem]:
    if not isinstance(blocks, list):
        yield f"must be an array [json-pointer:{at}]"
        return
    if len(blocks) > most:
        yield f"no more than {most} items allowed [json-pointer:{at}]"
    given = Counter(str(block["block_id"]) for block in blocks if isinstance(block, dict) and block.get("block_id"))
    for name in (name for name, times in given.items() if times > 1):
        yield f"`block_id` already exists: {name} [json-pointer:{at}]"
    for index, block in enumerate(blocks):
        yield from _block(block, f"{at}/{index}", kinds)


def _block(block: Any, at: str, kinds: frozenset[str]) -> Iterator[Problem]:
    if not isinstance(block, dict):
        yield f"must be an object [json-pointer:{at}]"
        return
    kind = block.get("type")
    if kind is None:
        yield missing("type", at)
        return
    if not isinstance(kind, str) or kind not in kinds:
        yield unsupported(kind, at)
        return
    yield from too_long(block.get("block_id"), limits.ID, f"{at}/block_id")
    check = CHECKS.get(kind)
    if check is not None:
        yield from check(block, at)


def _section(block: dict[str, Any], at: str) -> Iterator[Problem]:
    yield from extra(block, "text fields accessory expand", at)
    if "text" not in block and "fields" not in block:
        yield missing("text", at)
    if "text" in block:
        yield from text(block["text"], f"{at}/text", limits.SECTION, BOTH)
    if "fields" in block:
        fields, problems = listed(block, "fields", at, limits.FIELDS)
        yield from problems
        for i, one in enumerate(fields):
            yield from text(one, f"{at}/fields/{i}", limits.FIELD, BOTH)
    if "accessory" in block:
        yield from element(block["accessory"], f"{at}/accessory", IN_SECTIONS)


def _header(block: dict[str, Any], at: str) -> Iterator[Problem]:
    yield from extra(block, "text level", at)
    yield from text(block.get("text"), f"{at}/text", limits.HEADER, PLAIN)


def _context(block: dict[str, Any], at: str) -> Iterator[Problem]:
    yield from extra(block, "elements", at)
    elements, problems = listed(block, "elements", at, limits.CONTEXT)
    yield from problems
    for i, one in enumerate(elements):
        if isinstance(one, dict) and one.get("type") == "image":
            yield from _image(one, f"{at}/elements/{i}")
        else:
            yield from text(one, f"{at}/elements/{i}", limits.SECTION, BOTH)


def _actions(block: dict[str, Any], at: str) -> Iterator[Problem]:
    yield from extra(block, "elements", at)
    elements, problems = listed(block, "elements", at, limits.ACTIONS)
    yield from problems
    for i, one in enumerate(elements):
        yield from element(one, f"{at}/elements/{i}", IN_ACTIONS)
    given = Counter(str(one["action_id"]) for one in elements if isinstance(one, dict) and one.get("action_id"))
    for name in (name for name, times in given.items() if times > 1):
        yield f"`action_id` already exists: {name} [json-pointer:{at}/elements]"


def _image(block: dict[str, Any], at: str) -> Iterator[Problem]:
    if not block.get("alt_text"):
        yield missing("alt_text", at)
    if not block.get("image_url") and not block.get("slack_file"):
        yield missing("image_url", at)
    yield from too_long(block.get("alt_text"), limits.IMAGE_ALT, f"{at}/alt_text")
    yield from too_long(block.get("image_url"), limits.URL, f"{at}/image_url")


def _markdown(block: dict[str, Any], at: str) -> Iterator[Problem]:
    if not block.get("text"):
        yield f"must be more than 0 characters [json-pointer:{at}/text]"
    yield from too_long(block.get("text"), limits.MARKDOWN, f"{at}/text")


def _table(block: dict[str, Any], at: str) -> Iterator[Problem]:
    rows, problems = listed(block, "rows", at, limits.TABLE_ROWS)
    yield from problems
    for i, row in enumerate(rows):
        yield from listed({"cells": row}, "cells", f"{at}/rows/{i}", limits.TABLE_CELLS)[1]


def _plan(block: dict[str, Any], at: str) -> Iterator[Problem]:
    tasks, problems = listed(block, "tasks", at, limits.PLAN_TASKS, least=0)
    yield from problems
    for i, task in enumerate(tasks):
        yield from _task(task, f"{at}/tasks/{i}")


def _task(task: Any, at: str) -> Iterator[Problem]:
    if not isinstance(task, dict):
        yield f"must be an object [json-pointer:{at}]"
        return
    yield from (missing(name, at) for name in ("task_id", "title") if name not in task)
    if task.get("status", "pending") not in ("pending", "in_progress", "complete", "error"):
        yield f"failed to match all allowed schemas [json-pointer:{at}/status]"
    for name in ("details", "output"):
        if name in task and not text_size(task[name]):
            yield f"must be more than 0 characters [json-pointer:{at}/{name}]"


def _rich_text(block: dict[str, Any], at: str) -> Iterator[Problem]:
    return rich_text(block.get("elements"), f"{at}/elements")


def _divider(block: dict[str, Any], at: str) -> Iterator[Problem]:
    return extra(block, "", at)


CHECKS = {
    "section": _section,
    "header": _header,
    "context": _context,
    "actions": _actions,
    "input": check_input,
    "image": _image,
    "markdown": _markdown,
    "table": _table,
    "plan": _plan,
    "task_card": _task,
    "rich_text": _rich_text,
    "divider": _divider,
}
