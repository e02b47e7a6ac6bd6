"""Posting, editing, finding and attaching: Slack's calls about our own messages, marked so that we know them again."""

import logging
from collections.abc import Iterator
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.api import Fault, Trouble, call
from handlers.slack.blocks import Message, plainer

log = logging.getLogger(__name__)

EVENT = "shipmate_deploy"
PAGE = 200
PAGES = 3
NOT_NOW = frozenset({Trouble.AWAY, Trouble.BUSY})


def mark(deploy: str, *kinds: str) -> dict[str, Any]:
    """The metadata that says whose message this is."""
    return {"event_type": EVENT, "event_payload": {"deploy": deploy, "kinds": ",".join(kinds)}}


class Sender:
    """All methods raise Fault. What Slack does not take as blocks is sent as its one sentence."""

    def __init__(self, web: AsyncWebClient) -> None:
        self._web = web

    async def post(
        self, channel: str, message: Message, marked: dict[str, Any], *, thread: str = "", broadcast: bool = False
    ) -> tuple[str, str]:
        """Channel and ts of the message that was posted."""
        where: dict[str, Any] = {"thread_ts": thread} if thread else {}
        if broadcast:
            where["reply_broadcast"] = True

        async def send(shown: Message) -> dict[str, Any]:
            posted = self._web.chat_postMessage(
                channel=channel, metadata=marked, unfurl_links=False, unfurl_media=False, **where, **shown.payload
            )
            return await call(posted)

        try:
            answer = await send(message)
        except Fault as fault:
            if fault.trouble is not Trouble.SHAPE:
                raise
            log.error("Slack does not take a message of ours (%s): it goes as one sentence", fault)
            answer = await send(plainer(message))
        return str(answer.get("channel") or channel), str(answer["ts"])

    async def edit(self, channel: str, ts: str, message: Message, marked: dict[str, Any]) -> None:
        try:
            await call(self._web.chat_update(channel=channel, ts=ts, metadata=marked, **message.payload))
        except Fault as fault:
            if fault.trouble is not Trouble.SHAPE:
                raise
            log.error("Slack does not take an edit of ours (%s): it goes as one sentence", fault)
            await call(self._web.chat_update(channel=channel, ts=ts, metadata=marked, **plainer(message).payload))

    async def find(self, channel: str, deploy: str, *, thread: str = "", since: float = 0.0) -> dict[str, str]:
        """The ts of each kind of message of ours that is there, though nobody recorded it. Without the right to look,
        none."""
        found: dict[str, str] = {}
        try:
            for message in await self._messages(channel, thread, since):
                marked = message.get("metadata") or {}
                payload = marked.get("event_payload") or {}
                if marked.get("event_type") == EVENT and payload.get("deploy") == deploy:
                    found |= dict.fromkeys(str(payload.get("kinds", "")).split(","), str(message["ts"]))
        except Fault as fault:
            if fault.trouble in NOT_NOW:
                raise
            log.info("nobody can look what was posted of %s: %s", deploy, fault)
        return found

    async def find_file(self, channel: str, thread: str, name: str) -> str | None:
        """The id of a file of that name in a thread. Without the right to look, None."""
        try:
            for message in await self._messages(channel, thread, 0.0):
                for file in message.get("files") or ():
                    if file.get("name") == name:
                        return str(file.get("id"))
        except Fault as fault:
            if fault.trouble in NOT_NOW:
                raise
        return None

    async def _messages(self, channel: str, thread: str, since: float) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        more: dict[str, Any] = {"oldest": f"{since:.6f}"} if since else {}
        for _ in range(PAGES):
            if thread:
                asked = self._web.conversations_replies(
                    channel=channel, ts=thread, limit=PAGE, include_all_metadata=True, **more
                )
            else:
                asked = self._web.conversations_history(channel=channel, limit=PAGE, include_all_metadata=True, **more)
            answer = await call(asked)
            found += answer.get("messages") or []
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
            more["cursor"] = cursor
        return found

    async def attach(self, channel: str, thread: str, name: str, title: str, content: Iterator[bytes]) -> str:
        """The id of the file that was put into the thread."""
        data = b"".join(content)
        upload = self._web.files_upload_v2(
            channel=channel,
            thread_ts=thread,
            filename=name,
            title=title,
            file=data,
            initial_comment=title,
            request_file_info=False,
        )
        answer = await call(upload)
        files = answer.get("files") or [{}]
        return str(files[0].get("id") or "sent")
