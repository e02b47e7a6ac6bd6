"""Telling one person something, by whatever way reaches them: the answer address of what they did, else a note only
they see, else a direct message."""

import asyncio
import logging
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack import limits
from handlers.slack.api import Fault, Trouble, call, counted, proxy_for, retry_after
from handlers.slack.blocks import Message
from pipelines.domain.events import Place
from pipelines.domain.model import Person

log = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
TRIES = 60  # about half an hour: as long as an address for answers lives
REPLY = "response_url"  # what an answer's own address is counted as
_RESULTS = {200: "ok", 429: Trouble.BUSY}
AGAIN = frozenset({Trouble.AWAY, Trouble.BUSY})


class Private:
    def __init__(self, web: AsyncWebClient, session: aiohttp.ClientSession) -> None:
        self._web = web
        self._session = session

    async def tell(self, message: Message, *, to: Person, place: Place) -> bool:
        """True when it reached them; False when there is no way to. Raises Fault when Slack is to be tried again."""
        if place.reply and await self._reply(place.reply, {"replace_original": False, **message.payload}):
            return True
        if to.slack is None:
            return False
        where: dict[str, Any] = {"thread_ts": place.thread} if place.thread else {}
        if place.channel and place.channel.startswith("D"):  # theirs alone already
            return await _went(self._web.chat_postMessage(channel=place.channel, **where, **message.payload))
        if place.channel and not place.channel.startswith("#"):
            posted = self._web.chat_postEphemeral(channel=place.channel, user=to.slack, **where, **message.payload)
            if await _went(posted):
                return True
        return await _went(self._web.chat_postMessage(channel=to.slack, **message.payload))

    async def tell_in_time(self, message: Message, *, to: Person, place: Place, tries: int = TRIES) -> bool:
        """As `tell`, but a Slack that is away is tried again, so often; False when it did not come back, too."""
        wait = FIRST_WAIT
        for _ in range(tries):
            try:
                return await self.tell(message, to=to, place=place)
            except Fault as fault:
                log.info("what %s is to be told has to wait: %s", to.id, fault)
                await asyncio.sleep(max(wait, fault.wait))
                wait = min(wait * 2, LONGEST_WAIT)
        return False

    async def replace(self, reply: str, message: Message) -> None:
        """Put `message` in the place of the private one that was clicked. If that fails, only a button stays."""
        try:
            await self._reply(reply, {"replace_original": True, **message.payload})
        except Fault as fault:
            log.info("a private message keeps its button: %s", fault)

    async def _reply(self, url: str, body: dict[str, Any]) -> bool:
        """False when the address is used up."""
        try:
            async with (
                asyncio.timeout(limits.CALL),
                self._session.post(
                    url,
                    json={"response_type": "ephemeral", **body},
                    proxy=proxy_for(url, self._web.proxy),
                    allow_redirects=False,
                ) as answer,
            ):
                status, headers = answer.status, answer.headers
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            counted(REPLY, Trouble.AWAY)
            raise Fault(error=f"no answer ({type(error).__name__})", trouble=Trouble.AWAY) from None
        counted(REPLY, _RESULTS.get(status, Trouble.AWAY if status >= 500 else Trouble.REFUSED))
        if status == 429:
            raise Fault(error="ratelimited", trouble=Trouble.BUSY, wait=retry_after(headers))
        if status >= 500:
            raise Fault(error=f"HTTP {status}", trouble=Trouble.AWAY)
        return status == 200


async def _went(posted: Any) -> bool:
    try:
        await call(posted)
    except Fault as fault:
        if fault.trouble in AGAIN:
            raise
        log.info("a private message did not go this way: %s", fault)
        return False
    return True
