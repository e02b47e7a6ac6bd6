"""The router before an environment: the stand-in for a load balancer. One public address, one to give it its table.

Every path and method is passed on, bodies stream both ways, nothing is tried twice: a target's failure is for the
client to see. Each request has its own connection to its target, so that none is left idle to one that goes away.
`PUT /-/table` on the control address answers when the targets it drains are idle. Weights are `table`'s.
"""

import asyncio
import socket
from pathlib import Path

import aiohttp
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from bot.demo.layout import Place, write
from bot.demo.local import LOOPBACK, from_here_only, serve
from bot.demo.table import BadTableError, Balancer, parse, write_out

DRAIN = 30.0  # seconds that a table waits for the requests in flight to its drained targets
TIMES = aiohttp.ClientTimeout(total=None, sock_connect=2.0, sock_read=60.0)
CONNECTIONS = 1000
CHUNK = 64 * 1024
# Between two neighbours only, never passed on.
HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "expect")
)
UNSENT = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")  # headers the client would add by itself


class Router:
    """`file` keeps the table over restarts; where it is missing or about other targets, every target gets weight 1."""

    def __init__(self, place: Place, targets: list[str], file: Path, *, drain: float = DRAIN) -> None:
        self.place = place
        self._targets = targets
        self._file = file
        self._drain = drain
        self._balancer = Balancer(self._remembered())
        self._runners: list[web.AppRunner] = []
        self._session: aiohttp.ClientSession | None = None

    @property
    def url(self) -> str:
        return f"http://{self.place.address}"

    @property
    def table(self) -> dict[str, int]:
        return dict(self._balancer.table)

    async def start(self) -> None:
        """Raises OSError when the public port was taken in the meantime."""
        connector = aiohttp.TCPConnector(force_close=True, limit=CONNECTIONS)
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=TIMES,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=UNSENT,
        )
        control = web.Application(middlewares=[from_here_only])
        control.router.add_put("/-/table", self._put_table)
        control.router.add_get("/-/table", self._get_table)
        self._runners.append(await serve(control, self.place.control))
        public = web.Application()
        public.router.add_route("*", "/{path:.*}", self._pass)
        listener = socket.create_server((LOOPBACK, self.place.port), backlog=1024)
        self._runners.append(await serve(public, listener))

    async def stop(self) -> None:
        for runner in reversed(self._runners):
            await runner.cleanup()
        if self._session:
            await self._session.close()

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        with self._balancer.turn() as target:
            if target is None:
                return web.Response(status=503, text="No target is in traffic: every weight of this router is 0.\n")
            try:
                return await self._ask(target, request)
            except TimeoutError:
                return web.Response(status=504, text=f"{target} did not answer in time.\n")
            except (aiohttp.ClientError, OSError) as error:
                return web.Response(status=502, text=f"{target} gave no answer: {error}\n")

    async def _ask(self, target: str, request: web.Request) -> web.StreamResponse:
        assert self._session
        async with self._session.request(
            request.method,
            URL(f"http://{target}{request.rel_url.raw_path_qs}", encoded=True),
            headers=onward(request),
            data=request.content if request.can_read_body else None,
            allow_redirects=False,
        ) as answer:
            response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=kept(answer.headers))
            await response.prepare(request)
            await stream(answer, response, request)
            return response

    async def _put_table(self, request: web.Request) -> web.Response:
        try:
            table = parse(await request.text(), self._targets)
        except BadTableError as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from error
        self._balancer.set(table)
        write(self._file, write_out(table))
        try:
            await asyncio.wait_for(self._balancer.drained(), self._drain)
        except TimeoutError as error:
            busy = ", ".join(f"{count} to {target}" for target, count in self._balancer.busy().items())
            text = f"The table is in force, but after {self._drain:g} s requests are still in flight: {busy}.\n"
            raise web.HTTPGatewayTimeout(text=text) from error
        return web.Response(text=f"in force, drained targets are idle ({request.url.host}:{self.place.port})\n")

    async def _get_table(self, _: web.Request) -> web.Response:
        return web.Response(text=write_out(self._balancer.table))

    def _remembered(self) -> dict[str, int]:
        try:
            return parse(self._file.read_text(), self._targets)
        except (OSError, BadTableError):
            return dict.fromkeys(self._targets, 1)


def kept(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    """The headers without those of one connection, among them what `Connection` itself names."""
    named = {name.strip().lower() for line in headers.getall("Connection", []) for name in line.split(",")}
    return CIMultiDict((name, text) for name, text in headers.items() if name.lower() not in HOP_BY_HOP | named)


def onward(request: web.Request) -> CIMultiDict[str]:
    headers = kept(request.headers)
    headers.add("X-Forwarded-For", request.remote or "unknown")
    return headers


async def stream(answer: aiohttp.ClientResponse, response: web.StreamResponse, request: web.Request) -> None:
    """Passes the body on; an answer that breaks off breaks off for the client too, never looks whole."""
    try:
        async for chunk in answer.content.iter_chunked(CHUNK):
            await response.write(chunk)
        await response.write_eof()
    except (aiohttp.ClientError, TimeoutError, OSError):
        if request.transport:
            request.transport.abort()
