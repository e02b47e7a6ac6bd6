"""Options of selects, menus, checkboxes and radio buttons: those in a block, and those that an app answers with."""

from collections.abc import Iterator
from typing import Any

from bot.workspace import limits
from bot.workspace.sentences import BOTH, PLAIN, Problem, extra, listed, mismatch, missing, text, too_long

Option = dict[str, Any]

MOST = {"overflow": limits.OVERFLOW, "checkboxes": limits.CHOICES, "radio_buttons": limits.CHOICES}
MARKED_UP = frozenset(("checkboxes", "radio_buttons"))  # the others show their options' words as they are


def check_offers(found: dict[str, Any], kind: str, at: str) -> Iterator[Problem]:
    """The options of an element, or its groups of them, and whether it begins with some of these."""
    most, kinds = MOST.get(kind, limits.OPTIONS), BOTH if kind in MARKED_UP else PLAIN
    if "options" in found and "option_groups" in found:
        yield mismatch(at)
    elif "option_groups" in found:
        yield from _groups(found, at, most, kinds)
    else:
        yield from _options(found, at, most, kinds)
    offered = flat(found)
    for name in (name for name in ("initial_option", "initial_options") if name in found):
        given = found[name] if name == "initial_options" and found[name] else [found[name]]
        if not isinstance(given, list) or any(not _among(one, offered) for one in given):
            yield f"must be one of the provided options [json-pointer:{at}/{name}]"


def check_answer(found: dict[str, Any]) -> list[Problem]:
    """What an app answered a search with: `options` or `option_groups`, within the limits of a select."""
    if ("options" in found) == ("option_groups" in found):
        return [missing("options", "")]
    if "options" in found:
        return list(_options(found, "", limits.OPTIONS, PLAIN, least=0))
    return list(_groups(found, "", limits.OPTIONS, PLAIN, least=0))


def check_option(option: Any, at: str, kinds: tuple[str, ...] = PLAIN) -> Iterator[Problem]:
    if not isinstance(option, dict):
        yield mismatch(at)
        return
    yield from extra(option, "text value description url", at)
    yield from text(option.get("text"), f"{at}/text", limits.OPTION_TEXT, kinds)
    if not isinstance(option.get("value"), str):
        yield missing("value", at)
    yield from too_long(option.get("value"), limits.OPTION_VALUE, f"{at}/value")
    if "description" in option:
        yield from text(option["description"], f"{at}/description", limits.OPTION_DESCRIPTION, kinds)


def flat(found: dict[str, Any]) -> list[Option]:
    """All that is offered, in order, whether in groups or not."""
    groups = found.get("option_groups") or [found]
    inside = [group.get("options") for group in groups if isinstance(group, dict)]
    return [option for options in inside if isinstance(options, list) for option in options]


def _groups(found: dict[str, Any], at: str, most: int, kinds: tuple[str, ...], *, least: int = 1) -> Iterator[Problem]:
    groups, problems = listed(found, "option_groups", at, limits.OPTION_GROUPS, least=least)
    yield from problems
    for i, group in enumerate(groups):
        here = f"{at}/option_groups/{i}"
        if not isinstance(group, dict):
            yield mismatch(here)
            continue
        yield from text(group.get("label"), f"{here}/label", limits.GROUP_LABEL, PLAIN)
        yield from _options(group, here, most, kinds)


def _options(found: dict[str, Any], at: str, most: int, kinds: tuple[str, ...], *, least: int = 1) -> Iterator[Problem]:
    options, problems = listed(found, "options", at, most, least=least)
    yield from problems
    for i, option in enumerate(options):
        yield from check_option(option, f"{at}/options/{i}", kinds)


def _among(given: Any, offered: list[Option]) -> bool:
    """Slack wants the very same option; that `emoji` is written in one place and not in the other does not count."""
    return isinstance(given, dict) and any(_bare(given) == _bare(one) for one in offered if isinstance(one, dict))


def _bare(option: Option) -> dict[str, Any]:
    words = option.get("text")
    bare = {k: v for k, v in words.items() if k != "emoji"} if isinstance(words, dict) else words
    return {"text": bare, "value": option.get("value")}
