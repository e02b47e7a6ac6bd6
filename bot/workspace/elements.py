"""What blocks are made of: texts, buttons, selects, confirm dialogs, rich text. A check yields Slack's complaints."""

from collections.abc import Iterator
from typing import Any

from bot.workspace import limits

Problem = str

RICH = frozenset(("rich_text_section", "rich_text_preformatted", "rich_text_list", "rich_text_quote"))
ELEMENTS = frozenset(
    (
        "button",
        "overflow",
        "static_select",
        "external_select",
        "users_select",
        "conversations_select",
        "channels_select",
        "multi_static_select",
        "multi_external_select",
        "multi_users_select",
        "multi_conversations_select",
        "multi_channels_select",
        "datepicker",
        "timepicker",
        "datetimepicker",
        "checkboxes",
        "radio_buttons",
        "image",
        "workflow_button",
        "icon_button",
        "feedback_buttons",
        "plain_text_input",
        "rich_text_input",
        "number_input",
        "email_text_input",
        "url_text_input",
        "file_input",
    )
)
BUTTON_KEYS = "text action_id url value style confirm accessibility_label agent_prompt visible_to_user_ids"
OFFERING = frozenset(("static_select", "multi_static_select", "overflow", "checkboxes", "radio_buttons"))
MOST_OPTIONS = {"overflow": limits.OVERFLOW, "checkboxes": limits.CHOICES, "radio_buttons": limits.CHOICES}


def missing(name: str, at: str) -> Problem:
    return f"missing required field: {name} [json-pointer:{at}]"


def mismatch(at: str) -> Problem:
    return f"failed to match all allowed schemas [json-pointer:{at}]"


def too_long(value: Any, most: int, at: str) -> Iterator[Problem]:
    if isinstance(value, str) and len(value) > most:
        yield f"must be less than {most + 1} characters [json-pointer:{at}]"


def extra(found: dict[str, Any], known: str, at: str) -> Iterator[Problem]:
    """Slack refuses a property that it does not know."""
    allowed = {"type", "block_id", *known.split()}
    yield from (f"invalid additional property: {name} [json-pointer:{at}]" for name in found if name not in allowed)


def listed(found: dict[str, Any], name: str, at: str, most: int, *, least: int = 1) -> tuple[list[Any], list[Problem]]:
    """A list of so many things, and what is wrong with it."""
    items = found.get(name)
    if not isinstance(items, list):
        return [], [missing(name, at)]
    if len(items) < least:
        return items, [f"must provide at least {least} items [json-pointer:{at}/{name}]"]
    if len(items) > most:
        return items, [f"no more than {most} items allowed [json-pointer:{at}/{name}]"]
    return items, []


def text(found: Any, at: str, most: int, kinds: tuple[str, ...]) -> Iterator[Problem]:
    """A text object of one of the kinds, with 1 to `most` characters."""
    if not isinstance(found, dict) or found.get("type") not in kinds:
        yield mismatch(at)
        return
    yield from extra(found, "text emoji" if found["type"] == "plain_text" else "text verbatim", at)
    words = found.get("text")
    if not isinstance(words, str) or not words:
        yield f"must be more than 0 characters [json-pointer:{at}/text]"
        yield mismatch(at)
    elif len(words) > most:
        yield from too_long(words, most, f"{at}/text")
        yield mismatch(at)


def element(found: Any, at: str) -> Iterator[Problem]:
    if not isinstance(found, dict) or "type" not in found:
        yield mismatch(at)
        return
    kind = found["type"]
    if not isinstance(kind, str) or kind not in ELEMENTS:
        yield f"unsupported type: {kind} [json-pointer:{at}/type]"
        return
    yield from too_long(found.get("action_id"), limits.ID, f"{at}/action_id")
    if kind == "button":
        yield from _button(found, at)
    elif kind in OFFERING:
        yield from _offers(found, at, MOST_OPTIONS.get(kind, limits.OPTIONS))
    if "placeholder" in found:
        yield from text(found["placeholder"], f"{at}/placeholder", limits.PLACEHOLDER, ("plain_text",))
    if "confirm" in found:
        yield from _confirm(found["confirm"], f"{at}/confirm")


def _button(found: dict[str, Any], at: str) -> Iterator[Problem]:
    yield from extra(found, BUTTON_KEYS, at)
    yield from text(found.get("text"), f"{at}/text", limits.BUTTON, ("plain_text",))
    yield from too_long(found.get("value"), limits.VALUE, f"{at}/value")
    yield from too_long(found.get("url"), limits.URL, f"{at}/url")
    yield from too_long(found.get("accessibility_label"), limits.ACCESSIBILITY, f"{at}/accessibility_label")
    if "style" in found and found["style"] not in ("primary", "danger"):
        yield mismatch(f"{at}/style")


def _offers(found: dict[str, Any], at: str, most: int) -> Iterator[Problem]:
    """Options, or groups of them."""
    if "option_groups" not in found:
        yield from _options(found, at, most)
        return
    groups, problems = listed(found, "option_groups", at, limits.OPTION_GROUPS)
    yield from problems
    for i, group in enumerate(groups):
        here = f"{at}/option_groups/{i}"
        if not isinstance(group, dict):
            yield mismatch(here)
            continue
        yield from text(group.get("label"), f"{here}/label", limits.GROUP_LABEL, ("plain_text",))
        yield from _options(group, here, most)


def _options(found: dict[str, Any], at: str, most: int) -> Iterator[Problem]:
    options, problems = listed(found, "options", at, most)
    yield from problems
    for i, option in enumerate(options):
        here = f"{at}/options/{i}"
        if not isinstance(option, dict):
            yield mismatch(here)
            continue
        yield from text(option.get("text"), f"{here}/text", limits.OPTION_TEXT, ("plain_text", "mrkdwn"))
        yield from too_long(option.get("value"), limits.OPTION_VALUE, f"{here}/value")
        if "description" in option:
            most_said = limits.OPTION_DESCRIPTION
            yield from text(option["description"], f"{here}/description", most_said, ("plain_text", "mrkdwn"))


def _confirm(found: Any, at: str) -> Iterator[Problem]:
    if not isinstance(found, dict):
        yield mismatch(at)
        return
    yield from text(found.get("title"), f"{at}/title", limits.CONFIRM_TITLE, ("plain_text",))
    yield from text(found.get("text"), f"{at}/text", limits.CONFIRM_TEXT, ("plain_text", "mrkdwn"))
    for name in ("confirm", "deny"):
        yield from text(found.get(name), f"{at}/{name}", limits.CONFIRM_BUTTON, ("plain_text",))


def rich_text(elements: Any, at: str) -> Iterator[Problem]:
    if not isinstance(elements, list):
        yield missing("elements", at)
        return
    for i, one in enumerate(elements):
        kind = one.get("type") if isinstance(one, dict) else None
        if not isinstance(kind, str) or kind not in RICH:
            yield f"unsupported type: {kind} [json-pointer:{at}/{i}/type]"
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
