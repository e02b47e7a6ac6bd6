"""A Bolt app that only acknowledges, in a process of its own: `python -m tests.bench.bare PORT`. It is the baseline."""

import sys
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult

from bot.workspace.seed import App


async def authorize() -> AuthorizeResult:
    return AuthorizeResult(enterprise_id=None, team_id="T0LOCAL", bot_token=App().bot_token)


async def acknowledge(ack: Callable[[], Awaitable[Any]]) -> None:
    await ack()


def main(port: int) -> None:
    app = AsyncApp(signing_secret=App().signing_secret, authorize=authorize)
    app.command("/deploy")(acknowledge)
    web.run_app(app.server(port=port).web_app, host="127.0.0.1", port=port, print=None, access_log=None)


if __name__ == "__main__":
    main(int(sys.argv[1]))
