"""`GET /healthz`: the bot lives and its loop turns; it asks nothing of anybody. `GET /readyz`: it can do its work, part
by part, each in words. Neither says anything of deploys."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

HEALTH, READY = "/healthz", "/readyz"


@dataclass(frozen=True, kw_only=True)
class Check:
    """How one part is. Without a part that is not `needed` the bot is degraded, and ready all the same."""

    ok: bool
    says: str
    needed: bool = True


Looking = Callable[[], Awaitable[Mapping[str, Check]]]


async def healthy(_request: web.Request) -> web.Response:
    return web.json_response({"ok": True})


def routes(site: web.Application, look: Looking) -> None:
    async def ready(_request: web.Request) -> web.Response:
        checks = await look()
        good = all(check.ok for check in checks.values() if check.needed)
        parts = {name: {"ok": check.ok, "says": check.says} for name, check in checks.items()}
        degraded = good and not all(check.ok for check in checks.values())
        return web.json_response({"ready": good, "degraded": degraded, "checks": parts}, status=200 if good else 503)

    site.router.add_get(HEALTH, healthy)
    site.router.add_get(READY, ready)
