"""The Web API's words: what it takes, in every form that clients send, and what it refuses, as Slack does."""

import json
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from bot.workspace import Workspace, default_seed
from tests.bot.workspace.conftest import Api

TOKEN = default_seed().app.bot_token


async def test_every_form_that_clients_send_is_read(workspace: Workspace, http: aiohttp.ClientSession) -> None:
    url = f"{workspace.api_url}chat.postMessage"
    said = {"channel": "C0DEPLOYS", "text": "hello"}
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    parts = aiohttp.FormData({**said, "token": TOKEN}, default_to_multipart=True)
    for sent in (
        http.get(url, params={**said, "token": TOKEN}),
        http.post(url, params=said, headers=bearer),
        http.post(url, data={**said, "token": TOKEN}),
        http.post(url, json=said, headers=bearer),
        http.post(url, data=parts),
    ):
        async with sent as answer:
            assert (await answer.json())["ok"] is True
    assert [m["text"] for m in workspace.messages("#deploys")] == ["hello"] * 5
    assert all("token" not in call.args for call in workspace.calls)


@pytest.mark.parametrize(
    ("method", "token", "error"),
    [
        ("chat.nothing", TOKEN, "unknown_method"),
        ("chat", TOKEN, "unknown_method"),
        (".channel", TOKEN, "unknown_method"),
        ("auth.test", "", "not_authed"),
        ("auth.test", "xoxb-another", "invalid_auth"),
        ("apps.connections.open", TOKEN, "not_allowed_token_type"),
        ("auth.test", default_seed().app.app_token, "not_allowed_token_type"),
        ("reactions.add", TOKEN, "missing_scope"),
    ],
)
async def test_callers_without_the_right_are_refused(
    workspace: Workspace, http: aiohttp.ClientSession, method: str, token: str, error: str
) -> None:
    async with http.post(f"{workspace.api_url}{method}", data={"token": token}) as answer:
        found = await answer.json()
    assert (found["ok"], found["error"]) == (False, error)


@pytest.mark.parametrize(
    ("method", "args", "error"),
    [
        ("chat.postMessage", {"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": "G0SECRET", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": "C0RANDOM", "text": "x"}, "not_in_channel"),
        ("chat.postMessage", {"channel": "C0DEPLOYS"}, "no_text"),
        ("chat.postMessage", {"channel": "C0DEPLOYS", "text": "x", "thread_ts": "1.2"}, "thread_not_found"),
        ("chat.postMessage", {"channel": "C0DEPLOYS", "text": "x", "blocks": "{"}, "invalid_blocks"),
        ("chat.postMessage", {"channel": "C0DEPLOYS", "text": "x", "metadata": {"a": 1}}, "invalid_metadata_format"),
        ("chat.postMessage", {"channel": "C0DEPLOYS", "text": "x", "markdown_text": "y"}, "markdown_text_conflict"),
        ("chat.update", {"channel": "C0DEPLOYS", "ts": "1.2", "text": "x"}, "message_not_found"),
        ("chat.update", {"channel": "#deploys", "ts": "1.2", "text": "x"}, "channel_not_found"),
        ("chat.delete", {"channel": "C0DEPLOYS", "ts": "1.2"}, "message_not_found"),
        ("chat.postEphemeral", {"channel": "C0DEPLOYS", "user": "U0X", "text": "x"}, "user_not_in_channel"),
        ("chat.postEphemeral", {"channel": "C0RANDOM", "user": "U0ANA", "text": "x"}, "not_in_channel"),
        ("chat.getPermalink", {"channel": "C0DEPLOYS", "message_ts": "1.2"}, "message_not_found"),
        ("conversations.info", {"channel": "C0NOWHERE"}, "channel_not_found"),
        ("conversations.history", {"channel": "C0RANDOM"}, "not_in_channel"),
        ("conversations.history", {"channel": "C0DEPLOYS", "limit": "many"}, "invalid_limit"),
        ("conversations.history", {"channel": "C0DEPLOYS", "oldest": [1]}, "invalid_arguments"),
        ("conversations.history", {"channel": "C0DEPLOYS", "oldest": "soon"}, "invalid_arguments"),
        ("conversations.replies", {"channel": "C0DEPLOYS", "ts": "1.2"}, "thread_not_found"),
        ("users.info", {"user": "ana"}, "user_not_found"),
        ("users.lookupByEmail", {"email": "nobody@acme.test"}, "users_not_found"),
        ("usergroups.users.list", {"usergroup": "S0NONE"}, "no_such_subteam"),
        ("files.completeUploadExternal", {"files": [{"id": "F0NONE"}]}, "file_not_found"),
        ("files.getUploadURLExternal", {"filename": "log"}, "invalid_arguments"),
        ("views.open", {"trigger_id": "1.2.3", "view": {"type": "home"}}, "invalid_arguments"),
    ],
)
async def test_what_cannot_be_done_is_refused_with_slacks_word(
    api: Api, method: str, args: dict[str, Any], error: str
) -> None:
    assert (await api(method, **args))["error"] == error


async def test_a_body_that_is_no_json_is_an_error_and_not_a_crash(
    workspace: Workspace, http: aiohttp.ClientSession
) -> None:
    headers = {"Content-Type": "application/json"}
    async with http.post(f"{workspace.api_url}api.test", data=b"{", headers=headers) as answer:
        assert (answer.status, (await answer.json())["error"]) == (200, "invalid_json")
    async with http.post(f"{workspace.api_url}api.test", data=b"[]", headers=headers) as answer:
        assert (await answer.json())["error"] == "json_not_object"


async def test_messages_of_people_are_not_the_apps_to_change(workspace: Workspace, api: Api) -> None:
    said = await workspace.person("ana").say("#deploys", "mine")
    assert (await api("chat.update", channel="C0DEPLOYS", ts=said["ts"], text="x"))["error"] == "cant_update_message"
    assert (await api("chat.delete", channel="C0DEPLOYS", ts=said["ts"]))["error"] == "cant_delete_message"


async def test_texts_have_limits(api: Api) -> None:
    posted = await api("chat.postMessage", channel="C0DEPLOYS", text="x" * 40_001)
    assert (len(posted["message"]["text"]), posted["warning"]) == (40_000, "message_truncated")
    longer = await api("chat.update", channel="C0DEPLOYS", ts=posted["ts"], text="x" * 4_001)
    assert longer["error"] == "msg_too_long"


async def test_an_update_without_blocks_takes_them_away_and_marks_the_edit(workspace: Workspace, api: Api) -> None:
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "a"}}
    posted = await api("chat.postMessage", channel="C0DEPLOYS", text="a", blocks=json.dumps([section]))
    assert posted["message"]["blocks"][0]["block_id"]
    again = await api("chat.update", channel="C0DEPLOYS", ts=posted["ts"], text="b", blocks=[section])
    assert "edited" not in again["message"]
    plain = await api("chat.update", channel="C0DEPLOYS", ts=posted["ts"], text="c")
    assert ("blocks" in plain["message"], "edited" in plain["message"]) == (False, True)
    assert [m["text"] for m in workspace.messages("#deploys")] == ["c"]


async def test_history_is_newest_first_in_pages_and_without_replies(api: Api) -> None:
    posted = [await api("chat.postMessage", channel="C0DEPLOYS", text=str(n)) for n in range(5)]
    await api("chat.postMessage", channel="C0DEPLOYS", text="reply", thread_ts=posted[0]["ts"])
    await api("chat.postMessage", channel="C0DEPLOYS", text="loud", thread_ts=posted[0]["ts"], reply_broadcast=True)
    first = await api("conversations.history", channel="C0DEPLOYS", limit=4)
    cursor = first["response_metadata"]["next_cursor"]
    rest = await api("conversations.history", channel="C0DEPLOYS", limit=4, cursor=cursor)
    assert [m["text"] for m in first["messages"]] == ["loud", "4", "3", "2"]
    assert [m["text"] for m in rest["messages"]] == ["1", "0"]
    assert (first["has_more"], rest["has_more"]) == (True, False)


async def test_deleting_a_reply_is_counted(workspace: Workspace, api: Api) -> None:
    root = await api("chat.postMessage", channel="C0DEPLOYS", text="root")
    reply = await api("chat.postMessage", channel="C0DEPLOYS", text="reply", thread_ts=root["ts"])
    assert workspace.messages("#deploys")[0]["reply_count"] == 1
    await api("chat.delete", channel="C0DEPLOYS", ts=reply["ts"])
    assert "reply_count" not in workspace.messages("#deploys")[0]


async def test_a_private_message_is_seen_by_one_person_alone(workspace: Workspace, api: Api) -> None:
    await api("chat.postEphemeral", channel="C0DEPLOYS", user="U0ANA", text="psst")
    assert [m["text"] for m in workspace.ephemerals("ana")] == ["psst"]
    assert (workspace.ephemerals("raj"), workspace.messages("#deploys")) == ([], [])
    assert (await api("conversations.history", channel="C0DEPLOYS"))["messages"] == []


async def test_posting_to_a_person_is_a_direct_message_with_a_channel_of_its_own(api: Api) -> None:
    posted = await api("chat.postMessage", channel="U0RAJ", text="hello raj")
    assert posted["channel"] == "DU0RAJ"
    assert (await api("chat.update", channel="U0RAJ", ts=posted["ts"], text="x"))["error"] == "channel_not_found"
    assert (await api("chat.update", channel="DU0RAJ", ts=posted["ts"], text="x"))["ok"]


async def test_an_invitation_opens_a_channel(workspace: Workspace, api: Api) -> None:
    assert (await api("chat.postMessage", channel="C0RANDOM", text="x"))["error"] == "not_in_channel"
    await workspace.person("ana").command("#random", "/invite", "@shipmate")
    assert (await api("chat.postMessage", channel="C0RANDOM", text="x"))["ok"]
    assert (await api("conversations.info", channel="C0RANDOM"))["channel"]["is_member"]


async def test_people_are_told_apart(api: Api) -> None:
    described = {name: (await api("users.info", user=f"U0{name.upper()}"))["user"] for name in ("ana", "gus", "eve")}
    assert [described[name]["is_restricted"] for name in described] == [False, True, False]
    assert described["eve"]["team_id"] != described["ana"]["team_id"]
    assert (await api("users.info", user="U0OLDDAN"))["user"]["deleted"]
    assert (await api("users.info", user="U0OTHERBOT"))["user"]["is_bot"]


async def test_a_modal_opens_once_with_a_fresh_trigger(workspace: Workspace, api: Api) -> None:
    view = {"type": "modal", "title": {"type": "plain_text", "text": "Deploy"}, "blocks": [{"type": "divider"}]}
    trigger = workspace.people.triggers.new("U0ANA")
    opened = await api("views.open", trigger_id=trigger, view=view)
    assert (await api("views.open", trigger_id=trigger, view=view))["error"] == "exchanged_trigger_id"
    assert (await api("views.open", trigger_id="1.2.3", view=view))["error"] == "invalid_trigger_id"
    kept = opened["view"]
    assert (await api("views.update", view_id=kept["id"], hash="old", view=view))["error"] == "hash_conflict"
    assert (await api("views.update", view_id=kept["id"], hash=kept["hash"], view=view))["ok"]
    assert (await api("views.update", view_id="V0NONE", view=view))["error"] == "not_found"
    asks = {**view, "blocks": [{"type": "input", "label": view["title"], "element": {"type": "plain_text_input"}}]}
    [told] = (await api("views.open", trigger_id="1", view=asks))["response_metadata"]["messages"]
    assert told == "[ERROR] must define `submit` to use an `input` block in modals [json-pointer:/view/blocks/0/input]"


async def test_scopes_that_are_held_open_methods(http: aiohttp.ClientSession) -> None:
    seed = default_seed()
    workspace = Workspace(replace(seed, app=replace(seed.app, scopes="chat:write,chat:write.public,reactions:write")))
    await workspace.start()
    try:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        post, react = f"{workspace.api_url}chat.postMessage", f"{workspace.api_url}reactions.add"
        async with http.post(post, json={"channel": "C0RANDOM", "text": "x"}, headers=headers) as answer:
            posted = await answer.json()
        said = {"channel": "C0RANDOM", "timestamp": posted["ts"], "name": "eyes"}
        for expected in (None, "already_reacted"):
            async with http.post(react, json=said, headers=headers) as answer:
                assert (await answer.json()).get("error") == expected
    finally:
        await workspace.stop()
