"""`GET /metrics`: the figures as Prometheus reads them."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client.aiohttp import make_aiohttp_handler

PATH = "/metrics"


def routes(site: web.Application, refresh: Callable[[], Awaitable[None]]) -> None:
    """`refresh` counts anew what is counted only when somebody looks."""
    expose = make_aiohttp_handler()

    async def metrics(request: web.Request) -> web.StreamResponse:
        await refresh()
        return await expose(request)

    site.router.add_get(PATH, metrics)
