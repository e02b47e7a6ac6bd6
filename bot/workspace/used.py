"""The elements that people use: where one stands in a message or a modal, and how an app is told of it."""

from collections.abc import Iterator
from typing import Any

from bot.workspace.state import NotThereError

Element = dict[str, Any]

TOLD = ("action_id", "text", "value", "style", "type", "confirm", "placeholder", "initial_option")


def elements(blocks: Any) -> Iterator[tuple[str, Element]]:
    """Each with the id of its block."""
    for block in blocks or []:
        inside = [*block.get("elements", []), block.get("accessory"), block.get("element")]
        yield from ((str(block.get("block_id", "")), one) for one in inside if isinstance(one, dict))


def at(blocks: Any, block_id: str, action_id: str) -> Element | None:
    """The element of these ids."""
    for block, element in elements(blocks):
        if (block, element.get("action_id")) == (block_id, action_id):
            return element
    return None


def described(element: Element, block_id: str, chosen: dict[str, Any]) -> dict[str, Any]:
    """What was used, as `actions` has it; `chosen`: what was selected or typed."""
    return {**{name: element[name] for name in TOLD if name in element}, "block_id": block_id, **chosen}


def labelled(message: dict[str, Any], label: str) -> tuple[str, str] | None:
    """The block and action ids of the first button whose text begins so, in a message or a view."""
    for block, element in elements(message.get("blocks")):
        text = element.get("text")
        if isinstance(text, dict) and str(text.get("text", "")).startswith(label):
            return block, str(element.get("action_id", ""))
    return None


def picked(element: Element, given: Any) -> dict[str, Any]:
    """What was used of an element that keeps nothing: a menu's option, by its value; {} for a button. Raises
    NotThereError for an option that it does not offer."""
    if element["type"] != "overflow":
        return {}
    value = given.get("value") if isinstance(given, dict) else None
    for option in element["options"]:
        if option.get("value") == value:
            return {"selected_option": option}
    raise NotThereError("That option is gone.")
