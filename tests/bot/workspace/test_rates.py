"""How often methods may be called."""

import aiohttp

from bot.workspace import Workspace, default_seed
from bot.workspace.rates import Rates
from tests.bot.workspace.conftest import Api


def test_posts_are_counted_by_channel_with_a_small_burst() -> None:
    rates = Rates()
    assert [rates.wait("chat.postMessage", "C1") for _ in range(5)] == [0, 0, 0, 0, 1]
    assert rates.wait("chat.postMessage", "C2") == 0


def test_a_minutes_share_comes_back_when_the_minute_is_over() -> None:
    rates = Rates()
    assert [rates.wait("chat.update") for _ in range(50)] == [0] * 50
    assert 1 <= rates.wait("chat.update") <= 60
    rates.calls["chat.update"][0] -= 61
    assert rates.wait("chat.update") == 0


def test_limits_can_be_turned_off_and_unlimited_methods_have_none() -> None:
    assert not any(Rates(on=False).wait("chat.update") for _ in range(200))
    assert not any(Rates().wait("auth.test") for _ in range(200))


async def test_too_many_calls_get_429_and_are_recorded(
    workspace: Workspace, http: aiohttp.ClientSession, api: Api
) -> None:
    workspace.rates.on = True
    for _ in range(4):
        assert (await api("chat.postMessage", channel="#deploys", text="x"))["ok"]
    headers = {"Authorization": f"Bearer {default_seed().app.bot_token}"}
    said = {"channel": "C0DEPLOYS", "text": "x"}
    async with http.post(f"{workspace.api_url}chat.postMessage", json=said, headers=headers) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
        assert await answer.json() == {"ok": False, "error": "ratelimited"}
    assert [call.status for call in workspace.calls] == [200] * 4 + [429]
    assert len(workspace.messages("#deploys")) == 4
