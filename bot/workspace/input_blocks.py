"""Input blocks, which modals alone have: whether Slack would take one, and whether a person filled it in."""

from collections.abc import Iterator
from typing import Any

from bot.workspace import limits
from bot.workspace.elements import IN_INPUTS, element
from bot.workspace.sentences import PLAIN, Problem, extra, flags, missing, text

REQUIRED = "Please complete this required field."


def check_input(block: dict[str, Any], at: str) -> Iterator[Problem]:
    yield from extra(block, "label element hint optional dispatch_action", at)
    if "label" in block:
        yield from text(block["label"], f"{at}/label", limits.INPUT_LABEL, PLAIN)
    else:
        yield missing("label", at)
    if "element" in block:
        told = block.get("dispatch_action") is True
        yield from element(block["element"], f"{at}/element", IN_INPUTS - {"file_input"} if told else IN_INPUTS)
    else:
        yield missing("element", at)
    if "hint" in block:
        yield from text(block["hint"], f"{at}/hint", limits.INPUT_HINT, PLAIN)
    yield from flags(block, ("optional", "dispatch_action"), at)


def unfit(block: dict[str, Any], state: dict[str, Any]) -> str | None:
    """What the client itself says about an input before anything is sent; None when it may be sent. `state`: its part
    of `state.values`."""
    found = next((value for name, value in state.items() if name != "type"), None)
    if not found:
        return None if block.get("optional") else REQUIRED
    if not isinstance(found, str):
        return None
    least = block["element"].get("min_length", 0)
    most = block["element"].get("max_length", limits.INPUT_TEXT)
    if len(found) < least:
        return f"Write at least {least} characters."
    return f"Write no more than {most} characters." if len(found) > most else None
