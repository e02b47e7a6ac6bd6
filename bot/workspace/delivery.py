"""Delivering to the app, by Socket Mode or by signed HTTP: whichever the seed names. Every delivery is logged."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from bot.workspace.http_delivery import HttpDelivery, encoded, signature
from bot.workspace.payloads import Delivery
from bot.workspace.seed import App
from bot.workspace.sockets import Sockets
from bot.workspace.wire import Answer

__all__ = ["Deliverer", "Delivery", "encoded", "signature"]

LOGGED = 10_000


class Deliverer:
    """`pace` scales the waits for acknowledgements and between repeats; 1 is as Slack does it."""

    def __init__(self, app: App, on_connections: Callable[[], None], pace: float = 1.0) -> None:
        self.app = app
        self.log: deque[dict[str, Any]] = deque(maxlen=LOGGED)
        self.sockets = Sockets(app_id=app.id, told=on_connections, later=self.later, note=self._note, pace=pace)
        self.http = HttpDelivery(app, later=self.later, note=self._note, pace=pace)
        self._tasks: set[asyncio.Task[Any]] = set()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.sockets.stop()
        await self.http.stop()

    def later(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def deliver(self, delivery: Delivery, attempt: int = 0) -> Answer | None:
        """What the acknowledgement carried, {} for nothing; None when none came in time. What was not acknowledged is
        delivered again, later, as Slack would. `attempt`: as a repeat of that number."""
        if self.app.request_url is not None:
            return await self.http.deliver(delivery, attempt)
        return await self.sockets.deliver(delivery, attempt)

    def _note(self, delivery: Delivery, attempt: int, acked: bool) -> None:
        at = time.monotonic()
        self.log.append(
            {"kind": delivery.kind, "attempt": attempt, "acked": acked, "at": at, "payload": delivery.payload}
        )
