"""What the page is told: the whole at first, and each thing as the page wants it."""

from collections.abc import Callable
from typing import Any

from bot.workspace.modals import Modals
from bot.workspace.seed import Channel, Seed, User
from bot.workspace.state import Message, State

SHOWN = 200
APP_COLOR = "0369a1"
COPIED = ("blocks", "thread_ts", "reply_count", "username")


class PageState:
    def __init__(self, seed: Seed, state: State, modals: Modals, connections: Callable[[], int]) -> None:
        self._seed = seed
        self._state = state
        self._modals = modals
        self._connections = connections

    def whole(self, me: User) -> dict[str, Any]:
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
            "app": self.app(),
            "modal": self.modal(me),
        }

    def app(self) -> dict[str, Any]:
        number = self._connections()
        http = self._seed.app.request_url is not None
        return {"connected": http or number > 0, "mode": "http" if http else "socket", "connections": number}

    def modal(self, me: User) -> dict[str, Any] | None:
        """What this person sees in a modal; `depth`: how many views are in its stack."""
        shown = self._modals.top(me.id)
        if shown is None:
            return None
        return {
            "view": {name: shown.view[name] for name in ("id", "title", "blocks", "submit", "close")},
            "values": shown.sheet.told(),
            "errors": shown.errors,
            "trouble": shown.trouble,
            "why": shown.why,
            "waiting": shown.waiting,
            "depth": self._modals.depth(me.id),
        }

    def _messages(self, channel: str, me: User) -> list[dict[str, Any]]:
        """The newest, and the roots of their threads however old."""
        newest = self._state.in_channel(channel)[-SHOWN:]
        there = {m["ts"] for m in newest}
        wanted = {m["thread_ts"] for m in newest if m.get("thread_ts")} - there
        roots = [m for m in self._state.in_channel(channel) if m["ts"] in wanted]
        private = [m for m in self._state.ephemerals if (m["_for"], m["_channel"]) == (me.id, channel)]
        return [self.message(m, me) for m in sorted([*roots, *newest, *private], key=lambda m: float(m["ts"]))]

    def message(self, message: Message, me: User) -> dict[str, Any]:
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
