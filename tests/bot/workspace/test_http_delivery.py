"""Delivery by HTTP to an app that is slow, broken or away, and Slack's repeats of events."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

from aiohttp import web

from bot.workspace import Workspace, default_seed

Handler = Callable[[web.Request], Awaitable[web.Response]]
QUICK = 0.02


@contextlib.asynccontextmanager
async def delivering_to(handler: Handler, pace: float = QUICK) -> AsyncIterator[Workspace]:
    site = web.Application()
    site.router.add_post("/", handler)
    runner = web.AppRunner(site, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with delivering(f"http://127.0.0.1:{runner.addresses[0][1]}/", pace) as workspace:
        yield workspace
    await runner.cleanup()


@contextlib.asynccontextmanager
async def delivering(url: str, pace: float) -> AsyncIterator[Workspace]:
    seed = default_seed()
    workspace = Workspace(replace(seed, app=replace(seed.app, request_url=url)), pace=pace)
    await workspace.start()
    try:
        yield workspace
    finally:
        await workspace.stop()


async def test_an_event_that_fails_comes_again_with_the_number_and_the_reason() -> None:
    seen: list[tuple[str | None, str | None]] = []

    async def broken_once(request: web.Request) -> web.Response:
        seen.append((request.headers.get("x-slack-retry-num"), request.headers.get("x-slack-retry-reason")))
        return web.Response(status=500 if len(seen) == 1 else 200)

    async with delivering_to(broken_once, 0.3) as workspace:
        await workspace.person("ana").say("#deploys", "@shipmate help")
        await workspace.wait_for(lambda: workspace.deliverer.log[-1]["acked"])
    assert seen == [(None, None), ("1", "http_error")]


async def test_an_app_may_ask_for_no_repeats() -> None:
    async def never(_request: web.Request) -> web.Response:
        return web.Response(status=404, headers={"x-slack-no-retry": "1"})

    async with delivering_to(never) as workspace:
        await workspace.person("ana").say("#deploys", "@shipmate help")
        assert not workspace.deliverer._tasks
    assert [(one["attempt"], one["acked"]) for one in workspace.deliverer.log] == [(0, False)]


async def test_a_slow_app_fails_for_the_person() -> None:
    hanging = asyncio.Event()

    async def slow(_request: web.Request) -> web.Response:
        await hanging.wait()
        return web.Response()

    async with delivering_to(slow) as workspace:
        await workspace.person("ana").command("#deploys", "/deploy", "x")
        assert [n["text"] for n in workspace.notices] == ["/deploy failed because the app did not respond"]
        hanging.set()


async def test_an_app_that_is_away_fails_for_the_person_and_its_address_is_not_verified() -> None:
    async with delivering("http://127.0.0.1:9/", 1.0) as workspace:
        await workspace.person("ana").command("#deploys", "/deploy", "x")
        assert len(workspace.notices) == 1
        assert not await workspace.deliverer.http.verify()


async def test_an_address_is_verified_by_its_challenge() -> None:
    async def echo(request: web.Request) -> web.Response:
        return web.Response(text=(await request.json())["challenge"])

    async def wrong(_request: web.Request) -> web.Response:
        return web.json_response({"challenge": "another"})

    async with delivering_to(echo, 1.0) as workspace:
        assert await workspace.deliverer.http.verify()
    async with delivering_to(wrong, 1.0) as workspace:
        assert not await workspace.deliverer.http.verify()
