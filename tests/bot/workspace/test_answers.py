"""Answer addresses: what may be answered, where it appears, and how often."""

from typing import Any

import aiohttp
import pytest

from bot.workspace import Workspace
from tests.bot.workspace.bolt import ACTIONS
from tests.bot.workspace.conftest import Api


@pytest.fixture
def url(workspace: Workspace) -> str:
    """The address that a slash command of ana's opened, in a channel that the app is not in."""
    channel = workspace.state.channel("#random")
    assert channel is not None
    return workspace.people.answers.open(channel, workspace.person("ana").user)


async def answer(http: aiohttp.ClientSession, url: str, **body: Any) -> tuple[int, str]:
    async with http.post(url, json=body) as found:
        return found.status, await found.text()


async def test_an_answer_is_private_unless_it_says_otherwise(
    workspace: Workspace, http: aiohttp.ClientSession, url: str
) -> None:
    assert await answer(http, url, text="psst") == (200, "ok")
    assert await answer(http, url, text="all", response_type="in_channel") == (200, "ok")
    assert [m["text"] for m in workspace.ephemerals("ana")] == ["psst"]
    assert [m["text"] for m in workspace.messages("#random")] == ["all"]


async def test_five_answers_and_no_more(http: aiohttp.ClientSession, url: str) -> None:
    assert await answer(http, url) == (400, "no_text")
    assert [await answer(http, url, text="x") for _ in range(5)] == [(200, "ok")] * 5
    assert await answer(http, url, text="x") == (404, "used_url")


async def test_thirty_minutes_and_no_longer(workspace: Workspace, http: aiohttp.ClientSession, url: str) -> None:
    workspace.state.kept.answers[url.rsplit("/", 1)[1]]["until"] -= 1_801
    assert await answer(http, url, text="x") == (404, "expired_url")
    assert await answer(http, f"{workspace.page_url}respond/none", text="x") == (404, "expired_url")


async def test_a_clicked_message_can_be_replaced_and_deleted(
    workspace: Workspace, http: aiohttp.ClientSession, api: Api
) -> None:
    posted = await api("chat.postMessage", channel="C0DEPLOYS", text="a", blocks=ACTIONS)
    await api("chat.postEphemeral", channel="C0DEPLOYS", user="U0ANA", text="b", blocks=ACTIONS)
    ana, channel = workspace.person("ana").user, workspace.state.channel("#deploys")
    assert channel is not None
    public = workspace.people.answers.open(channel, ana, workspace.messages("#deploys")[0])
    private = workspace.people.answers.open(channel, ana, workspace.ephemerals("ana")[0])
    assert await answer(http, public, text="c", replace_original="true") == (200, "ok")
    assert await answer(http, private, text="d", replace_original=True) == (200, "ok")
    seen = [*workspace.messages("#deploys"), *workspace.ephemerals("ana")]
    assert [(m["text"], "blocks" in m) for m in seen] == [("c", False), ("d", False)]
    assert workspace.messages("#deploys")[0]["ts"] == posted["ts"]
    for url in (public, private):
        assert await answer(http, url, delete_original=True) == (200, "ok")
        assert await answer(http, url, delete_original=True) == (400, "message_not_found")
    assert (workspace.messages("#deploys"), workspace.ephemerals("ana")) == ([], [])


async def test_an_answer_goes_into_a_thread_when_it_is_for_all(
    workspace: Workspace, http: aiohttp.ClientSession, api: Api
) -> None:
    root = await api("chat.postMessage", channel="C0DEPLOYS", text="root")
    reply = await api("chat.postMessage", channel="C0DEPLOYS", text="reply", thread_ts=root["ts"])
    channel = workspace.state.channel("#deploys")
    assert channel is not None
    message = workspace.thread("#deploys", root["ts"])[0]
    url = workspace.people.answers.open(channel, workspace.person("ana").user, message)
    await answer(http, url, text="for all", response_type="in_channel", thread_ts=root["ts"])
    await answer(http, url, text="for ana")
    assert [m["text"] for m in workspace.thread("#deploys", root["ts"])] == ["reply", "for all"]
    assert workspace.ephemerals("ana")[0]["thread_ts"] == root["ts"] == reply["message"]["thread_ts"]
