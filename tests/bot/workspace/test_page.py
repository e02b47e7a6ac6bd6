"""What the page is told, and what it may do."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from bot.workspace import Workspace
from tests.bot.workspace.bolt import ACTIONS, by_socket
from tests.bot.workspace.conftest import Api

SELECT = {
    "type": "static_select",
    "action_id": "rollback",
    "options": [{"text": {"type": "plain_text", "text": name}, "value": name} for name in ("api", "web")],
}


class Browser:
    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def say(self, **what: Any) -> None:
        await self._socket.send_json(what)

    async def hears(self, op: str) -> dict[str, Any]:
        """The next thing of a kind that the server says."""
        while True:
            found: dict[str, Any] = await self._socket.receive_json(timeout=5)
            if found["op"] == op:
                return found


@contextlib.asynccontextmanager
async def browser(
    workspace: Workspace, http: aiohttp.ClientSession, user: str
) -> AsyncIterator[tuple[Browser, dict[str, Any]]]:
    origin = workspace.page_url.rstrip("/")
    async with http.ws_connect(f"{workspace.page_url}page", headers={"Origin": origin}) as socket:
        page = Browser(socket)
        await page.say(op="hello", user=user)
        yield page, await page.hears("state")


async def test_a_page_gets_the_whole_then_each_change(
    workspace: Workspace, http: aiohttp.ClientSession, api: Api
) -> None:
    old = await api("chat.postMessage", channel="C0DEPLOYS", text="old")
    async with browser(workspace, http, "U0ANA") as (page, state):
        assert (state["me"], state["team"]["name"]) == ("U0ANA", "acme")
        assert {"deploys", "general", "random"} <= {channel["name"] for channel in state["channels"]}
        assert [m["text"] for m in state["messages"]["C0DEPLOYS"]] == ["old"]
        assert state["app"] == {"connected": False, "mode": "socket", "connections": 0}
        assert "olddan" not in [user["name"] for user in state["users"]]
        await api("chat.update", channel="C0DEPLOYS", ts=old["ts"], text="new, <@U0ANA>")
        changed = (await page.hears("message"))["message"]
        assert (changed["ts"], changed["edited"], changed["mentions_me"]) == (old["ts"], True, True)
        await api("chat.delete", channel="C0DEPLOYS", ts=old["ts"])
        assert (await page.hears("deleted"))["ts"] == old["ts"]


async def test_private_things_are_shown_to_their_person_alone(
    workspace: Workspace, http: aiohttp.ClientSession, api: Api
) -> None:
    await api("chat.postEphemeral", channel="C0DEPLOYS", user="U0RAJ", text="for raj")
    await api("chat.postMessage", channel="U0RAJ", text="to raj")
    async with browser(workspace, http, "U0ANA") as (ana, state), browser(workspace, http, "U0RAJ") as (_, his):
        assert state["messages"]["C0DEPLOYS"] == []
        assert "DU0RAJ" not in state["messages"]
        assert [m["ephemeral"] for m in his["messages"]["C0DEPLOYS"]] == [True]
        assert [m["text"] for m in his["messages"]["DU0RAJ"]] == ["to raj"]
        await api("chat.postEphemeral", channel="C0DEPLOYS", user="U0RAJ", text="for raj")
        await api("chat.postMessage", channel="U0RAJ", text="to raj")
        await api("chat.postMessage", channel="C0DEPLOYS", text="for all")
        assert (await ana.hears("message"))["message"]["text"] == "for all"
        await ana.say(op="send", channel="DU0RAJ", thread_ts=None, text="hello")
        assert (await ana.hears("error"))["text"] == "There is no such channel for you."


async def test_the_page_types_and_clicks(workspace: Workspace, http: aiohttp.ClientSession) -> None:
    async with by_socket(workspace) as heard, browser(workspace, http, "U0ANA") as (page, _):
        await page.say(op="send", channel="C0DEPLOYS", thread_ts=None, text="/deploy api v1.4 @raj #general")
        message = (await page.hears("message"))["message"]
        assert heard.commands[0]["text"] == "api v1.4 <@U0RAJ|raj> <#C0GENERAL|general>"
        place = {"channel": "C0DEPLOYS", "ts": message["ts"], "block_id": "ways", "action_id": "rollback"}
        await page.say(op="click", **place, ephemeral=False, value="forged")
        await workspace.wait_for(lambda: heard.clicks)
        assert heard.clicks[0]["actions"][0]["value"] == "api"


async def test_a_select_sends_an_option_that_it_offers(
    workspace: Workspace, http: aiohttp.ClientSession, api: Api
) -> None:
    blocks = [{"type": "actions", "block_id": "ways", "elements": [SELECT]}]
    posted = await api("chat.postMessage", channel="C0DEPLOYS", text="a", blocks=blocks)
    place = {"channel": "C0DEPLOYS", "ts": posted["ts"], "block_id": "ways", "action_id": "rollback"}
    async with by_socket(workspace) as heard, browser(workspace, http, "U0ANA") as (page, _):
        await page.say(op="click", **place, ephemeral=False, given={"value": "db"})
        assert (await page.hears("error"))["text"] == "That option is gone."
        await page.say(op="click", **place, ephemeral=False, given={"value": "web"})
        await workspace.wait_for(lambda: heard.clicks)
        await api("chat.update", channel="C0DEPLOYS", ts=posted["ts"], text="a", blocks=blocks)
        await workspace.person("raj").choose(workspace.messages("#deploys")[0], "rollback", "api")
    assert [one["actions"][0]["selected_option"]["value"] for one in heard.clicks] == ["web", "api"]


async def test_a_select_may_offer_its_options_in_groups(workspace: Workspace, api: Api) -> None:
    groups = [{"label": {"type": "plain_text", "text": "Services"}, "options": SELECT["options"]}]
    grouped = {**{k: v for k, v in SELECT.items() if k != "options"}, "option_groups": groups}
    blocks = [{"type": "actions", "block_id": "ways", "elements": [grouped]}]
    assert (await api("chat.postMessage", channel="C0DEPLOYS", text="a", blocks=blocks))["ok"]
    async with by_socket(workspace) as heard:
        await workspace.person("raj").choose(workspace.messages("#deploys")[0], "rollback", "api")
    assert heard.clicks[0]["actions"][0]["selected_option"]["value"] == "api"


async def test_what_cannot_be_done_is_said_to_that_person(
    workspace: Workspace, http: aiohttp.ClientSession, api: Api
) -> None:
    posted = await api("chat.postMessage", channel="C0DEPLOYS", text="a", blocks=ACTIONS)
    async with browser(workspace, http, "U0ANA") as (page, _):
        await page.say(op="send", channel="C0DEPLOYS", thread_ts=posted["ts"], text="/deploy x")
        told = await page.hears("notice")
        assert (told["text"], told["thread_ts"]) == ("/deploy is not supported in threads. Sorry!", posted["ts"])
        await page.say(op="send", channel="C0DEPLOYS", thread_ts=None, text="/dance")
        assert (await page.hears("notice"))["text"] == "/dance is not a valid command."
        await page.say(op="send", channel="C0DEPLOYS", thread_ts=None, text="/deploy x")
        assert (await page.hears("notice"))["text"] == "/deploy failed because the app did not respond"
        await page.say(op="send", channel="C0DEPLOYS", thread_ts="1.2", text="hello")
        assert (await page.hears("error"))["text"] == "That thread is gone."
        await page.say(op="click", channel="C0DEPLOYS", ts="1.2", block_id="b", action_id="a", ephemeral=False)
        assert (await page.hears("error"))["text"] == "That message is gone."
        for nonsense in ({"op": "dance"}, {"op": "send"}, {"op": "send", "channel": "C0DEPLOYS"}):
            await page.say(**nonsense)
            assert "does not know" in (await page.hears("error"))["text"]


async def test_the_page_sees_the_app_come_and_go(workspace: Workspace, http: aiohttp.ClientSession) -> None:
    async with browser(workspace, http, "U0ANA") as (page, _):
        async with by_socket(workspace):
            assert (await page.hears("app"))["connections"] == 1
            await page.say(op="debug", do="disconnect")
            assert (await page.hears("app"))["connected"] is False
            assert (await page.hears("app"))["connections"] == 1  # it came back by itself
        await page.say(op="send", channel="C0RANDOM", thread_ts=None, text="/invite @shipmate")
        channels = {channel["name"]: channel for channel in (await page.hears("state"))["channels"]}
        assert channels["random"]["is_member_bot"]


async def test_tests_outside_of_the_process_act_and_read_the_log(
    workspace: Workspace, http: aiohttp.ClientSession, api: Api
) -> None:
    door = f"{workspace.page_url}_person"
    async with by_socket(workspace) as heard:
        for said in (
            {"channel": "#deploys", "command": "/deploy", "text": "api v1.4 staging"},
            {"channel": "@shipmate", "text": "hello"},
        ):
            async with http.post(door, json={"user": "ana", **said}) as answer:
                assert (await answer.json())["ok"]
        message = await workspace.wait_for(lambda: workspace.messages("#deploys"))
        click = {"user": "raj", "channel": "#deploys", "ts": message[0]["ts"], "click": "Roll back"}
        async with http.post(door, json=click) as answer:
            assert await answer.json() == {"ok": True, "acked": True}
        assert heard.clicks[0]["user"]["name"] == "raj"
    for wrong in ({"user": "nobody"}, {"user": "ana", "channel": "#none", "text": "x"}, {"user": "ana"}):
        async with http.post(door, json=wrong) as answer:
            assert answer.status == 400
    async with http.get(f"{workspace.page_url}_log") as answer:
        lines = (await answer.text()).splitlines()
    assert len(lines) == len(workspace.calls)
    assert not any(workspace.seed.app.bot_token in line or workspace.seed.app.app_token in line for line in lines)
