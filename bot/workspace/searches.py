"""Selects whose options an app finds as a person types: asked for, and judged as Slack does, which shows no reasons."""

from dataclasses import dataclass
from typing import Any

from bot.workspace import payloads_of_modals
from bot.workspace.delivery import Deliverer
from bot.workspace.limits import MIN_QUERY
from bot.workspace.options import check_answer, flat
from bot.workspace.payloads import Delivery
from bot.workspace.seed import Seed, User
from bot.workspace.sheet import Sheet
from bot.workspace.state import NotThereError
from bot.workspace.used import Element
from bot.workspace.views import dressed

NOTHING = "Nothing could be found"


class NoOptionsError(Exception):
    """The app did not answer, or not as it must: a person sees Slack's NOTHING. The message says what was wrong."""


@dataclass(frozen=True, kw_only=True)
class Searches:
    seed: Seed
    deliverer: Deliverer

    async def ask(
        self, user: User, typed: str, *, element: Element | None, block_id: str, where: dict[str, Any], sheet: Sheet
    ) -> dict[str, Any]:
        """`options` or `option_groups` as the app answered; the sheet takes only these from now on. `where`: what the
        payload says of the place. Raises NotThereError for what cannot be searched, or not with so few characters;
        NoOptionsError."""
        if element is None or element["type"] != "external_select":
            raise NotThereError("There is nothing to search here.")
        least = element.get("min_query_length", MIN_QUERY)
        if len(typed) < least:
            raise NotThereError(f"This searches from {least} characters on.")
        place = block_id, str(element["action_id"])
        payload = payloads_of_modals.suggestion(self.seed, user, place, typed, where)
        found = _judged(await self.deliverer.deliver(Delivery(kind="interactive", payload=payload, answerable=True)))
        sheet.answered[place] = flat(found)
        return found


def _judged(answer: dict[str, Any] | None) -> dict[str, Any]:
    if answer is None:
        raise NoOptionsError("the app did not respond in time")
    if problems := check_answer(answer):
        raise NoOptionsError("; ".join(problems[:3]))
    return {name: dressed(answer[name]) for name in ("options", "option_groups") if name in answer}
