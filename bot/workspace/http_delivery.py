"""Delivery by signed HTTP to the app's request URL: three seconds to answer, events again after 0.1 s, 1 min, 5 min."""

import asyncio
import hashlib
import hmac
import json
import logging
import secrets
import time
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlencode

import aiohttp

from bot.workspace.limits import ACK_SECONDS, HTTP_RETRY_SECONDS
from bot.workspace.payloads import TOKEN, Delivery
from bot.workspace.seed import App
from bot.workspace.wire import Answer

log = logging.getLogger(__name__)

ANSWER_BYTES = 256 * 1024


class Refused(Exception):  # noqa: N818 (an outcome of Slack's, named as Slack names it)
    """No acknowledgement. The message is Slack's retry reason; `final` when the app asked for no repeats."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


class HttpDelivery:
    def __init__(
        self,
        app: App,
        *,
        later: Callable[[Coroutine[Any, Any, Any]], None],
        note: Callable[[Delivery, int, bool], None],
        pace: float,
    ) -> None:
        self._app = app
        self._later = later
        self._note = note
        self._pace = pace
        self._session: aiohttp.ClientSession | None = None

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def verify(self) -> bool:
        """`url_verification`, which Slack sends when the address is entered: the app gives the challenge back."""
        challenge = secrets.token_hex(16)
        body = {"token": TOKEN, "challenge": challenge, "type": "url_verification"}
        try:
            answer = await self._post(json.dumps(body).encode(), "application/json", {})
        except Refused:
            return False
        return challenge in (answer.get("challenge"), answer.get("text"))

    async def deliver(self, delivery: Delivery, attempt: int = 0) -> Answer | None:
        """What the acknowledgement carried; None when there was none in time."""
        try:
            answer = await self._post(*encoded(delivery), repeat(attempt, "http_timeout"))
        except Refused as refused:
            self._note(delivery, attempt, False)
            if delivery.kind == "events_api" and not refused.final:
                self._later(self._again(delivery, str(refused)))
            return None
        self._note(delivery, attempt, True)
        return answer

    async def _again(self, delivery: Delivery, reason: str) -> None:
        for number, pause in enumerate(HTTP_RETRY_SECONDS, 1):
            await asyncio.sleep(pause * self._pace)
            try:
                await self._post(*encoded(delivery), repeat(number, reason))
            except Refused as refused:
                self._note(delivery, number, False)
                if refused.final:
                    return
                reason = str(refused)
            else:
                self._note(delivery, number, True)
                return

    async def _post(self, body: bytes, kind: str, more: dict[str, str]) -> Answer:
        assert self._app.request_url is not None
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ACK_SECONDS * self._pace))
        headers = {"Content-Type": kind, **signed(self._app.signing_secret, body), **more}
        try:
            async with self._session.post(
                self._app.request_url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                if answer.status != 200:
                    raise Refused("http_error", final=answer.headers.get("x-slack-no-retry") == "1")
                return _carried(await answer.content.read(ANSWER_BYTES))
        except TimeoutError:
            raise Refused("http_timeout") from None
        except aiohttp.ClientConnectionError:
            raise Refused("connection_failed") from None
        except aiohttp.ClientError as error:
            log.info("the app did not take a delivery: %s", error)
            raise Refused("unknown_error") from None


def repeat(number: int, reason: str) -> dict[str, str]:
    """The headers of a delivery that comes again, for that reason; none the first time."""
    return {"x-slack-retry-num": str(number), "x-slack-retry-reason": reason} if number else {}


def _carried(raw: bytes) -> Answer:
    text = raw.decode(errors="replace").strip()
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"text": text}


def encoded(delivery: Delivery) -> tuple[bytes, str]:
    """The body of a delivery by HTTP, and its type."""
    match delivery.kind:
        case "slash_commands":
            return urlencode(delivery.payload).encode(), "application/x-www-form-urlencoded"
        case "interactive":
            return urlencode({"payload": json.dumps(delivery.payload)}).encode(), "application/x-www-form-urlencoded"
        case _:
            return json.dumps(delivery.payload).encode(), "application/json"


def signed(secret: str, body: bytes) -> dict[str, str]:
    """The headers that prove a body comes from the workspace, now."""
    timestamp = str(int(time.time()))
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signature(secret, timestamp, body)}


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """https://docs.slack.dev/authentication/verifying-requests-from-slack"""
    return "v0=" + hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
