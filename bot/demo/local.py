"""Small web servers on loopback for the demo's control addresses. What they answer is not known here."""

import socket
from collections.abc import Awaitable, Callable

from aiohttp import web

LOOPBACK = "127.0.0.1"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def from_here_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses what a page in a browser might send: a foreign Origin, or a name that only resolves to this machine."""
    if request.url.host != LOOPBACK or "Origin" in request.headers:
        raise web.HTTPForbidden(text="This address serves the demo's own scripts, not browsers.\n")
    return await handler(request)


async def serve(app: web.Application, listener: socket.socket, *, shutdown: float = 1.0) -> web.AppRunner:
    """Serves on a bound socket until the runner's `cleanup`, which gives requests in flight `shutdown` seconds."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=shutdown)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    return runner
