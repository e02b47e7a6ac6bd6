"""Who is let in: programs of this machine and the page itself; nobody by another name, and no other site's page."""

import aiohttp
import pytest

from bot.workspace import Workspace, default_seed


@pytest.mark.parametrize("path", ["", "static/app.js", "api/api.test", "_log", "page", "link/"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:80"},
        {"Host": "127.0.0.1@evil.example"},
        {"Host": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
async def test_strangers_are_refused(
    workspace: Workspace, http: aiohttp.ClientSession, path: str, headers: dict[str, str]
) -> None:
    async with http.get(f"{workspace.page_url}{path}", headers=headers) as answer:
        assert answer.status in (400, 403)
        assert not (answer.status == 400 and headers["Host"])


async def test_another_sites_image_cannot_call_the_api(workspace: Workspace, http: aiohttp.ClientSession) -> None:
    said = {"token": workspace.seed.app.bot_token, "channel": "C0DEPLOYS", "text": "x"}
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 200)):
        headers = {"Sec-Fetch-Site": site}
        async with http.get(f"{workspace.api_url}chat.postMessage", params=said, headers=headers) as answer:
            assert answer.status == status
    assert len(workspace.messages("#deploys")) == 1
    async with http.get(workspace.page_url, headers={"Sec-Fetch-Site": "cross-site"}) as answer:
        assert answer.status == 200  # a link to the page may be followed


async def test_another_sites_page_cannot_act_for_a_person(workspace: Workspace, http: aiohttp.ClientSession) -> None:
    said = {"user": "ana", "channel": "#deploys", "text": "x"}
    headers = {"Origin": "http://evil.example"}
    async with http.post(f"{workspace.page_url}_person", json=said, headers=headers) as answer:
        assert answer.status == 403
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await http.ws_connect(f"{workspace.page_url}page", headers=headers)
    assert workspace.messages("#deploys") == []


async def test_the_page_may_load_only_what_is_here(workspace: Workspace, http: aiohttp.ClientSession) -> None:
    async with http.get(workspace.page_url) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "not Slack" in await answer.text()
    host = workspace.page_url.removeprefix("http://").rstrip("/")
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert f"connect-src 'self' ws://{host};" in policy
    async with http.get(f"{workspace.page_url}static/app.js") as answer:
        assert answer.status == 200
    async with http.get(f"{workspace.page_url}static/../server.py") as answer:
        assert answer.status == 404


async def test_it_listens_on_this_machine_alone() -> None:
    with pytest.raises(ValueError, match="this machine alone"):
        await Workspace(default_seed()).start("0.0.0.0")
