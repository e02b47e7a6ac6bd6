"""The edge: what reaches us by HTTP and says it is from Slack is read, measured and checked before anything parses it.

A forged, unsigned, stale or repeated request gets the same answer, whatever is wrong with it. What a request asks for
is Bolt's and `routes`'s business.
"""

import asyncio
import hashlib
import hmac
import logging
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

from handlers.slack import limits
from handlers.slack.dispatch import dispatched
from handlers.slack.shapes import sound

log = logging.getLogger(__name__)

PATH = "/slack/events"
READ_SECONDS = 10.0
CHUNK = 64 * 1024
SIGNATURES_KEPT = 100_000
_TIMESTAMP = re.compile(r"[0-9]{10}", re.ASCII)
_SIGNATURE = re.compile(rb"v0=[0-9a-f]{64}")


class Replays:
    """Signatures that were seen, for ten minutes. Only good signatures get in here, so nobody else can fill it."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._seen: OrderedDict[bytes, float] = OrderedDict()

    def first(self, signature: bytes) -> bool:
        """True for a signature that is new; it is not from now on."""
        now = self._clock()
        while self._seen and (len(self._seen) >= SIGNATURES_KEPT or next(iter(self._seen.values())) <= now):
            self._seen.popitem(last=False)
        key = hashlib.sha256(signature).digest()
        if key in self._seen:
            return False
        self._seen[key] = now + limits.REPLAY_KEPT
        return True

    def forget(self, signature: bytes) -> None:
        """We failed: Slack's own second try in the same second may carry the same signature."""
        self._seen.pop(hashlib.sha256(signature).digest(), None)


class Edge:
    """`POST /slack/events`, in front of Bolt."""

    def __init__(self, secret: str, app: AsyncApp, clock: Callable[[], float] = time.time) -> None:
        self._secret = secret.encode()
        self._app = app
        self._clock = clock
        self._replays = Replays(clock)

    async def receive(self, request: web.Request) -> web.Response:
        timestamp = self._timestamp(request)
        signature = self._signature(request)
        if timestamp is None or signature is None:
            return refused()
        body = await _read(request)
        if body is None:
            return web.json_response({"error": "too large or too slow"}, status=413)
        if not hmac.compare_digest(signature, sign(self._secret, timestamp, body)) or not self._replays.first(
            signature
        ):
            return refused()
        response = await self._pass_on(request, body)
        if response.status >= 500:
            self._replays.forget(signature)
        return response

    def _timestamp(self, request: web.Request) -> str | None:
        found = request.headers.getall("X-Slack-Request-Timestamp", [])
        if len(found) != 1 or not _TIMESTAMP.fullmatch(found[0]):
            return None
        return found[0] if abs(self._clock() - int(found[0])) <= limits.CLOCK_SKEW else None

    def _signature(self, request: web.Request) -> bytes | None:
        found = request.headers.getall("X-Slack-Signature", [])
        signature = found[0].encode("utf-8", "surrogateescape") if len(found) == 1 else b""
        return signature if _SIGNATURE.fullmatch(signature) else None

    async def _pass_on(self, request: web.Request, body: bytes) -> web.Response:
        """Bolt's answer to a request that Slack sent. One that nothing can be made of is a bad request."""
        asked = _parsed(request, body)
        if asked is None or not sound(asked.body):
            log.warning("a signed request of Slack makes no sense")
            return web.json_response({"error": "bad request"}, status=400)
        return await to_aiohttp_response(await dispatched(self._app, asked))


def _parsed(request: web.Request, body: bytes) -> AsyncBoltRequest | None:
    """The request as Bolt reads it, None for what cannot be read."""
    headers: dict[str, str | Sequence[str]] = {name: [value] for name, value in request.headers.items()}
    try:
        return AsyncBoltRequest(body=body.decode(), query=request.query_string, headers=headers)
    except (ValueError, RecursionError, TypeError, AttributeError, KeyError):
        return None


def sign(secret: bytes, timestamp: str, body: bytes) -> bytes:
    """Slack's signature, version 0."""
    return b"v0=" + hmac.new(secret, b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest().encode()


def refused() -> web.Response:
    return web.json_response({"error": "invalid request"}, status=401)


async def _read(request: web.Request) -> bytes | None:
    """The body, None when it is too large or takes too long."""
    if (request.content_length or 0) > limits.BODY_BYTES:
        return None
    body = bytearray()
    try:
        async with asyncio.timeout(READ_SECONDS):
            while chunk := await request.content.read(CHUNK):
                body += chunk
                if len(body) > limits.BODY_BYTES:
                    return None
    except (TimeoutError, ConnectionError, ValueError, web.HTTPException):
        return None
    return bytes(body)
