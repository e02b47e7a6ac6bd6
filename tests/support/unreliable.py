"""A wire between a bot and the local workspace that is not to be trusted: it answers 429, 5xx and errors of Slack's,
resets connections before or after Slack did what it was asked, or says nothing."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from bot.workspace.wire import arguments
from tests.support.fates import Fate

HELD = 60.0  # seconds that a call is left without an answer, for who waits so long
DROPPED = ("Content-Length", "Transfer-Encoding", "Content-Encoding", "Date", "Server")


@dataclass
class Unreliable:
    """Serves the workspace's Web API under an address of its own. `fate` decides what becomes of a call, by its method
    and arguments; what is no Fate is an error that Slack answers. `retry_after` is what 429 says; `log` is every call:
    when, on the monotonic clock, its method and its fate."""

    target: str
    fate: Callable[[str, dict[str, Any]], str] = lambda _method, _args: Fate.WELL
    retry_after: Callable[[], str] = lambda: "1"
    url: str = ""
    log: list[tuple[float, str, str]] = field(default_factory=list)
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)
    _runner: web.AppRunner | None = None
    _session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        self._session = aiohttp.ClientSession()
        site = web.Application(client_max_size=64 * 1024 * 1024)
        site.router.add_route("*", "/api/{method}", self._serve)
        self._runner = web.AppRunner(site, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/api/"

    async def stop(self) -> None:
        self._stopped.set()
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        fate = self.fate(method, await arguments(request))
        self.log.append((time.monotonic(), method, fate))
        match fate:
            case Fate.BUSY:
                headers = {"Retry-After": self.retry_after()}
                return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
            case Fate.ILL:
                return web.Response(status=503, text="<html>Slack is not well</html>", content_type="text/html")
            case Fate.UNHEARD:
                return self._reset(request)
            case Fate.SILENT:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopped.wait(), HELD)
                return self._reset(request)
            case Fate.LOST:
                await self._forwarded(request, method)
                return self._reset(request)
            case Fate.WELL:
                return await self._forwarded(request, method)
            case error:
                return web.json_response({"ok": False, "error": error})

    def _reset(self, request: web.Request) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    async def _forwarded(self, request: web.Request, method: str) -> web.Response:
        assert self._session is not None
        headers = {name: value for name, value in request.headers.items() if name not in ("Host", "Content-Length")}
        async with self._session.request(
            request.method,
            f"{self.target}{method}",
            params=request.query,
            headers=headers,
            data=await request.read(),
        ) as answer:
            kept = {name: value for name, value in answer.headers.items() if name not in DROPPED}
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)
