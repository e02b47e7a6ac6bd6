"""Socket Mode, Slack's side: tickets, up to ten connections, envelopes to any of them, repeats for want of an ack."""

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from bot.workspace.limits import ACK_SECONDS, CONNECTIONS, REDELIVERY_SECONDS, TICKET_SECONDS
from bot.workspace.payloads import Delivery
from bot.workspace.wire import Answer

REPEATS = 3
HELLO_SECONDS = 18_060
TICKETS = 100
CLOSE_SECONDS = 1.0
HOST = {"host": "local-1"}


@dataclass
class Sockets:
    """`told` when the number of connections changes; `later` keeps work going; `note`: delivery, attempt, acked;
    `repeats`: how often what was not acknowledged is sent again."""

    app_id: str
    told: Callable[[], None]
    later: Callable[[Coroutine[Any, Any, Any]], None]
    note: Callable[[Delivery, int, bool], None]
    pace: float = 1.0
    repeats: int = REPEATS
    connections: list[web.WebSocketResponse] = field(default_factory=list)
    _tickets: dict[str, float] = field(default_factory=dict)
    _waiting: dict[str, asyncio.Future[Answer]] = field(default_factory=dict)
    _turn: int = 0

    def ticket(self) -> str:
        ticket = secrets.token_hex(16)
        self._tickets[ticket] = time.monotonic() + TICKET_SECONDS
        for old in list(self._tickets)[:-TICKETS]:
            del self._tickets[old]
        return ticket

    async def stop(self) -> None:
        await asyncio.gather(*(connection.close() for connection in list(self.connections)))

    async def deliver(self, delivery: Delivery, attempt: int = 0) -> Answer | None:
        """What the acknowledgement carried; None when there was none in time."""
        envelope = secrets.token_hex(8)
        acked: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[envelope] = acked
        sent = await self._send(envelope, delivery, attempt)
        if sent:
            await asyncio.wait({acked}, timeout=ACK_SECONDS * self.pace)
        self.note(delivery, attempt, acked.done())
        if acked.done():
            del self._waiting[envelope]
            return acked.result()
        if delivery.repeated and (sent or delivery.kind == "events_api"):
            self.later(self._again(envelope, delivery, acked))
        else:  # nobody is connected, or nobody waits any more: the person is told at once, and tries again
            del self._waiting[envelope]
        return None

    async def _again(self, envelope: str, delivery: Delivery, acked: asyncio.Future[Answer]) -> None:
        wait = (REDELIVERY_SECONDS - ACK_SECONDS) * self.pace
        try:
            for attempt in range(1, self.repeats + 1):
                await asyncio.wait({acked}, timeout=wait)
                if acked.done():
                    return
                await self._send(envelope, delivery, attempt)
                wait = REDELIVERY_SECONDS * self.pace
                await asyncio.wait({acked}, timeout=wait / 2)
                self.note(delivery, attempt, acked.done())
        finally:
            self._waiting.pop(envelope, None)

    async def _send(self, envelope: str, delivery: Delivery, attempt: int) -> bool:
        connection = self._next()
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

    def _next(self) -> web.WebSocketResponse | None:
        """Any one of the connections gets the next envelope: here each in its turn."""
        live = [connection for connection in self.connections if not connection.closed]
        self._turn += 1
        return live[self._turn % len(live)] if live else None

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """The app opens a connection with a ticket, which is good for once."""
        until = self._tickets.pop(request.query.get("ticket", ""), 0.0)
        if time.monotonic() > until:
            return web.Response(status=401, text="This ticket was used already, is too old, or was never given.")
        if len(self.connections) >= CONNECTIONS:
            return web.Response(status=429, text="too_many_websockets")
        connection = web.WebSocketResponse(heartbeat=20, timeout=CLOSE_SECONDS)
        await connection.prepare(request)
        self.connections.append(connection)
        try:
            await connection.send_json(self._hello())
            self.told()
            async for frame in connection:
                if frame.type is aiohttp.WSMsgType.TEXT:
                    self._acknowledged(frame.data)
        finally:
            self.connections.remove(connection)
            self.told()
        return connection

    def _hello(self) -> dict[str, Any]:
        return {
            "type": "hello",
            "num_connections": len(self.connections),
            "debug_info": {**HOST, "build_number": 1, "approximate_connection_time": HELLO_SECONDS},
            "connection_info": {"app_id": self.app_id},
        }

    def _acknowledged(self, text: str) -> None:
        try:
            answer = json.loads(text)
            waiting = self._waiting.get(answer["envelope_id"])
            carried = answer.get("payload") or {}
        except (ValueError, KeyError, TypeError, AttributeError):
            return
        if waiting is not None and not waiting.done():
            waiting.set_result(carried if isinstance(carried, dict) else {"text": str(carried)})

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ask the app to connect anew, and close; `warning` only warns."""
        for connection in list(self.connections):
            await connection.send_json({"type": "disconnect", "reason": reason, "debug_info": HOST})
            if reason != "warning":
                await connection.close()
