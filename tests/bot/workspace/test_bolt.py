"""Slack's own Python library against the workspace, by Socket Mode and by signed HTTP."""

import time

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace import Workspace
from bot.workspace.http_delivery import signed
from tests.bot.workspace.bolt import by_http, by_socket

COMMAND_KEYS = {
    *("token", "team_id", "team_domain", "channel_id", "channel_name", "user_id", "user_name", "command", "text"),
    *("api_app_id", "is_enterprise_install", "response_url", "trigger_id"),
}
CLICK_KEYS = {
    *("type", "user", "api_app_id", "token", "container", "trigger_id", "team", "enterprise", "is_enterprise_install"),
    *("channel", "message", "state", "response_url", "actions"),
}


async def test_a_command_and_a_click_go_round_by_socket_mode(workspace: Workspace) -> None:
    async with by_socket(workspace) as heard:
        await workspace.person("ana").command("#deploys", "/deploy", "api v1.4 staging")
        await workspace.wait_for(lambda: workspace.ephemerals("ana"))
        [message] = workspace.messages("#deploys")
        assert await workspace.person("raj").click(message, "Roll back")
        await workspace.wait_for(lambda: workspace.messages("#deploys")[0]["text"] == "rolled back")
    assert heard.commands[0].keys() == COMMAND_KEYS
    assert heard.clicks[0].keys() == CLICK_KEYS
    assert heard.clicks[0]["actions"][0].keys() == {
        *("action_id", "block_id", "text", "value", "type", "action_ts", "confirm"),
    }
    assert "blocks" not in workspace.messages("#deploys")[0]
    assert [m["text"] for m in workspace.ephemerals("ana")] == ["only you"]
    assert workspace.notices == []


async def test_a_command_and_a_click_go_round_by_signed_http() -> None:
    async with by_http() as (workspace, heard):
        assert await workspace.deliverer.http.verify()
        await workspace.person("ana").command("#deploys", "/deploy", "api v1.4 staging")
        await workspace.wait_for(lambda: workspace.ephemerals("ana"))
        assert await workspace.person("raj").click(workspace.messages("#deploys")[0], "Roll back")
        await workspace.wait_for(lambda: workspace.messages("#deploys")[0]["text"] == "rolled back")
        assert (heard.commands[0]["text"], heard.clicks[0]["user"]["name"]) == ("api v1.4 staging", "raj")


TYPED = "<@U0SHIPMATE> deploy api &lt;v1&gt; &amp; more in <#C0GENERAL|general>"


async def test_mentions_and_direct_messages_are_events_and_other_talk_is_not(workspace: Workspace) -> None:
    async with by_socket(workspace) as heard:
        ana = workspace.person("ana")
        await ana.say("#deploys", "lunch?")
        await ana.say("#random", "@shipmate help")  # the app is not there
        await ana.say("#deploys", "@shipmate deploy api <v1> & more in #general")
        await ana.say("@shipmate", "help")
        await workspace.wait_for(lambda: len(heard.events) == 2)
    mention, direct = (body["event"] for body in heard.events)
    assert (mention["type"], mention["text"]) == ("app_mention", TYPED)
    assert mention["blocks"][0]["elements"][0]["elements"] == [
        {"type": "user", "user_id": "U0SHIPMATE"},
        {"type": "text", "text": " deploy api <v1> & more in "},
        {"type": "channel", "channel_id": "C0GENERAL"},
    ]
    assert (direct["type"], direct["channel_type"], direct["channel"]) == ("message", "im", "DU0ANA")


async def test_an_answer_may_come_with_the_acknowledgement(workspace: Workspace) -> None:
    async with by_socket(workspace):
        await workspace.person("ana").command("#deploys", "/deploy", "said with the ack")
    assert [m["text"] for m in workspace.ephemerals("ana")] == ["here you are"]


async def test_an_answer_may_come_with_the_acknowledgement_by_http() -> None:
    async with by_http() as (workspace, _):
        await workspace.person("ana").command("#deploys", "/deploy", "said with the ack")
        assert [m["text"] for m in workspace.ephemerals("ana")] == ["here you are"]


async def test_its_signatures_are_slacks() -> None:
    headers = signed("secret", b"payload=1")
    assert SignatureVerifier("secret").is_valid_request(b"payload=1", headers)
    assert not SignatureVerifier("other").is_valid_request(b"payload=1", headers)


async def test_the_python_client_reads_writes_and_uploads(workspace: Workspace) -> None:
    workspace.rates.on = True
    client = AsyncWebClient(token=workspace.seed.app.bot_token, base_url=workspace.api_url)
    assert (await client.auth_test())["user_id"] == "U0SHIPMATE"
    posted = await client.chat_postMessage(channel="#deploys", text="Deploying")
    root, channel = posted["ts"], posted["channel"]
    marked = {"event_type": "deploy", "event_payload": {"id": "d1"}}
    await client.chat_postMessage(channel=channel, thread_ts=root, text="started", metadata=marked)
    await client.files_upload_v2(channel=channel, thread_ts=root, filename="log.txt", content="one\ntwo\n", title="Log")
    history = await client.conversations_history(channel=channel)
    replies = await client.conversations_replies(channel=channel, ts=root, include_all_metadata=True)
    assert [(m["text"], m["reply_count"]) for m in history["messages"]] == [("Deploying", 2)]
    assert [m["text"] for m in replies["messages"]] == ["Deploying", "started", ""]
    assert replies["messages"][1]["metadata"] == marked
    file = replies["messages"][2]["files"][0]
    async with aiohttp.ClientSession() as session, session.get(file["url_private_download"]) as answer:
        assert (await answer.text(), file["title"]) == ("one\ntwo\n", "Log")


async def test_the_python_client_sees_slacks_errors(workspace: Workspace) -> None:
    client = AsyncWebClient(token=workspace.seed.app.bot_token, base_url=workspace.api_url)
    with pytest.raises(SlackApiError, match="not_in_channel"):
        await client.chat_postMessage(channel="#random", text="hello")
    with pytest.raises(SlackApiError, match="user_not_found"):
        await client.users_info(user="U0NOBODY")
    groups = (await client.usergroups_list())["usergroups"]
    people = (await client.users_list())["members"]
    assert groups == []
    assert {p["name"]: p["is_restricted"] for p in people}["gus"]
    assert time.time() - float((await client.chat_postMessage(channel="C0DEPLOYS", text="now"))["ts"]) < 60
