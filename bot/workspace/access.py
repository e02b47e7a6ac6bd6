"""Who may talk to this server: programs of this machine, and its own page. No web site that somebody has open can."""

from collections.abc import Awaitable, Callable

from aiohttp import web

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
OWN_SITES = ("same-origin", "none")  # "none": the address was typed, or a program asked that is no browser's page
MINE = ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer")


def csp(host: str) -> str:
    """What the page may load: only what this server serves, and its own WebSocket."""
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ws://{host}; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


@web.middleware
async def guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse what came by another name (DNS rebinding) or from another site's page, before anything is read."""
    host = request.headers.get("Host", "")
    if not _loopback(host):
        return web.Response(status=403, text="This server is for this machine alone: call it 127.0.0.1 or localhost.")
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{host}":
        return web.Response(status=403, text="A page of another site may not talk to this server.")
    linked = request.path == "/" and request.method == "GET"  # a link somewhere may lead to the page
    if request.headers.get("Sec-Fetch-Site", "none") not in OWN_SITES and not linked:
        return web.Response(status=403, text="A page of another site may not talk to this server.")
    answer = await handler(request)
    if not answer.prepared:
        answer.headers.update(MINE)
    return answer


def _loopback(host: str) -> bool:
    name, colon, port = host.rpartition(":")
    if colon and port.isdigit():
        return name in LOOPBACK
    return host in LOOPBACK
