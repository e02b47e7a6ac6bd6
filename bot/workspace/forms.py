"""What people do in a modal: fill in, search, press, submit, close; and what an app's answers do to it."""

from dataclasses import dataclass
from typing import Any

from bot.workspace import payloads_of_modals as payloads
from bot.workspace import used
from bot.workspace.delivery import Deliverer
from bot.workspace.input_blocks import unfit
from bot.workspace.modals import Modals, Shown
from bot.workspace.payloads import Delivery
from bot.workspace.searches import Searches
from bot.workspace.seed import Seed, User
from bot.workspace.sheet import FIELDS
from bot.workspace.state import NotThereError
from bot.workspace.triggers import Triggers
from bot.workspace.used import Element
from bot.workspace.views import checked
from bot.workspace.wire import Answer, ApiError

TROUBLE = "We had some trouble connecting. Try again?"
SILENT = "the app did not respond in time"


@dataclass(frozen=True, kw_only=True)
class Forms:
    """Everything raises NotThereError for a view that its person does not see, and for elements it has not."""

    seed: Seed
    modals: Modals
    deliverer: Deliverer
    triggers: Triggers
    searches: Searches

    def seen(self, user: User, view_id: str | None = None) -> Shown:
        """The view that this person sees (with that id, if one is given)."""
        shown = self.modals.top(user.id)
        if shown is None or view_id not in (None, shown.id):
            raise NotThereError("That modal is gone.")
        return shown

    async def use(self, user: User, shown: Shown, place: tuple[str, str], given: Any = None, *, enter: bool) -> bool:
        """Fill in or press the element at `place` (block id, action id); `enter`: the Enter key ended a text. False
        when the app ought to have acknowledged it, and did not."""
        element = used.at(shown.view["blocks"], *place)
        if element is None:
            raise NotThereError("That is not in this modal any more.")
        chosen = self._chosen(shown, element, place[0], given)
        if not _told(shown, element, place[0], enter):
            return True
        described = used.described(element, place[0], chosen)
        trigger = self.triggers.new(user.id, shown.id)
        payload = payloads.action(self.seed, user, shown.filled(), described, trigger=trigger)
        acked = await self.deliverer.deliver(Delivery(kind="interactive", payload=payload))
        if acked is None:
            self._complain(shown, SILENT)
        return acked is not None

    def _chosen(self, shown: Shown, element: Element, block_id: str, given: Any) -> dict[str, Any]:
        if element["type"] in FIELDS:
            shown.errors.pop(block_id, None)
            return shown.sheet.fill(element, block_id, given)
        return used.picked(element, given)

    async def search(self, user: User, shown: Shown, place: tuple[str, str], typed: str) -> dict[str, Any]:
        """As `Searches.ask`."""
        element = used.at(shown.view["blocks"], *place)
        where = payloads.in_view(shown.view)
        return await self.searches.ask(user, typed, element=element, block_id=place[0], where=where, sheet=shown.sheet)

    async def submit(self, user: User, shown: Shown) -> dict[str, str]:
        """Errors by block id; with the id "" what is wrong with the whole. {}: the app took it, or the person left."""
        if not shown.view["submit"]:
            raise NotThereError("There is nothing to submit in this modal.")
        if shown.waiting:
            raise NotThereError("That is on its way already.")
        if lacking := _lacking(shown):
            self._complain(shown, errors=lacking)
            return lacking
        shown.complain()
        shown.waiting = True
        self.modals.changed(user.id)
        trigger = self.triggers.new(user.id, shown.id)
        payload = payloads.submission(self.seed, user, shown.filled(), trigger=trigger)
        answer = await self.deliverer.deliver(Delivery(kind="interactive", payload=payload, answerable=True))
        shown.waiting = False
        if self.modals.find(view_id=shown.id) is None:
            return {}
        return self._answered(shown, answer)

    def _answered(self, shown: Shown, answer: Answer | None) -> dict[str, str]:
        if answer is None:
            return self._complain(shown, SILENT)
        try:
            return self._do(shown, answer)
        except ApiError as error:
            told = error.answer.get("response_metadata", {}).get("messages", [])
            return self._complain(shown, "; ".join([str(error), *told]))

    def _do(self, shown: Shown, answer: Answer) -> dict[str, str]:
        """Raises ApiError for an answer that Slack would not take."""
        match answer.get("response_action"):
            case None if not answer:
                self.modals.close(shown)
            case "errors":
                errors = _judged(shown, answer.get("errors"))
                self._complain(shown, errors=errors)
                return errors
            case "update":
                self.modals.update(shown, checked(answer.get("view")))
            case "push":
                self.modals.push(shown, checked(answer.get("view")))
            case "clear":
                self.modals.clear(shown.user)
            case other:
                raise ApiError(f"this is no answer to a modal: response_action is {other}")
        return {}

    def _complain(self, shown: Shown, why: str = "", errors: dict[str, str] | None = None) -> dict[str, str]:
        shown.complain(TROUBLE if why else "", why, errors)
        self.modals.changed(shown.user)
        return errors or {"": TROUBLE}

    async def close(self, user: User, shown: Shown, *, whole: bool = False) -> None:
        """Go back to the view below, by the button; or leave the whole modal (`whole`), by the cross. The app hears of
        it when the view asks for that: of a whole stack by its first view."""
        whole = whole or bool(shown.view["clear_on_close"])
        gone = self.modals.root(user.id) if whole else shown
        assert gone is not None
        if whole:
            self.modals.clear(user.id)
        else:
            self.modals.close(shown)
        if gone.view["notify_on_close"]:
            payload = payloads.closed(self.seed, user, gone.view, cleared=whole)
            await self.deliverer.deliver(Delivery(kind="interactive", payload=payload))


def _told(shown: Shown, element: Element, block_id: str, enter: bool) -> bool:
    """Whether an app hears of it at once: not of inputs, unless their block says so; of a text when it says so."""
    block = next(one for one in shown.view["blocks"] if one["block_id"] == block_id)
    if block["type"] == "input" and not block.get("dispatch_action"):
        return False
    if element["type"] != "plain_text_input":
        return True
    when = element.get("dispatch_action_config", {}).get("trigger_actions_on") or ["on_enter_pressed"]
    return "on_enter_pressed" in when if enter else "on_character_entered" in when


def _lacking(shown: Shown) -> dict[str, str]:
    found = {}
    for block in shown.view["blocks"]:
        state = shown.sheet.values.get(block["block_id"], {})
        if block["type"] == "input" and block["element"]["type"] in FIELDS:
            problem = unfit(block, state[block["element"]["action_id"]])
            if problem:
                found[block["block_id"]] = problem
    return found


def _judged(shown: Shown, errors: Any) -> dict[str, str]:
    """Errors belong to input blocks of the view. Raises ApiError."""
    inputs = {block["block_id"] for block in shown.view["blocks"] if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors:
        raise ApiError("errors must name at least one block")
    for block, said in errors.items():
        if block not in inputs:
            raise ApiError(f"errors name {block}, which is no input block of this view")
        if not isinstance(said, str) or not said:
            raise ApiError(f"the error of {block} is no text")
    return errors
