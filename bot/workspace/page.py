"""The page's side: one WebSocket a browser tab, the state once, then every change as it happens."""

import json
from collections.abc import Callable
from typing import Any

import aiohttp
from aiohttp import web

from bot.workspace.people import NotThereError, People
from bot.workspace.seed import Channel, Seed, User
from bot.workspace.state import Message, State
from bot.workspace.tabs import Tab

SHOWN = 200
APP_COLOR = "0369a1"
COPIED = ("blocks", "thread_ts", "reply_count", "username")


class Page:
    def __init__(
        self,
        seed: Seed,
        state: State,
        *,
        connections: Callable[[], int],
    ) -> None:
        self._seed = seed
        self._state = state
        self._connections = connections
        self.people: People
        self.tabs: list[Tab] = []

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
        try:
            said = json.loads(text)
            match said["op"]:
                case "hello":
                    tab.user = self._state.user(said.get("user")) or tab.user
                    tab.tell(self._whole(tab.user))
                case "send" | "click":
                    self.people.deliverer.later(self._do(tab, said))
                case "debug" if said.get("do") == "disconnect":
                    self.people.deliverer.later(self.people.deliverer.sockets.disconnect())
                case other:
                    raise KeyError(other)
        except (ValueError, KeyError, TypeError):
            tab.tell({"op": "error", "text": "The page said something that this server does not know. Reload it."})

    async def _do(self, tab: Tab, said: dict[str, Any]) -> None:
        try:
            channel = self._visible(tab.user, str(said["channel"]))
            if said["op"] == "send":
                await self.people.send(tab.user, channel, str(said["text"]), said.get("thread_ts"))
            else:
                await self._click(tab.user, channel, said)
        except NotThereError as error:
            tab.tell({"op": "error", "text": str(error)})
        except (KeyError, TypeError, AttributeError):
            tab.tell({"op": "error", "text": "The page said something that this server does not know. Reload it."})

    async def _click(self, user: User, channel: Channel, said: dict[str, Any]) -> None:
        message = self.people.message(channel, str(said["ts"]), user, ephemeral=bool(said.get("ephemeral")))
        if message is None:
            raise NotThereError("That message is gone.")
        ids = str(said["block_id"]), str(said["action_id"])
        await self.people.click(user, channel, message, ids, said.get("selected_option"))

    def _visible(self, user: User, given: str) -> Channel:
        channel = self._state.channel(given)
        if channel is None or not channel.has(user):
            raise NotThereError("There is no such channel for you.")
        return channel

    def _whole(self, me: User) -> dict[str, Any]:
        app = self._seed.app
        bot = User(id=app.bot_user, name=app.name, real_name=app.name, kind="bot", color=APP_COLOR)
        mine = Channel(id=f"D{me.id}", name=app.name, private=True, members=(me.id,))
        channels = [*(channel for channel in self._state.channels() if channel.has(me)), mine]
        return {
            "op": "state",
            "team": {"id": self._seed.team_id, "name": self._seed.team_name},
            "me": me.id,
            "users": [_user(one) for one in (*self._seed.users, bot) if one.kind != "deleted"],
            "channels": [_channel(one) for one in channels],
            "commands": [
                {"command": one.name, "usage_hint": one.usage, "description": one.description} for one in app.commands
            ],
            "messages": {one.id: self._messages(one.id, me) for one in channels},
            "app": self._app(),
        }

    def _app(self) -> dict[str, Any]:
        number = self._connections()
        http = self._seed.app.request_url is not None
        return {"connected": http or number > 0, "mode": "http" if http else "socket", "connections": number}

    def _messages(self, channel: str, me: User) -> list[dict[str, Any]]:
        """The newest, and the roots of their threads however old."""
        newest = self._state.in_channel(channel)[-SHOWN:]
        there = {m["ts"] for m in newest}
        wanted = {m["thread_ts"] for m in newest if m.get("thread_ts")} - there
        roots = [m for m in self._state.in_channel(channel) if m["ts"] in wanted]
        private = [m for m in self._state.ephemerals if (m["_for"], m["_channel"]) == (me.id, channel)]
        return [self.shown(m, me) for m in sorted([*roots, *newest, *private], key=lambda m: float(m["ts"]))]

    def shown(self, message: Message, me: User) -> dict[str, Any]:
        """A message as the page wants it."""
        text = message.get("text", "")
        found = {
            "ts": message["ts"],
            "user": message.get("user", ""),
            "bot": "bot_id" in message,
            "text": text,
            "edited": bool(message.get("_edited")),
            "ephemeral": "_for" in message,
            "broadcast": bool(message.get("_broadcast")),
            "mentions_me": f"<@{me.id}>" in text or f"<@{me.id}|" in text,
        }
        found |= {name: message[name] for name in COPIED if message.get(name)}
        if message.get("_files"):
            found["files"] = self._state.files.on_the_page(message["_files"])
        return found

    def changed(self, channel: str, message: Message, user: str | None) -> None:
        place = self._state.channel(channel)
        for tab in self.tabs:
            if user not in (None, tab.user.id) or place is None or not place.has(tab.user):
                continue
            if message.get("_deleted"):
                tab.tell({"op": "deleted", "channel": channel, "ts": message["ts"]})
            else:
                tab.tell({"op": "message", "channel": channel, "message": self.shown(message, tab.user)})

    def notice(self, told: dict[str, Any]) -> None:
        for tab in self.tabs:
            if tab.user.id == told["user"]:
                tab.tell({"op": "notice", **{name: told[name] for name in ("channel", "thread_ts", "text")}})

    def app_changed(self) -> None:
        for tab in self.tabs:
            tab.tell({"op": "app", **self._app()})

    def whole_again(self) -> None:
        """What a tab knows from the beginning is different now."""
        for tab in self.tabs:
            tab.tell(self._whole(tab.user))


def _user(user: User) -> dict[str, Any]:
    named = {"id": user.id, "name": user.name, "real_name": user.real_name}
    return {**named, "kind": user.kind, "color": f"#{user.color}"}


def _channel(channel: Channel) -> dict[str, Any]:
    return {
        "id": channel.id,
        "name": channel.name,
        "is_private": channel.private,
        "is_im": channel.direct,
        "is_member_bot": channel.bot_is_member,
    }
