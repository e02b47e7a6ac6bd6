"""Delivering to the app: by Socket Mode to one of its connections, or by signed HTTP.

Who does not acknowledge within three seconds has failed; events and envelopes are then delivered again.
"""

import asyncio
import hashlib
import hmac
import json
import logging
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from bot.workspace.limits import ACK_SECONDS, CONNECTIONS, REDELIVERY_SECONDS
from bot.workspace.seed import App

log = logging.getLogger(__name__)

RETRIES = 3
HELLO_SECONDS = 18_060


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """`kind` is Socket Mode's: slash_commands, interactive or events_api."""

    kind: str
    payload: dict[str, Any]
    answerable: bool = False


@dataclass
class Sockets:
    """The app's open connections, and what waits for an acknowledgement."""

    tickets: set[str] = field(default_factory=set)
    connections: list[web.WebSocketResponse] = field(default_factory=list)
    waiting: dict[str, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)
    turn: int = 0

    def ticket(self) -> str:
        ticket = secrets.token_hex(16)
        self.tickets.add(ticket)
        return ticket

    def next(self) -> web.WebSocketResponse | None:
        """Any one of the connections gets the next envelope."""
        live = [connection for connection in self.connections if not connection.closed]
        if not live:
            return None
        self.turn += 1
        return live[self.turn % len(live)]


class Deliverer:
    def __init__(self, app: App, on_connections: Any) -> None:
        self.app = app
        self.sockets = Sockets()
        self.log: list[dict[str, Any]] = []
        self._told = on_connections
        self._tasks: set[asyncio.Task[Any]] = set()
        self._session: aiohttp.ClientSession | None = None

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection in list(self.sockets.connections):
            await connection.close()
        if self._session is not None:
            await self._session.close()

    def later(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def deliver(self, delivery: Delivery) -> bool:
        """True when it was acknowledged in time. Envelopes and events that were not are delivered again, later."""
        if self.app.request_url is not None:
            return await self._by_http(delivery)
        return await self._by_socket(delivery)

    async def _by_socket(self, delivery: Delivery) -> bool:
        envelope = secrets.token_hex(8)
        acked: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self.sockets.waiting[envelope] = acked
        sent = await self._send(envelope, delivery, 0)
        try:
            await asyncio.wait_for(asyncio.shield(acked), ACK_SECONDS if sent else 0.05)
        except TimeoutError:
            if sent:
                self.later(self._again(envelope, delivery, acked))
            self._note(delivery, envelope, False)
            return False
        self._note(delivery, envelope, True)
        self.sockets.waiting.pop(envelope, None)
        return True

    def _note(self, delivery: Delivery, envelope: str, acked: bool) -> None:
        self.log.append({"kind": delivery.kind, "envelope": envelope, "acked": acked, "at": time.monotonic()})

    async def _again(self, envelope: str, delivery: Delivery, acked: "asyncio.Future[dict[str, Any]]") -> None:
        for attempt in range(1, RETRIES + 1):
            await asyncio.wait(
                {acked}, timeout=REDELIVERY_SECONDS - ACK_SECONDS if attempt == 1 else REDELIVERY_SECONDS
            )
            if acked.done():
                break
            await self._send(envelope, delivery, attempt)
        await asyncio.wait({acked}, timeout=REDELIVERY_SECONDS)
        if acked.done():
            self._note(delivery, envelope, True)
        self.sockets.waiting.pop(envelope, None)

    async def _send(self, envelope: str, delivery: Delivery, attempt: int) -> bool:
        connection = self.sockets.next()
        if connection is None:
            return False
        message: dict[str, Any] = {
            "envelope_id": envelope,
            "payload": delivery.payload,
            "type": delivery.kind,
            "accepts_response_payload": delivery.answerable,
        }
        if delivery.kind == "events_api" or attempt:
            message |= {"retry_attempt": attempt, "retry_reason": "timeout" if attempt else ""}
        try:
            await connection.send_json(message)
        except ConnectionError:
            return False
        return True

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """The app opens a connection with a ticket, which is good for once."""
        ticket = request.query.get("ticket", "")
        if ticket not in self.sockets.tickets:
            return web.Response(status=408 if ticket else 400, text="this ticket was used, or never given")
        self.sockets.tickets.discard(ticket)
        if len(self.sockets.connections) >= CONNECTIONS:
            return web.Response(status=429, text="too_many_websockets")
        connection = web.WebSocketResponse(heartbeat=20, autoping=True)
        await connection.prepare(request)
        self.sockets.connections.append(connection)
        await connection.send_json(self._hello())
        self._told()
        try:
            async for frame in connection:
                if frame.type is aiohttp.WSMsgType.TEXT:
                    self._acknowledged(frame.data)
        finally:
            self.sockets.connections.remove(connection)
            self._told()
        return connection

    def _hello(self) -> dict[str, Any]:
        return {
            "type": "hello",
            "num_connections": len(self.sockets.connections),
            "debug_info": {"host": "local-1", "build_number": 1, "approximate_connection_time": HELLO_SECONDS},
            "connection_info": {"app_id": self.app.id},
        }

    def _acknowledged(self, text: str) -> None:
        try:
            answer = json.loads(text)
            waiting = self.sockets.waiting.get(answer["envelope_id"])
        except (ValueError, KeyError, TypeError):
            return
        if waiting is not None and not waiting.done():
            waiting.set_result(answer.get("payload") or {})

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        for connection in list(self.sockets.connections):
            await connection.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "local-1"}})
            await connection.close()

    async def _by_http(self, delivery: Delivery) -> bool:
        acked = await self._post(delivery, {})
        self._note(delivery, "", acked)
        if not acked and delivery.kind == "events_api":
            self.later(self._post_again(delivery))
        return acked

    async def _post_again(self, delivery: Delivery) -> None:
        for number, pause in ((1, 0.1), (2, 60.0), (3, 300.0)):
            await asyncio.sleep(pause)
            retry = {"x-slack-retry-num": str(number), "x-slack-retry-reason": "http_timeout"}
            if await self._post(delivery, retry):
                return

    async def _post(self, delivery: Delivery, more: dict[str, str]) -> bool:
        assert self.app.request_url is not None
        body, kind = encoded(delivery)
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": kind,
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(self.app.signing_secret, timestamp, body),
            **more,
        }
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ACK_SECONDS))
        try:
            async with self._session.post(self.app.request_url, data=body, headers=headers) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError) as error:
            log.info("the app did not take a delivery: %s", error)
            return False


def encoded(delivery: Delivery) -> tuple[bytes, str]:
    """The body of a delivery by HTTP, and its type."""
    match delivery.kind:
        case "slash_commands":
            return urlencode(delivery.payload).encode(), "application/x-www-form-urlencoded"
        case "interactive":
            return urlencode({"payload": json.dumps(delivery.payload)}).encode(), "application/x-www-form-urlencoded"
        case _:
            return json.dumps(delivery.payload).encode(), "application/json"


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """https://docs.slack.dev/authentication/verifying-requests-from-slack"""
    return "v0=" + hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
