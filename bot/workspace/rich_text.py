"""Whether Slack would take a rich text: sections, lists, quotes, and what stands in them."""

from collections.abc import Iterator
from typing import Any

from bot.workspace.sentences import Problem, mismatch, missing, unsupported

PARTS = frozenset(("rich_text_section", "rich_text_preformatted", "rich_text_list", "rich_text_quote"))


def rich_text(elements: Any, at: str) -> Iterator[Problem]:
    if not isinstance(elements, list):
        yield missing("elements", at)
        return
    for i, one in enumerate(elements):
        kind = one.get("type") if isinstance(one, dict) else None
        if not isinstance(kind, str) or kind not in PARTS:
            yield unsupported(kind, f"{at}/{i}")
        elif kind == "rich_text_list":
            yield from rich_text(one.get("elements"), f"{at}/{i}/elements")
        else:
            yield from _leaves(one.get("elements"), f"{at}/{i}/elements")


def _leaves(leaves: Any, at: str) -> Iterator[Problem]:
    if not isinstance(leaves, list):
        yield missing("elements", at)
        return
    for i, leaf in enumerate(leaves):
        if not isinstance(leaf, dict) or "type" not in leaf:
            yield mismatch(f"{at}/{i}")
        elif leaf["type"] == "text" and not leaf.get("text"):
            yield f"must be more than 0 characters [json-pointer:{at}/{i}/text]"
