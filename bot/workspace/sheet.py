"""What one person has filled in in one place, a message or a view: `state.values`, as an app is told of it."""

import copy
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from bot.workspace import used
from bot.workspace.options import Option, flat
from bot.workspace.state import NotThereError
from bot.workspace.used import Element

KEPT = 500
Values = dict[str, dict[str, dict[str, Any]]]  # block id -> action id -> {"type": …, "value" or "selected_…": …}

# Where the state of a kind holds what was filled in, and where the element says how it begins.
FIELDS = {
    "plain_text_input": ("value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "checkboxes": ("selected_options", "initial_options"),
}


@dataclass
class Sheet:
    """`answered`: what an app last answered to a search, by block and action id; only that can be chosen then."""

    values: Values = field(default_factory=dict)
    answered: dict[tuple[str, str], list[Option]] = field(default_factory=dict)

    def told(self) -> Values:
        """What is filled in now."""
        return copy.deepcopy(self.values)

    def follow(self, blocks: Any) -> None:
        """The blocks are new, or others than before: an element of the same ids keeps what was filled in, the others
        begin as they say."""
        before, self.values = self.values, {}
        for block_id, element in used.elements(blocks):
            if element.get("type") not in FIELDS:
                continue
            action_id = element.get("action_id", "")
            old = before.get(block_id, {}).get(action_id)
            keeps = old is not None and self._still(element, old)
            self.values.setdefault(block_id, {})[action_id] = old if old and keeps else _beginning(element)

    def _still(self, element: Element, old: dict[str, Any]) -> bool:
        if old["type"] != element["type"]:
            return False
        if element["type"] in ("plain_text_input", "external_select"):
            return True
        name, _ = FIELDS[element["type"]]
        chosen = old[name] if isinstance(old[name], list) else [old[name]]
        return all(one is None or one in flat(element) for one in chosen)

    def fill(self, element: Element, block_id: str, given: Any) -> dict[str, Any]:
        """Fill in an element: a text, an option (or None), or a list of options, these by their `value`. What it holds
        now. Raises NotThereError for an option that it does not offer."""
        name, _ = FIELDS[element["type"]]
        action_id = str(element.get("action_id", ""))
        held: Any
        if name == "value":
            held = str(given) if given else None
        elif name == "selected_option":
            held = None if given is None else self._offered(element, block_id, given)
        else:
            wanted = [self._offered(element, block_id, one) for one in given]
            held = [option for option in flat(element) if option in wanted]
        state = {"type": element["type"], name: held}
        self.values.setdefault(block_id, {})[action_id] = state
        return state

    def _offered(self, element: Element, block_id: str, given: Any) -> Option:
        offered = flat(element) + self.answered.get((block_id, str(element.get("action_id", ""))), [])
        if "initial_option" in element:
            offered.append(element["initial_option"])
        value = given.get("value") if isinstance(given, dict) else None
        for option in offered:
            if option.get("value") == value:
                return option
        raise NotThereError("That option is gone.")


def _beginning(element: Element) -> dict[str, Any]:
    name, initial = FIELDS[element["type"]]
    empty: Any = [] if name == "selected_options" else None
    return {"type": element["type"], name: element.get(initial) or empty}


@dataclass
class Sheets:
    """Those of messages, by person and message; the oldest go when there are too many."""

    kept: OrderedDict[tuple[str, str], Sheet] = field(default_factory=OrderedDict)

    def of(self, user: str, message: dict[str, Any]) -> Sheet:
        sheet = self.kept.setdefault((user, message["ts"]), Sheet())
        self.kept.move_to_end((user, message["ts"]))
        while len(self.kept) > KEPT:
            self.kept.popitem(last=False)
        sheet.follow(message.get("blocks"))
        return sheet
