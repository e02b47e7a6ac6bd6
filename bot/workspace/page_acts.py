"""What people do on the page, as the page says it: with ids, one thing at a time."""

from collections.abc import Callable
from typing import Any

from bot.workspace.people import People
from bot.workspace.searches import NOTHING, NoOptionsError
from bot.workspace.seed import Channel, User
from bot.workspace.state import Message, NotThereError, State
from bot.workspace.tabs import Tab

UNKNOWN = "The page said something that this server does not know. Reload it."


class PageActs:
    """`shared` is told that the modal of a tab's person has changed by what that tab did itself."""

    def __init__(self, state: State, people: People, shared: Callable[[Tab], None]) -> None:
        self._state = state
        self._people = people
        self._shared = shared
        self.known = {
            "send": self._send,
            "click": self._click,
            "search": self._search,
            "use": self._use,
            "submit": self._submit,
            "close": self._close,
        }

    async def do(self, tab: Tab, said: dict[str, Any]) -> None:
        """What cannot be done is said to the tab."""
        try:
            await self.known[said["op"]](tab, said)
        except NotThereError as error:
            tab.tell({"op": "error", "text": str(error)})
        except (KeyError, TypeError, AttributeError):
            tab.tell({"op": "error", "text": UNKNOWN})

    async def _send(self, tab: Tab, said: dict[str, Any]) -> None:
        channel = self._visible(tab.user, str(said["channel"]))
        await self._people.send(tab.user, channel, str(said["text"]), said.get("thread_ts"))

    async def _click(self, tab: Tab, said: dict[str, Any]) -> None:
        channel, message = self._message(tab.user, said)
        await self._people.click(tab.user, channel, message, _place(said), said.get("given"))

    async def _search(self, tab: Tab, said: dict[str, Any]) -> None:
        """Each search has a number, so that the page knows an answer that comes too late."""
        answer: dict[str, Any] = {"op": "options", "number": said["number"]}
        typed = str(said["typed"])
        try:
            if "view" in said:
                shown = self._people.forms.seen(tab.user, str(said["view"]))
                answer |= await self._people.forms.search(tab.user, shown, _place(said), typed)
            else:
                channel, message = self._message(tab.user, said)
                answer |= await self._people.search(tab.user, channel, message, _place(said), typed)
        except NoOptionsError as error:
            answer |= {"trouble": NOTHING, "why": str(error)}
        except NotThereError as error:
            answer["trouble"] = str(error)
        tab.tell(answer)

    async def _use(self, tab: Tab, said: dict[str, Any]) -> None:
        shown = self._people.forms.seen(tab.user, str(said["view"]))
        enter = bool(said.get("enter"))
        await self._people.forms.use(tab.user, shown, _place(said), said.get("given"), enter=enter)
        tab.tell({"op": "used"})
        self._shared(tab)

    async def _submit(self, tab: Tab, said: dict[str, Any]) -> None:
        await self._people.forms.submit(tab.user, self._people.forms.seen(tab.user, str(said["view"])))

    async def _close(self, tab: Tab, said: dict[str, Any]) -> None:
        shown = self._people.forms.seen(tab.user, str(said["view"]))
        await self._people.forms.close(tab.user, shown, whole=bool(said.get("whole")))

    def _visible(self, user: User, given: str) -> Channel:
        channel = self._state.channel(given)
        if channel is None or not channel.has(user):
            raise NotThereError("There is no such channel for you.")
        return channel

    def _message(self, user: User, said: dict[str, Any]) -> tuple[Channel, Message]:
        channel = self._visible(user, str(said["channel"]))
        message = self._people.message(channel, str(said["ts"]), user, ephemeral=bool(said.get("ephemeral")))
        if message is None:
            raise NotThereError("That message is gone.")
        return channel, message


def _place(said: dict[str, Any]) -> tuple[str, str]:
    return str(said["block_id"]), str(said["action_id"])
