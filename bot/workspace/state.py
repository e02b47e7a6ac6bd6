"""What is in the workspace: messages, files, direct messages. Kept in one file, so that it goes on where it was."""

import asyncio
import contextlib
import json
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.workspace.seed import Channel, Seed, User

KEPT_MESSAGES = 2_000
SAVE_SECONDS = 0.3

Message = dict[str, Any]


@dataclass
class State:
    """`changed` is told of every message that is new or different: (channel id, message, only for this user)."""

    seed: Seed
    file: Path | None
    messages: dict[str, list[Message]] = field(default_factory=dict)
    ephemerals: list[Message] = field(default_factory=list)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    last_ts: float = 0.0
    changed: list[Callable[[str, Message, str | None], None]] = field(default_factory=list)
    _saving: asyncio.TimerHandle | None = None

    def load(self) -> None:
        if self.file is not None and self.file.exists():
            kept = json.loads(self.file.read_text())
            self.messages, self.files, self.last_ts = kept["messages"], kept["files"], kept["last_ts"]

    def save(self) -> None:
        if self.file is None:
            return
        self._saving = None
        self.file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.file.with_suffix(".new")
        kept = {"messages": self.messages, "files": self.files, "last_ts": self.last_ts}
        fresh.write_text(json.dumps(kept))
        fresh.replace(self.file)

    def _save_soon(self) -> None:
        if self.file is not None and self._saving is None:
            self._saving = asyncio.get_running_loop().call_later(SAVE_SECONDS, self.save)

    def close(self) -> None:
        if self._saving is not None:
            self._saving.cancel()
        self.save()

    def new_ts(self) -> str:
        """A message's name: seconds with six digits, always rising."""
        self.last_ts = max(time.time(), self.last_ts + 0.000_001)
        return f"{self.last_ts:.6f}"

    def user(self, given: str | None) -> User | None:
        return next((user for user in self.seed.users if given in (user.id, user.name)), None)

    def channel(self, given: str) -> Channel | None:
        """By id or #name; a direct message is `D` and the user's id."""
        name = given.removeprefix("#")
        for channel in self.seed.channels:
            if channel.id == given or channel.name == name:
                return channel
        user = self.user(given.removeprefix("D")) if given.startswith("D") else self.user(given)
        return Channel(id=f"D{user.id}", name=user.name, private=True) if user is not None else None

    def in_channel(self, channel: str) -> list[Message]:
        return self.messages.setdefault(channel, [])

    def find(self, channel: str, ts: str) -> Message | None:
        return next((m for m in self.in_channel(channel) if m["ts"] == ts), None)

    def replies(self, channel: str, ts: str) -> list[Message]:
        return [m for m in self.in_channel(channel) if m.get("thread_ts") == ts or m["ts"] == ts]

    def add(self, channel: str, message: Message) -> Message:
        messages = self.in_channel(channel)
        messages.append(message)
        del messages[:-KEPT_MESSAGES]
        parent = message.get("thread_ts")
        if parent and parent != message["ts"] and (root := self.find(channel, parent)) is not None:
            root["reply_count"] = len([m for m in messages if m.get("thread_ts") == parent and m["ts"] != parent])
            root["thread_ts"] = parent
            self.tell(channel, root)
        self.tell(channel, message)
        return message

    def whisper(self, channel: str, user: str, message: Message) -> Message:
        """A message for one person's eyes."""
        message["_for"] = user
        message["_channel"] = channel
        self.ephemerals.append(message)
        del self.ephemerals[:-500]
        self.tell(channel, message, user)
        return message

    def tell(self, channel: str, message: Message, user: str | None = None) -> None:
        self._save_soon()
        for listener in self.changed:
            with contextlib.suppress(Exception):
                listener(channel, message, user)

    def remove(self, channel: str, ts: str) -> None:
        self.messages[channel] = [m for m in self.in_channel(channel) if m["ts"] != ts]
        self.tell(channel, {"ts": ts, "_deleted": True})

    def new_file(self, name: str, size: int) -> str:
        file = f"F{secrets.token_hex(5).upper()}"
        self.files[file] = {"id": file, "name": name, "size": size, "content": ""}
        return file

    def shown_files(self, ids: Iterable[str]) -> list[dict[str, Any]]:
        return [
            {
                "id": f["id"],
                "name": f["name"],
                "size": f["size"],
                "url": f"/files/{f['id']}",
                "preview": "\n".join(f["content"].splitlines()[:5]),
            }
            for f in (self.files[one] for one in ids if one in self.files)
        ]
