"""One person in a modal, for tests: fills in, searches and submits by action ids and by what is read on the page."""

from dataclasses import dataclass
from typing import Any

from bot.workspace import used
from bot.workspace.forms import Forms
from bot.workspace.modals import Shown
from bot.workspace.options import Option, flat
from bot.workspace.seed import User
from bot.workspace.used import Element


@dataclass(frozen=True, kw_only=True)
class PersonAtModal:
    """Of the view that this person sees. Each method returns when the app has answered, or failed to. Raises KeyError
    for an element that is not there, NotThereError when no modal is open."""

    user: User
    forms: Forms

    async def search(self, action_id: str, typed: str) -> list[Option]:
        """Type into a select that the app finds options for: these, as the app answered, out of their groups. Raises
        NoOptionsError when a person would read that nothing could be found, for want of a fit answer."""
        shown = self.forms.seen(self.user)
        place, _ = _element(shown, action_id)
        return flat(await self.forms.search(self.user, shown, place, typed))

    async def pick(self, action_id: str, *options: str) -> bool:
        """Choose an option, by its text or value, in a select, menu or radio buttons; of checkboxes, all that shall be
        ticked. What the app finds must have been searched before. False when the app did not acknowledge it."""
        shown = self.forms.seen(self.user)
        place, element = _element(shown, action_id)
        offered = flat(element) + shown.sheet.answered.get(place, [])
        chosen = [_option(offered, one) for one in options]
        given = chosen if element["type"] == "checkboxes" else next(iter(chosen), None)
        return await self._use(shown, place, given)

    async def fill(self, action_id: str, text: str, *, enter: bool = False) -> bool:
        """Type a text into an input, in place of what is there; `enter`: and press Enter. As `pick`."""
        shown = self.forms.seen(self.user)
        place, _ = _element(shown, action_id)
        typed = await self._use(shown, place, text)
        return await self._use(shown, place, text, enter=True) if enter else typed

    async def press(self, label: str) -> bool:
        """Press the first button whose text begins with `label`. As `pick`."""
        shown = self.forms.seen(self.user)
        place = used.labelled(shown.view, label)
        if place is None:
            raise KeyError(f"no button {label!r} in the modal {shown.view['title']['text']}")
        return await self._use(shown, place)

    async def submit(self) -> dict[str, str]:
        """What is wrong, by block id: what the client itself finds (nothing is sent then), or what the app answered; by
        "" what the modal says over the whole when the app did not answer, or not as it must. {}: the app took it."""
        return await self.forms.submit(self.user, self.forms.seen(self.user))

    async def close(self, *, whole: bool = False) -> None:
        """Press the close button; `whole`: the cross, which ends a stack of views at once."""
        await self.forms.close(self.user, self.forms.seen(self.user), whole=whole)

    async def do_in_modal(self, said: dict[str, Any]) -> dict[str, Any]:
        """The same as JSON: `search` or `fill` (an action id) with `text`, `pick` (an action id) with `option` or
        `options`, `press` (a label), `submit`, `close`, or `modal`: what is seen."""
        if "search" in said:
            return {"options": await self.search(str(said["search"]), str(said.get("text", "")))}
        if "pick" in said:
            options = said.get("options") or [said["option"]]
            return {"acked": await self.pick(str(said["pick"]), *map(str, options))}
        if "fill" in said:
            done = self.fill(str(said["fill"]), str(said["text"]), enter=bool(said.get("enter")))
            return {"acked": await done}
        if "press" in said:
            return {"acked": await self.press(str(said["press"]))}
        if "submit" in said:
            return {"errors": await self.submit()}
        if "close" in said:
            await self.close(whole=bool(said.get("whole")))
            return {}
        if "modal" in said:
            return self._seen()
        raise KeyError("say what to do: channel, or one of search, pick, fill, press, submit, close, modal")

    def _seen(self) -> dict[str, Any]:
        shown = self.forms.modals.top(self.user.id)
        if shown is None:
            return {"modal": None}
        return {"modal": shown.filled(), "errors": shown.errors, "trouble": shown.trouble, "why": shown.why}

    async def _use(self, shown: Shown, place: tuple[str, str], given: Any = None, *, enter: bool = False) -> bool:
        acked = await self.forms.use(self.user, shown, place, given, enter=enter)
        self.forms.modals.changed(self.user.id)
        return acked


def _element(shown: Shown, action_id: str) -> tuple[tuple[str, str], Element]:
    for block_id, element in used.elements(shown.view["blocks"]):
        if element.get("action_id") == action_id:
            return (block_id, action_id), element
    raise KeyError(f"no {action_id} in the modal {shown.view['title']['text']}")


def _option(offered: list[Option], wanted: str) -> Option:
    for option in offered:
        if wanted in (option["text"]["text"], option.get("value")):
            return option
    raise KeyError(f"no option {wanted!r}; there are: {', '.join(one['text']['text'] for one in offered)}")
