"""The page's open tabs: each has a person and a bounded queue, so that a slow browser holds up nobody."""

import asyncio
import contextlib
from typing import Any

from aiohttp import web

from bot.workspace.seed import User

QUEUE = 2_000
SEND_SECONDS = 10.0


class Tab:
    """A tab that falls too far behind is closed; it comes back by itself and gets the whole state."""

    def __init__(self, socket: web.WebSocketResponse, user: User) -> None:
        self.socket = socket
        self.user = user
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(QUEUE)
        self._sender = asyncio.get_running_loop().create_task(self._send())

    def tell(self, what: dict[str, Any]) -> None:
        try:
            self._queue.put_nowait(what)
        except asyncio.QueueFull:
            self._sender.cancel()

    async def _send(self) -> None:
        try:
            while True:
                what = await self._queue.get()
                async with asyncio.timeout(SEND_SECONDS):
                    await self.socket.send_json(what)
        except (TimeoutError, ConnectionError, RuntimeError):
            return
        finally:
            with contextlib.suppress(ConnectionError, RuntimeError):
                await self.socket.close()

    async def close(self) -> None:
        self._sender.cancel()
        await asyncio.gather(self._sender, return_exceptions=True)
