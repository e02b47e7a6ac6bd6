"""Socket Mode as a bare client sees it: tickets, envelopes, acknowledgements and what happens without them."""

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.workspace import Workspace, default_seed

PACE = 0.05  # an acknowledgement may take 150 ms


@pytest.fixture
async def quick() -> AsyncIterator[Workspace]:
    workspace = Workspace(default_seed(), pace=PACE)
    await workspace.start()
    yield workspace
    await workspace.stop()


async def address(workspace: Workspace, http: aiohttp.ClientSession) -> str:
    headers = {"Authorization": f"Bearer {workspace.seed.app.app_token}"}
    async with http.post(f"{workspace.api_url}apps.connections.open", headers=headers) as answer:
        return str((await answer.json())["url"])


@contextlib.asynccontextmanager
async def connected(
    workspace: Workspace, http: aiohttp.ClientSession
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with http.ws_connect(await address(workspace, http), autoping=False) as socket:
        hello = await socket.receive_json(timeout=5)
        assert (hello["type"], hello["connection_info"]) == ("hello", {"app_id": "A0LOCAL"})
        yield socket


async def next_envelope(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    found: dict[str, Any] = await socket.receive_json(timeout=5)
    return found


async def test_a_ticket_is_good_for_once(workspace: Workspace, http: aiohttp.ClientSession) -> None:
    url = await address(workspace, http)
    async with http.ws_connect(url) as socket:
        assert (await socket.receive_json(timeout=5))["num_connections"] == 1
        for spent in (url, url.partition("?")[0]):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await http.ws_connect(spent)
            assert refused.value.status == 401


async def test_no_more_than_ten_connect(workspace: Workspace, http: aiohttp.ClientSession) -> None:
    async with contextlib.AsyncExitStack() as open_:
        for _ in range(10):
            await open_.enter_async_context(connected(workspace, http))
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(await address(workspace, http))
        assert refused.value.status == 429


async def test_a_ping_is_answered_with_the_same_bytes(workspace: Workspace, http: aiohttp.ClientSession) -> None:
    async with connected(workspace, http) as socket:
        await socket.ping(b"sdk-ping-pong:1")
        answer = await socket.receive(timeout=5)
        assert (answer.type, bytes(answer.data)) == (aiohttp.WSMsgType.PONG, b"sdk-ping-pong:1")


async def test_each_connection_has_its_turn(workspace: Workspace, http: aiohttp.ClientSession) -> None:
    async with connected(workspace, http) as one, connected(workspace, http) as two:
        for text in ("1", "2", "3", "4"):
            workspace.deliverer.later(workspace.person("ana").command("#deploys", "/deploy", text))
        got = [sorted([(await next_envelope(s))["payload"]["text"] for _ in range(2)]) for s in (one, two)]
    assert sorted(got) == [["1", "3"], ["2", "4"]]


async def test_what_is_not_acknowledged_fails_for_the_person_and_is_sent_again(
    quick: Workspace, http: aiohttp.ClientSession
) -> None:
    async with connected(quick, http) as socket:
        await quick.person("ana").command("#deploys", "/deploy", "api v1.4 staging")
        assert [n["text"] for n in quick.notices] == ["/deploy failed because the app did not respond"]
        first, again = await next_envelope(socket), await next_envelope(socket)
        assert (again["envelope_id"], again["payload"]) == (first["envelope_id"], first["payload"])
        assert ("retry_attempt" in first, again["retry_attempt"], again["retry_reason"]) == (False, 1, "timeout")
        await socket.send_json({"envelope_id": again["envelope_id"]})
        await quick.wait_for(lambda: quick.deliverer.log[-1]["acked"])
    assert [(one["attempt"], one["acked"]) for one in quick.deliverer.log] == [(0, False), (1, True)]


async def test_a_button_without_an_acknowledgement_says_so(quick: Workspace, http: aiohttp.ClientSession) -> None:
    button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
    blocks = [{"type": "actions", "elements": [button]}]
    headers = {"Authorization": f"Bearer {quick.seed.app.bot_token}"}
    said = {"channel": "C0DEPLOYS", "text": "a", "blocks": blocks}
    async with http.post(f"{quick.api_url}chat.postMessage", json=said, headers=headers) as answer:
        assert (await answer.json())["ok"]
    async with connected(quick, http):
        assert not await quick.person("ana").click(quick.messages("#deploys")[0], "Go")
    assert [n["text"] for n in quick.notices] == ["That button did not work: the app did not respond"]


async def test_with_nobody_connected_a_command_fails_at_once_and_an_event_waits(
    quick: Workspace, http: aiohttp.ClientSession
) -> None:
    await quick.person("ana").command("#deploys", "/deploy", "x")
    await quick.person("ana").say("#deploys", "@shipmate help")
    assert [n["text"] for n in quick.notices] == ["/deploy failed because the app did not respond"]
    async with connected(quick, http) as socket:
        envelope = await next_envelope(socket)
    assert (envelope["type"], envelope["payload"]["event"]["type"]) == ("events_api", "app_mention")
    assert envelope["retry_attempt"] > 0


async def test_the_app_can_be_told_to_connect_anew(workspace: Workspace, http: aiohttp.ClientSession) -> None:
    async with connected(workspace, http) as socket:
        await workspace.deliverer.sockets.disconnect("warning")
        assert (await next_envelope(socket))["reason"] == "warning"
        workspace.deliverer.later(workspace.deliverer.sockets.disconnect())
        assert (await next_envelope(socket))["reason"] == "refresh_requested"
        assert (await socket.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE
    await workspace.wait_for(lambda: not workspace.deliverer.sockets.connections)


async def test_nonsense_from_the_app_is_passed_over(workspace: Workspace, http: aiohttp.ClientSession) -> None:
    async with connected(workspace, http) as socket:
        for nonsense in ("{", "7", json.dumps({"envelope_id": []}), json.dumps({"envelope_id": "none"})):
            await socket.send_str(nonsense)
        workspace.deliverer.later(workspace.person("ana").command("#deploys", "/deploy", "x"))
        envelope = await next_envelope(socket)
        await socket.send_json({"envelope_id": envelope["envelope_id"], "payload": {"text": "got it"}})
        await workspace.wait_for(lambda: workspace.ephemerals("ana"))
