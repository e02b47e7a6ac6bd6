"""`GET /healthz` answers, and says nothing of deploys; `GET /readyz` says of each part how it is."""

from collections.abc import AsyncIterator, Mapping

import aiohttp
import pytest
from aiohttp import web

from handlers.web import health
from handlers.web.health import Check

GOOD, BAD, AWAY = Check(ok=True, says="well"), Check(ok=False, says="ill"), Check(ok=False, says="away", needed=False)


class Site:
    def __init__(self) -> None:
        self.checks: Mapping[str, Check] = {}
        self.url = ""

    async def look(self) -> Mapping[str, Check]:
        return self.checks

    async def get(self, path: str) -> tuple[int, object]:
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}{path}") as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made, app = Site(), web.Application()
    health.routes(app, made.look)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


async def test_the_bot_says_that_it_lives(site: Site) -> None:
    assert await site.get("/healthz") == (200, {"ok": True})


@pytest.mark.parametrize(
    ("checks", "status", "degraded"),
    [
        ({"database": GOOD, "slack": GOOD}, 200, False),
        ({"database": GOOD, "slack": AWAY}, 200, True),
        ({"database": BAD, "slack": GOOD}, 503, False),
        ({"database": BAD, "slack": AWAY}, 503, False),
    ],
)
async def test_it_is_ready_when_all_that_it_needs_is_well(
    site: Site, checks: Mapping[str, Check], status: int, degraded: bool
) -> None:
    site.checks = checks
    said = {name: {"ok": check.ok, "says": check.says} for name, check in checks.items()}
    assert await site.get("/readyz") == (status, {"ready": status == 200, "degraded": degraded, "checks": said})
