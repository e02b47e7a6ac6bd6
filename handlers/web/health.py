"""`GET /healthz`: the bot lives and its loop turns. Says nothing of deploys, and asks nothing of anybody."""

from aiohttp import web

PATH = "/healthz"


async def healthy(_request: web.Request) -> web.Response:
    return web.json_response({"ok": True})


def routes(site: web.Application) -> None:
    site.router.add_get(PATH, healthy)
