"""The router as a reverse proxy: every path, method and body, weights, and tables that wait for requests in flight."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from bot.demo.layout import Place, claim
from bot.demo.local import serve
from bot.demo.router import Router
from tests.bot.demo.running import until


@dataclass(kw_only=True)
class Upstream:
    """A target that echoes; `/hold` answers when `go` is set, `/broken` breaks off in its body."""

    place: Place
    go: asyncio.Event = field(default_factory=asyncio.Event)
    held: asyncio.Event = field(default_factory=asyncio.Event)
    runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(client_max_size=0)
        app.router.add_route("*", "/hold", self.hold)
        app.router.add_route("*", "/broken", self.broken)
        app.router.add_route("*", "/drip", self.drip)
        app.router.add_route("*", "/{path:.*}", self.echo)
        # The control address stands in for the target's own: it is claimed already.
        self.runner = await serve(app, self.place.control)

    async def hold(self, _: web.Request) -> web.Response:
        self.held.set()
        await self.go.wait()
        return web.Response(text="held")

    async def broken(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport
        request.transport.close()
        return response

    async def drip(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first")
        await self.go.wait()
        await response.write(b"second")
        return response

    async def echo(self, request: web.Request) -> web.Response:
        body = await request.content.read()
        headers = {"X-Method": request.method, "X-Path": request.raw_path, "X-Target": self.place.name}
        response = web.Response(status=201, body=body, headers=headers)
        response.headers.update({f"X-Got-{name}": text for name, text in request.headers.items()})
        for cookie in ("a=1", "b=2"):
            response.headers.add("Set-Cookie", cookie)
        return response


@dataclass(kw_only=True)
class Site:
    router: Router
    first: Upstream
    second: Upstream
    client: aiohttp.ClientSession

    def url(self, path: str) -> str:
        return self.router.url + path

    def table(self, first: int, second: int) -> str:
        return f"{self.first.place.control_address} {first}\n{self.second.place.control_address} {second}\n"

    async def put(self, text: str) -> tuple[int, str]:
        address = f"http://{self.router.place.control_address}/-/table"
        async with self.client.put(address, data=text) as response:
            return response.status, await response.text()


def some_place(name: str) -> Place:
    for port in range(18_000, 19_900, 2):
        if control := claim(port):
            return Place(name=name, port=port, control=control)
    raise OSError("no free ports")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    first, second = Upstream(place=some_place("first")), Upstream(place=some_place("second"))
    await first.start()
    await second.start()
    targets = [first.place.control_address, second.place.control_address]
    router = Router(some_place("router"), targets, tmp_path / "table", drain=0.5)
    await router.start()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as client:
        yield Site(router=router, first=first, second=second, client=client)
    first.go.set()
    await router.stop()
    for upstream in (first, second):
        assert upstream.runner
        await upstream.runner.cleanup()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
async def test_methods_paths_headers_and_bodies_pass(site: Site, method: str) -> None:
    body = b"x" * 200_000 if method in ("POST", "PUT", "PATCH") else None
    url = URL(site.url("/a%2Fb//c/?q=%20&q=2"), encoded=True)
    headers = {"X-Mine": "yes", "Connection": "keep-alive, X-Hop", "X-Hop": "1"}
    async with site.client.request(method, url, data=body, headers=headers) as response:
        got = response.headers
        assert (response.status, got["X-Method"], got["X-Path"]) == (201, method, "/a%2Fb//c/?q=%20&q=2")
        assert got["X-Got-X-Mine"] == "yes"
        assert got["X-Got-X-Forwarded-For"] == "127.0.0.1"
        assert got["X-Got-Host"] == site.router.place.address
        assert "X-Got-X-Hop" not in got
        assert got.getall("Set-Cookie") == ["a=1", "b=2"]
        assert await response.read() == (body or b"")


async def test_a_body_streams_before_it_is_whole(site: Site) -> None:
    async with site.client.get(site.url("/drip")) as response:
        assert await response.content.readexactly(5) == b"first"
        site.first.go.set()
        site.second.go.set()
        assert await response.content.read() == b"second"


async def test_an_answer_that_breaks_off_never_looks_whole(site: Site) -> None:
    with pytest.raises(aiohttp.ClientPayloadError):
        async with site.client.get(site.url("/broken")) as response:
            await response.read()


async def test_requests_go_by_weight(site: Site) -> None:
    assert (await site.put(site.table(3, 1)))[0] == 200
    seen = []
    for _ in range(8):
        async with site.client.get(site.url("/")) as response:
            seen.append(response.headers["X-Target"])
    assert (seen.count("first"), seen.count("second")) == (6, 2)


async def test_a_target_that_is_away_is_502_and_is_not_tried_elsewhere(site: Site) -> None:
    assert site.first.runner
    await site.first.runner.cleanup()
    statuses = []
    for _ in range(4):
        async with site.client.get(site.url("/")) as response:
            statuses.append(response.status)
    assert sorted(statuses) == [201, 201, 502, 502]


async def test_all_weights_0_is_503_with_a_sentence(site: Site) -> None:
    await site.put(site.table(0, 0))
    async with site.client.get(site.url("/")) as response:
        assert (response.status, await response.text()) == (
            503,
            "No target is in traffic: every weight of this router is 0.\n",
        )


async def test_a_table_waits_for_requests_in_flight_to_what_it_drains(site: Site) -> None:
    await site.put(site.table(1, 0))
    holding = asyncio.create_task(site.client.get(site.url("/hold")))
    await asyncio.wait_for(site.first.held.wait(), 5)
    applying = asyncio.create_task(site.put(site.table(0, 1)))
    await until(lambda: not site.router.table[site.first.place.control_address])
    async with site.client.get(site.url("/")) as response:
        assert response.headers["X-Target"] == "second"
    assert not applying.done()
    site.first.go.set()
    assert (await asyncio.wait_for(applying, 5))[0] == 200
    assert await (await holding).text() == "held"


async def test_a_request_that_never_ends_fails_the_table_after_a_while(site: Site) -> None:
    await site.put(site.table(1, 0))
    holding = asyncio.create_task(site.client.get(site.url("/hold")))
    await asyncio.wait_for(site.first.held.wait(), 5)
    status, text = await site.put(site.table(0, 1))
    assert status == 504
    assert f"still in flight: 1 to {site.first.place.control_address}" in text
    site.first.go.set()
    await holding


async def test_a_table_is_kept_and_a_bad_one_changes_nothing(site: Site, tmp_path: Path) -> None:
    await site.put(site.table(2, 5))
    status, text = await site.put("nonsense")
    assert (status, "line 1" in text) == (400, True)
    assert (tmp_path / "table").read_text() == site.table(2, 5)
    async with site.client.get(f"http://{site.router.place.control_address}/-/table") as response:
        assert await response.text() == site.table(2, 5)


async def test_the_public_address_takes_no_table_and_the_control_address_no_browser(site: Site) -> None:
    async with site.client.put(site.url("/-/table"), data=site.table(0, 0)) as response:
        assert response.status == 201  # a path like any other
    control = f"http://{site.router.place.control_address}/-/table"
    async with site.client.put(control, data=site.table(0, 0), headers={"Origin": "https://example.com"}) as response:
        assert response.status == 403
    assert set(site.router.table.values()) == {1}
