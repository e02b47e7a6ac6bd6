"""What is in the workspace: messages, private ones, files, open answer addresses. Kept in one file, so that it goes on
where it was."""

import asyncio
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bot.workspace.files import Files
from bot.workspace.seed import Channel, Seed, User

log = logging.getLogger(__name__)

KEPT_MESSAGES = 2_000
KEPT_EPHEMERALS = 500
KEPT_ANSWERS = 1_000
SAVE_SECONDS = 0.3
NAME = "workspace.json"

# As Slack shows it; what begins with "_" is ours: `_for`, `_channel` (private ones), `_files`, `_edited`, `_broadcast`.
Message = dict[str, Any]


class NotThereError(Exception):
    """What a person reached for is not there (any more). The message is for the person."""


class State:
    """`changed` is told of every message that is new or different: (channel id, message, only for this user)."""

    def __init__(self, seed: Seed, folder: Path | None) -> None:
        self.seed = seed
        self.folder = folder
        self.kept = Kept()
        self.files = Files(folder / "files" if folder else None)
        self.changed: list[Callable[[str, Message, str | None], None]] = []
        self._saving: asyncio.TimerHandle | None = None

    def load(self) -> None:
        """Go on where it was. A file that cannot be read is put aside, and everything begins anew."""
        if self.folder is None or not (self.folder / NAME).exists():
            return
        try:
            found = json.loads((self.folder / NAME).read_text())
            self.kept = Kept(**{name: found[name] for name in Kept.__dataclass_fields__ if name in found})
            self.files.known = found["files"]
        except (ValueError, KeyError, TypeError):
            aside = (self.folder / NAME).rename(self.folder / f"{NAME}.unreadable")
            log.warning("the workspace's state could not be read; it begins anew, and the old file is %s", aside)
            self.kept = Kept()

    def save(self) -> None:
        self._saving = None
        if self.folder is None:
            return
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self.folder / f"{NAME}.new"
        fresh.write_text(json.dumps({**vars(self.kept), "files": self.files.known}))
        fresh.replace(self.folder / NAME)

    def save_soon(self) -> None:
        if self.folder is not None and self._saving is None:
            self._saving = asyncio.get_running_loop().call_later(SAVE_SECONDS, self.save)

    def close(self) -> None:
        """Write what is not written yet, and nothing else: the folder may be another's by now."""
        if self._saving is not None:
            self._saving.cancel()
            self.save()

    def new_ts(self) -> str:
        """A message's name: seconds with six digits, always rising."""
        now = time.time_ns() // 1_000
        self.kept.last_ts = max(now, self.kept.last_ts + 1)
        return f"{self.kept.last_ts // 1_000_000}.{self.kept.last_ts % 1_000_000:06d}"

    def user(self, given: str | None) -> User | None:
        return next((user for user in self.seed.users if given in (user.id, user.name)), None)

    def channels(self) -> list[Channel]:
        """As they began, with the app in those that it joined since."""
        joined = self.kept.joined
        return [replace(one, bot_is_member=True) if one.id in joined else one for one in self.seed.channels]

    def join(self, channel: Channel) -> None:
        """The app comes into a channel."""
        if channel.id not in self.kept.joined:
            self.kept.joined.append(channel.id)
            self.save_soon()

    def channel(self, given: str) -> Channel | None:
        """By id or #name; a direct message by `D` and the user's id, or by the user."""
        name = given.removeprefix("#")
        for channel in self.channels():
            if given == channel.id or name == channel.name:
                return channel
        user = self.user(given[1:]) if given.startswith("D") else self.user(given)
        return Channel(id=f"D{user.id}", name=user.name, private=True, members=(user.id,)) if user else None

    @property
    def ephemerals(self) -> list[Message]:
        return self.kept.ephemerals

    def in_channel(self, channel: str) -> list[Message]:
        return self.kept.messages.setdefault(channel, [])

    def top_level(self, channel: str) -> list[Message]:
        """What a channel itself shows: no replies, but those that were broadcast."""
        return [m for m in self.in_channel(channel) if m.get("thread_ts") in (None, m["ts"]) or m.get("_broadcast")]

    def find(self, channel: str, ts: str) -> Message | None:
        return next((m for m in reversed(self.in_channel(channel)) if m["ts"] == ts), None)

    def find_ephemeral(self, user: str, ts: str) -> Message | None:
        return next((m for m in self.ephemerals if m["ts"] == ts and m["_for"] == user), None)

    def where(self, message: Message) -> str | None:
        """The channel in which a message stands."""
        if "_channel" in message:
            return str(message["_channel"])
        return next((c for c in self.kept.messages if self.find(c, message["ts"]) is not None), None)

    def replies(self, channel: str, ts: str) -> list[Message]:
        """A thread, its root first."""
        return [m for m in self.in_channel(channel) if m.get("thread_ts") == ts or m["ts"] == ts]

    def add(self, channel: str, message: Message) -> Message:
        messages = self.in_channel(channel)
        messages.append(message)
        del messages[:-KEPT_MESSAGES]
        self._count_replies(channel, message.get("thread_ts"))
        self.tell(channel, message)
        return message

    def _count_replies(self, channel: str, parent: str | None) -> None:
        root = self.find(channel, parent) if parent else None
        if root is None:
            return
        count = len(self.replies(channel, root["ts"])) - 1
        if count:
            root |= {"reply_count": count, "thread_ts": parent}
        else:
            root.pop("reply_count", None)
            root.pop("thread_ts", None)
        self.tell(channel, root)

    def whisper(self, channel: str, user: str, message: Message) -> Message:
        """A message for one person's eyes."""
        message |= {"_for": user, "_channel": channel}
        self.ephemerals.append(message)
        del self.ephemerals[:-KEPT_EPHEMERALS]
        self.tell(channel, message, user)
        return message

    def tell(self, channel: str, message: Message, user: str | None = None) -> None:
        self.save_soon()
        for listener in self.changed:
            listener(channel, message, user)

    def remove(self, channel: str, message: Message) -> None:
        gone = {"ts": message["ts"], "_deleted": True}
        if "_for" in message:
            self.ephemerals.remove(message)
            self.tell(channel, gone, message["_for"])
            return
        self.in_channel(channel).remove(message)
        if message.get("thread_ts") not in (None, message["ts"]):
            self._count_replies(channel, message["thread_ts"])
        self.tell(channel, gone)


@dataclass
class Kept:
    """What the file holds. `last_ts` in microseconds; `answers`: open response_urls by their keys."""

    messages: dict[str, list[Message]] = field(default_factory=dict)
    ephemerals: list[Message] = field(default_factory=list)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    joined: list[str] = field(default_factory=list)
    last_ts: int = 0
