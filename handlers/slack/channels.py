"""Channels: the id behind a name, and whether the bot can post there."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.api import Fault, Trouble, call
from handlers.slack.cache import Cache
from handlers.slack.workspace import Workspace

log = logging.getLogger(__name__)

PAGES = 20
PAGE = 1_000
KEPT = 60.0
ASKED_AGAIN = 3.0  # a name that was not there may be there now


class Channels:
    def __init__(
        self, web: AsyncWebClient, workspace: Workspace, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._web = web
        self._workspace = workspace
        self._clock = clock
        self._rooms: Cache[dict[str, Any] | None] = Cache(self._room, clock=clock)
        self._ids: dict[str, str] = {}
        self._at = float("-inf")
        self._asking = asyncio.Lock()

    async def id_of(self, channel: str) -> str | None:
        """The id of a channel given as `#name` or as an id; None when there is no such channel that we can see.
        Raises Fault."""
        if not channel.startswith("#"):
            return channel
        name = channel.removeprefix("#").lower()
        async with self._asking:  # who asks at the same time waits for one answer
            age = self._clock() - self._at
            if age > KEPT or (name not in self._ids and age > ASKED_AGAIN):
                self._ids = await self._list()
                self._at = self._clock()
        return self._ids.get(name)

    async def _list(self) -> dict[str, str]:
        found: dict[str, str] = {}
        cursor = ""
        for _ in range(PAGES):
            answer = await call(
                self._web.conversations_list(types="public_channel,private_channel", limit=PAGE, cursor=cursor or None)
            )
            found |= {str(one.get("name", "")).lower(): str(one["id"]) for one in answer.get("channels", [])}
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        return found

    async def cannot_post(self, channel: str) -> str | None:
        """The channel's name when a post there would be refused. A Slack that does not answer is no reason to refuse:
        deploys go on without it."""
        try:
            return await self.closed(channel)
        except Fault as fault:
            log.warning("nobody can tell whether %s can be posted in: %s", channel, fault)
            return None

    async def closed(self, channel: str) -> str | None:
        """The channel's name when a post there would be refused. Raises Fault when Slack does not tell."""
        found = await self.id_of(channel)
        if found is None:
            return channel
        room = await self._rooms.get(found)
        closed = channel if room is None else await self._closed(channel, room)
        if closed is not None:
            self._rooms.forget(found)  # somebody may invite us at any moment
        return closed

    def forget(self, channel: str) -> None:
        """A post there was refused: what is known of the channel does not hold any more."""
        self._rooms.forget(self._ids.get(channel.removeprefix("#").lower(), channel))

    async def _room(self, channel: str) -> dict[str, Any] | None:
        """What Slack tells of a channel; None where it tells us nothing."""
        try:
            answer = await call(self._web.conversations_info(channel=channel))
        except Fault as fault:
            if fault.trouble is Trouble.NO_ROOM:
                return None
            raise
        return answer.get("channel") or {}

    async def _closed(self, channel: str, info: dict[str, Any]) -> str | None:
        name = f"#{info['name']}" if info.get("name") else channel
        if info.get("is_archived"):
            return name
        if info.get("is_im") or info.get("is_member"):
            return None
        private = info.get("is_private") or info.get("is_mpim") or info.get("is_group")
        identity = await self._workspace.known()
        public = identity is not None and identity.scopes is not None and "chat:write.public" in identity.scopes
        return None if public and not private else name
