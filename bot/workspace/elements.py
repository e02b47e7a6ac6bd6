"""The interactive elements of blocks: which may stand where, and whether Slack would take them."""

from collections.abc import Iterator
from typing import Any

from bot.workspace import limits
from bot.workspace.options import check_offers, check_option
from bot.workspace.sentences import BOTH, PLAIN, Problem, extra, flags, mismatch, missing, text, too_long, unsupported

SELECTS = frozenset(("static_select", "external_select", "users_select", "conversations_select", "channels_select"))
MULTI = frozenset(f"multi_{kind}" for kind in SELECTS)
CHOICES = frozenset(("checkboxes", "radio_buttons"))
PICKERS = frozenset(("datepicker", "timepicker", "datetimepicker"))
WRITTEN = frozenset(
    ("plain_text_input", "rich_text_input", "number_input", "email_text_input", "url_text_input", "file_input")
)
IN_ACTIONS = SELECTS | CHOICES | PICKERS | {"button", "overflow", "workflow_button"}
IN_SECTIONS = (IN_ACTIONS | MULTI | {"image"}) - {"datetimepicker"}
IN_INPUTS = SELECTS | MULTI | CHOICES | PICKERS | WRITTEN

KEYS = {
    "button": "text action_id url value style confirm accessibility_label agent_prompt visible_to_user_ids",
    "overflow": "action_id options confirm",
    "static_select": "action_id placeholder options option_groups initial_option confirm focus_on_load",
    "external_select": "action_id placeholder initial_option min_query_length confirm focus_on_load",
    "checkboxes": "action_id options initial_options confirm focus_on_load",
    "radio_buttons": "action_id options initial_option confirm focus_on_load",
    "plain_text_input": "action_id placeholder initial_value multiline min_length max_length dispatch_action_config"
    " focus_on_load",
}
OFFERING = frozenset(("static_select", "multi_static_select", "overflow", "checkboxes", "radio_buttons"))


def element(found: Any, at: str, kinds: frozenset[str]) -> Iterator[Problem]:
    """An element of one of the kinds that may stand here."""
    if not isinstance(found, dict) or "type" not in found:
        yield mismatch(at)
        return
    kind = found["type"]
    if not isinstance(kind, str) or kind not in kinds:
        yield unsupported(kind, at)
        return
    yield from too_long(found.get("action_id"), limits.ID, f"{at}/action_id")
    if kind in KEYS:
        yield from extra(found, KEYS[kind], at)
    yield from _own(found, kind, at)
    if "placeholder" in found:
        yield from text(found["placeholder"], f"{at}/placeholder", limits.PLACEHOLDER, PLAIN)
    if "confirm" in found:
        yield from _confirm(found["confirm"], f"{at}/confirm")
    yield from flags(found, ("focus_on_load", "multiline"), at)


def _own(found: dict[str, Any], kind: str, at: str) -> Iterator[Problem]:
    """What only elements of this kind have."""
    if kind in OFFERING:
        yield from check_offers(found, kind, at)
    match kind:
        case "button":
            yield from _button(found, at)
        case "external_select":
            yield from _external(found, at)
        case "plain_text_input":
            yield from _written(found, at)


def _button(found: dict[str, Any], at: str) -> Iterator[Problem]:
    yield from text(found.get("text"), f"{at}/text", limits.BUTTON, PLAIN)
    yield from too_long(found.get("value"), limits.VALUE, f"{at}/value")
    yield from too_long(found.get("url"), limits.URL, f"{at}/url")
    yield from too_long(found.get("accessibility_label"), limits.ACCESSIBILITY, f"{at}/accessibility_label")
    if "style" in found and found["style"] not in ("primary", "danger"):
        yield mismatch(f"{at}/style")


def _external(found: dict[str, Any], at: str) -> Iterator[Problem]:
    """Its options come later, from the app, which tells selects apart by this id."""
    if not found.get("action_id"):
        yield missing("action_id", at)
    if not _whole(found.get("min_query_length", 0), 0):
        yield mismatch(f"{at}/min_query_length")
    if "initial_option" in found:
        yield from check_option(found["initial_option"], f"{at}/initial_option")


def _written(found: dict[str, Any], at: str) -> Iterator[Problem]:
    yield from too_long(found.get("initial_value"), limits.INPUT_TEXT, f"{at}/initial_value")
    for name, least in (("min_length", 0), ("max_length", 1)):
        if not _whole(found.get(name, least), least, limits.INPUT_TEXT):
            yield mismatch(f"{at}/{name}")
    config = found.get("dispatch_action_config", {})
    told = config.get("trigger_actions_on", []) if isinstance(config, dict) else None
    known = ("on_enter_pressed", "on_character_entered")
    if not isinstance(told, list) or any(one not in known for one in told):
        yield mismatch(f"{at}/dispatch_action_config")


def _whole(value: Any, least: int, most: float = float("inf")) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _confirm(found: Any, at: str) -> Iterator[Problem]:
    if not isinstance(found, dict):
        yield mismatch(at)
        return
    yield from text(found.get("title"), f"{at}/title", limits.CONFIRM_TITLE, PLAIN)
    yield from text(found.get("text"), f"{at}/text", limits.CONFIRM_TEXT, BOTH)
    for name in ("confirm", "deny"):
        yield from text(found.get(name), f"{at}/{name}", limits.CONFIRM_BUTTON, PLAIN)
