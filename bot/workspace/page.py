"""The page's side: one WebSocket a browser tab, the state once, then every change as it happens."""

import json
from collections.abc import Callable
from typing import Any

import aiohttp
from aiohttp import web

from bot.workspace.modals import Modals
from bot.workspace.page_acts import UNKNOWN, PageActs
from bot.workspace.page_state import PageState
from bot.workspace.people import People
from bot.workspace.seed import Seed
from bot.workspace.state import Message, State
from bot.workspace.tabs import Tab


class Page:
    def __init__(self, seed: Seed, state: State, modals: Modals, *, connections: Callable[[], int]) -> None:
        self._seed = seed
        self._state = state
        self._told = PageState(seed, state, modals, connections)
        self._people: People
        self._acts: PageActs
        self.tabs: list[Tab] = []

    def serves(self, people: People) -> None:
        """Who acts through it."""
        self._people = people
        self._acts = PageActs(self._state, people, self._shared)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=30, max_msg_size=256 * 1024, timeout=1.0)
        await socket.prepare(request)
        tab = Tab(socket, self._seed.users[0])
        self.tabs.append(tab)
        try:
            async for frame in socket:
                if frame.type is aiohttp.WSMsgType.TEXT:
                    self._take(tab, frame.data)
        finally:
            self.tabs.remove(tab)
            await tab.close()
        return socket

    async def stop(self) -> None:
        for tab in list(self.tabs):
            await tab.close()

    def _take(self, tab: Tab, text: str) -> None:
        deliverer = self._people.deliverer
        try:
            said = json.loads(text)
            match said["op"]:
                case "hello":
                    tab.user = self._state.user(said.get("user")) or tab.user
                    tab.tell(self._told.whole(tab.user))
                case "debug" if said.get("do") == "disconnect":
                    deliverer.later(deliverer.sockets.disconnect())
                case op if op in self._acts.known:
                    deliverer.later(self._acts.do(tab, said))
                case other:
                    raise KeyError(other)
        except (ValueError, KeyError, TypeError):
            tab.tell({"op": "error", "text": UNKNOWN})

    def changed(self, channel: str, message: Message, user: str | None) -> None:
        place = self._state.channel(channel)
        for tab in self.tabs:
            if user not in (None, tab.user.id) or place is None or not place.has(tab.user):
                continue
            if message.get("_deleted"):
                tab.tell({"op": "deleted", "channel": channel, "ts": message["ts"]})
            else:
                tab.tell({"op": "message", "channel": channel, "message": self._told.message(message, tab.user)})

    def notice(self, told: dict[str, Any]) -> None:
        for tab in self.tabs:
            if tab.user.id == told["user"]:
                tab.tell({"op": "notice", **{name: told[name] for name in ("channel", "thread_ts", "text")}})

    def modal_changed(self, user: str, besides: Tab | None = None) -> None:
        for tab in self.tabs:
            if tab.user.id == user and tab is not besides:
                tab.tell({"op": "modal", "modal": self._told.modal(tab.user)})

    def _shared(self, tab: Tab) -> None:
        """What a tab did itself it knows; the other tabs of that person do not."""
        self.modal_changed(tab.user.id, tab)

    def app_changed(self) -> None:
        for tab in self.tabs:
            tab.tell({"op": "app", **self._told.app()})

    def whole_again(self) -> None:
        """What a tab knows from the beginning is different now."""
        for tab in self.tabs:
            tab.tell(self._told.whole(tab.user))
