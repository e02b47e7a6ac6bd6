"""A workspace for one test, and a way to call it as any client would."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from bot.workspace import Workspace, default_seed

Api = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    workspace = Workspace(default_seed())
    workspace.rates.on = False
    await workspace.start()
    yield workspace
    await workspace.stop()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def api(workspace: Workspace, http: aiohttp.ClientSession) -> Api:
    """`await api("chat.postMessage", channel=…)`: JSON with the bot's token; what it answers."""

    async def call(method: str, /, **args: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {workspace.seed.app.bot_token}"}
        async with http.post(f"{workspace.api_url}{method}", json=args, headers=headers) as answer:
            found: dict[str, Any] = await answer.json()
            return found

    return call
