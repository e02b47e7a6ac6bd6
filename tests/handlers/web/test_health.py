"""`GET /healthz` answers, and says nothing of deploys."""

import aiohttp
from aiohttp import web

from handlers.web import health


async def test_the_bot_says_that_it_lives() -> None:
    site = web.Application()
    health.routes(site)
    runner = web.AppRunner(site)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{runner.addresses[0][1]}/healthz") as answer,
        ):
            assert (answer.status, await answer.json()) == (200, {"ok": True})
    finally:
        await runner.cleanup()
