"""Socket Mode: the connection that we open, on which Slack delivers. Kept open, and everything on it acknowledged."""

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.adapter.socket_mode.internals import build_headers
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.api import Fault, Trouble, call, proxy_for, refused
from handlers.slack.dispatch import dispatched
from handlers.slack.shapes import sound
from pipelines.shipmate import noted

log = logging.getLogger(__name__)

PING_SECONDS = 3.0  # a connection that died without a word is noticed within three of these
WATCH_SECONDS = 2.0
LOOKS = 3  # in a row without a connection, before it is told: Slack ends each connection now and then, for a new one
CLOSE_SECONDS = 3.0


class Handler(AsyncSocketModeHandler):
    """Bolt's own, but what nobody handles is acknowledged too: else Slack delivers it again and again."""

    async def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override]
        """Never raises: an acknowledgement that does not go leaves Slack to deliver it again."""
        try:
            await self._handle(client, req)
        except (aiohttp.ClientError, OSError) as error:
            log.info("a delivery was not acknowledged, for the connection is gone (%s)", type(error).__name__)
        except Exception as error:
            noted(log, "taking a delivery of Slack", error)

    async def _handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:
        start = time.time()
        if not sound(req.payload):
            log.warning("a delivery of type %r makes no sense; it is acknowledged", req.type)
            await client.send_socket_mode_response(SocketModeResponse(envelope_id=req.envelope_id))
            return
        request = AsyncBoltRequest(mode="socket_mode", body=req.payload, headers=build_headers(req))
        await send_async_response(client, req, await dispatched(self.app, request), start)


@dataclass(frozen=True, kw_only=True)
class Hello:
    """How many connections the app token had when ours was made, ours included."""

    connections: int
    at: datetime


class Socket:
    """`hello` is what Slack said when it was connected last."""

    def __init__(self, app: AsyncApp, app_token: str, web: AsyncWebClient) -> None:
        self._app = app
        self._app_token = app_token
        self._web = web
        self.hello: Hello | None = None
        self._handler: Handler | None = None
        self._fault: Fault | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Connect in the background; a Slack that is away is tried again until `stop`."""
        self._handler = Handler(
            self._app, self._app_token, logger=_silent(), web_client=self._web, ping_interval=PING_SECONDS
        )
        client = self._handler.client
        client.issue_new_wss_url = self._address  # type: ignore[method-assign]
        client.proxy = proxy_for(self._web.base_url, client.proxy)
        client.message_listeners.append(self._notice)
        self._tasks = [asyncio.create_task(_connect(client)), asyncio.create_task(self._watch(client))]

    async def _notice(self, _client: Any, message: dict[str, Any], _raw: str | None = None) -> None:
        """Two bots with one app token share what Slack delivers, at random. Slack counts them when one connects."""
        if message.get("type") != "hello":
            return
        self.hello = Hello(connections=int(message.get("num_connections") or 1), at=datetime.now(UTC))
        if self.hello.connections > 1:
            log.warning("another bot is connected with this app token: each command reaches one of them, at random")

    async def _address(self) -> str:
        """Where to connect. Raises Fault: the client tries again."""
        try:
            answer = await call(self._web.apps_connections_open(app_token=self._app_token))
        except Fault as fault:
            self._fault = fault
            await asyncio.sleep(fault.wait)
            raise
        self._fault = None
        return str(answer["url"])

    async def connected(self) -> bool:
        return self._handler is not None and await self._handler.client.is_connected()

    async def _watch(self, client: SocketModeClient) -> None:
        """The client would try a spent ticket for ever: while there is no connection, it is made to ask for a new
        one. That there is none is told, and that there is one again."""
        looks, told = 0, ""
        while not client.closed:
            await asyncio.sleep(WATCH_SECONDS)
            if await client.is_connected():
                if told:
                    log.warning("Slack is connected again")
                looks, told = 0, ""
                continue
            client.wss_uri = None
            looks += 1
            why = self._why() if looks >= LOOKS else ""
            if why and why != told:
                log.warning(why)
                told = why

    def _why(self) -> str:
        """Why there is no connection; empty where the client that calls has told it already."""
        if self._fault is None:
            return "there is no connection to Slack, which is tried again; deploys go on, messages come when there is"
        if self._fault.trouble is Trouble.AWAY:
            return ""
        return refused("SLACK_APP_TOKEN", self._fault)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._handler is not None:
            with contextlib.suppress(TimeoutError, OSError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._handler.client.close()  # type: ignore[no-untyped-call]


def _silent() -> logging.Logger:
    """The client's logger. It would tell each try with a traceback; what there is to tell is told here."""
    logger = logging.getLogger("handlers.slack.sdk.socket")
    logger.setLevel(logging.CRITICAL)
    return logger


async def _connect(client: SocketModeClient) -> None:
    await client.connect()  # type: ignore[no-untyped-call]
