"""The page's side: one WebSocket a browser tab, state once, then every change as it happens."""

import contextlib
import json
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from bot.workspace.people import People
from bot.workspace.seed import Channel, Seed, User
from bot.workspace.state import Message, State

SHOWN = 200


@dataclass
class Tab:
    socket: web.WebSocketResponse
    user: User


@dataclass
class Page:
    seed: Seed
    state: State
    people: People
    connections: Any
    tabs: list[Tab] = field(default_factory=list)
    tasks: set[Any] = field(default_factory=set)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=30, max_msg_size=256 * 1024)
        await socket.prepare(request)
        tab = Tab(socket=socket, user=self.seed.users[0])
        self.tabs.append(tab)
        try:
            async for frame in socket:
                if frame.type is aiohttp.WSMsgType.TEXT:
                    await self._take(tab, frame.data)
        finally:
            self.tabs.remove(tab)
        return socket

    async def _take(self, tab: Tab, text: str) -> None:
        try:
            said = json.loads(text)
            match said["op"]:
                case "hello":
                    tab.user = self.state.user(said.get("user")) or tab.user
                    await tab.socket.send_json(self._state(tab.user))
                case "send":
                    channel = self._visible(tab.user, str(said["channel"]))
                    self._later(self.people.send(tab.user, channel, str(said["text"]), said.get("thread_ts")))
                case "click":
                    self._later(self._click(tab, said))
                case "debug":
                    await self.people.deliverer.disconnect()
                case other:
                    raise KeyError(f"no operation {other}")
        except (ValueError, KeyError, TypeError) as error:
            await tab.socket.send_json({"op": "error", "text": f"That did not work: {error}"})

    async def _click(self, tab: Tab, said: dict[str, Any]) -> None:
        channel = self._visible(tab.user, str(said["channel"]))
        message = self.people.message(channel, str(said["ts"]), tab.user, ephemeral=bool(said.get("ephemeral")))
        if message is None:
            await tab.socket.send_json({"op": "error", "text": "That message is gone."})
            return
        try:
            await self.people.click(tab.user, channel, message, str(said["block_id"]), str(said["action_id"]))
        except KeyError:
            await tab.socket.send_json({"op": "error", "text": "That button is gone."})

    def _later(self, work: Any) -> None:
        self.people.deliverer.later(work)

    def _visible(self, user: User, given: str) -> Channel:
        channel = self.state.channel(given)
        if channel is None or (channel.id.startswith("D") and channel.id != f"D{user.id}"):
            raise KeyError(f"no channel {given}")
        return channel

    def _state(self, me: User) -> dict[str, Any]:
        app = self.seed.app
        mine = Channel(id=f"D{me.id}", name=app.name, private=True)
        channels = [*self.seed.channels, mine]
        bot = {"id": app.bot_user, "name": app.name, "real_name": app.name, "kind": "bot", "color": "0369a1"}
        users = [
            {"id": u.id, "name": u.name, "real_name": u.real_name, "kind": u.kind, "color": f"#{u.color}"}
            for u in self.seed.users
            if u.kind != "deleted"
        ]
        return {
            "op": "state",
            "team": {"id": self.seed.team_id, "name": self.seed.team_name},
            "me": me.id,
            "users": [*users, {**bot, "color": "#0369a1"}],
            "channels": [
                {
                    "id": c.id,
                    "name": c.name,
                    "is_private": c.private,
                    "is_im": c.id.startswith("D"),
                    "is_member_bot": c.bot_is_member,
                }
                for c in channels
            ],
            "commands": [
                {"command": c.name, "usage_hint": c.usage, "description": c.description} for c in app.commands
            ],
            "messages": {c.id: self._messages(c.id, me) for c in channels},
            "app": self._app(),
        }

    def _app(self) -> dict[str, Any]:
        number = self.connections()
        http = self.seed.app.request_url is not None
        return {"connected": http or number > 0, "mode": "http" if http else "socket", "connections": number}

    def _messages(self, channel: str, me: User) -> list[dict[str, Any]]:
        mine = [m for m in self.state.ephemerals if m["_for"] == me.id and m["_channel"] == channel]
        all_of = sorted([*self.state.in_channel(channel)[-SHOWN:], *mine], key=lambda m: float(m["ts"]))
        return [self.shown(m, me) for m in all_of]

    def shown(self, message: Message, me: User) -> dict[str, Any]:
        found = {
            "ts": message["ts"],
            "user": message.get("user", ""),
            "bot": "bot_id" in message,
            "text": message.get("text", ""),
            "edited": bool(message.get("_edited")),
            "ephemeral": "_for" in message,
            "broadcast": bool(message.get("_broadcast")),
            "mentions_me": f"<@{me.id}>" in message.get("text", ""),
        }
        for name in ("blocks", "thread_ts", "reply_count"):
            if message.get(name):
                found[name] = message[name]
        if message.get("_files"):
            found["files"] = self.state.shown_files(message["_files"])
        return found

    def changed(self, channel: str, message: Message, user: str | None) -> None:
        for tab in self.tabs:
            if user is not None and tab.user.id != user:
                continue
            if channel.startswith("D") and channel != f"D{tab.user.id}":
                continue
            if message.get("_deleted"):
                self._send(tab, {"op": "deleted", "channel": channel, "ts": message["ts"]})
            else:
                self._send(tab, {"op": "message", "channel": channel, "message": self.shown(message, tab.user)})

    def notice(self, told: dict[str, Any]) -> None:
        for tab in self.tabs:
            if tab.user.id == told["user"]:
                self._send(tab, {"op": "notice", **{k: told[k] for k in ("channel", "thread_ts", "text")}})

    def app_changed(self) -> None:
        for tab in self.tabs:
            self._send(tab, {"op": "app", **self._app()})

    def _send(self, tab: Tab, what: dict[str, Any]) -> None:
        async def send() -> None:
            with contextlib.suppress(ConnectionError, RuntimeError):
                await tab.socket.send_json(what)

        self._later(send())
