"""The edge over real HTTP: what is not signed by Slack, now and for the first time, is refused before it is parsed."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.async_app import AsyncApp

from handlers.slack import edge
from handlers.slack.edge import Edge, Replays, sign

SECRET = "s3cret"
COMMAND = b"command=%2Fdeploy&text=help&user_id=U1&trigger_id=1.2&team_id=T1&channel_id=C1"


@dataclass
class Door:
    url: str
    session: aiohttp.ClientSession
    parsed: list[object] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)

    async def send(
        self, body: bytes, *, timestamp: str | None = None, signature: str | None = None, **headers: str
    ) -> tuple[int, str]:
        stamp = timestamp if timestamp is not None else str(int(time.time()))
        signed = signature if signature is not None else sign(SECRET.encode(), stamp, body).decode()
        sent = {
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": signed,
            "Content-Type": "application/x-www-form-urlencoded",
            **headers,
        }
        async with self.session.post(self.url, data=body, headers=sent) as answer:
            return answer.status, await answer.text()


@pytest.fixture
async def door(session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Door]:
    app = AsyncApp(token="xoxb", authorize=_authorize, request_verification_enabled=False, name="test")  # type: ignore[arg-type]
    door = Door(url="", session=session)

    async def on_command(ack: object, body: dict[str, str]) -> None:
        door.heard.append(body["trigger_id"])
        await ack()  # type: ignore[operator]

    app.command("/deploy")(on_command)
    real = json.loads

    def counted(text: str, *more: object, **most: object) -> object:
        door.parsed.append(text)
        return real(text, *more, **most)  # type: ignore[arg-type]

    site = web.Application()
    site.router.add_post(edge.PATH, Edge(SECRET, app).receive)
    runner = web.AppRunner(site, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    door.url = f"http://127.0.0.1:{runner.addresses[0][1]}{edge.PATH}"
    monkeypatch.setattr(json, "loads", counted)
    yield door
    await runner.cleanup()


async def _authorize() -> object:
    from slack_bolt.authorization import AuthorizeResult

    return AuthorizeResult(enterprise_id=None, team_id="T1", bot_token="xoxb")


async def test_a_signed_command_is_heard_and_acknowledged(door: Door) -> None:
    assert await door.send(COMMAND) == (200, "")
    assert door.heard == ["1.2"]


@pytest.mark.parametrize(
    "timestamp",
    [
        "",
        "abc",
        "1.0",
        "nan",
        "-1795217186",
        " 1795217186",
        "17952_17186",
        "9" * 5_000,
        "\uff11\uff17\uff19\uff15\uff12\uff11\uff17\uff11\uff18\uff16",
        "0000000000",
    ],
)
async def test_a_timestamp_that_is_odd_or_old_is_refused(door: Door, timestamp: str) -> None:
    assert (await door.send(COMMAND, timestamp=timestamp))[0] == 401
    assert door.heard == []


@pytest.mark.parametrize("skew", [-302, 302, -86_400])
async def test_a_stale_request_is_refused_although_its_signature_is_good(door: Door, skew: int) -> None:
    assert (await door.send(COMMAND, timestamp=str(int(time.time()) + skew)))[0] == 401
    assert door.heard == []


@pytest.mark.parametrize("signature", ["", "v0=", "v0=" + "0" * 64, "v1=" + "0" * 64, "ü" * 67, "v0=" + "F" * 64])
async def test_a_forged_signature_is_refused_and_nothing_is_parsed(door: Door, signature: str) -> None:
    deep = b"[" * 100_000
    status, text = await door.send(deep, signature=signature)
    assert (status, json.loads(text)) == (401, {"error": "invalid request"})
    assert door.parsed == [text]  # only what this test itself has just read


async def test_every_refusal_is_the_same_answer(door: Door) -> None:
    stamp = str(int(time.time()))
    good = sign(SECRET.encode(), stamp, COMMAND).decode()
    await door.send(COMMAND, timestamp=stamp, signature=good)
    answers = {
        await door.send(COMMAND, timestamp=stamp, signature=good),
        await door.send(COMMAND, signature="v0=" + "0" * 64),
        await door.send(COMMAND, timestamp="1000000000"),
        await door.send(COMMAND, signature=""),
        await door.send(b"ssl_check=1", signature=""),
    }
    assert answers == {(401, '{"error": "invalid request"}')}


async def test_of_a_hundred_copies_at_once_one_is_heard(door: Door) -> None:
    stamp = str(int(time.time()))
    good = sign(SECRET.encode(), stamp, COMMAND).decode()
    answers = await asyncio.gather(*(door.send(COMMAND, timestamp=stamp, signature=good) for _ in range(100)))
    assert sorted(status for status, _ in answers) == [200] + [401] * 99
    assert door.heard == ["1.2"]


async def test_a_request_that_is_too_large_is_not_read_to_its_end(door: Door) -> None:
    assert (await door.send(b"x" * (1024 * 1024 + 1)))[0] == 413
    assert door.heard == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"[1]", "application/json"),
        (b'"text"', "application/json"),
        (b"{", "application/json"),
        (b'{"event": []}', "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b'payload={"type":"block_actions","actions":[]}', "application/x-www-form-urlencoded"),
        (b'payload={"type":"block_actions","actions":[{"action_id":1}]}', "application/x-www-form-urlencoded"),
        (b"payload=[1]", "application/x-www-form-urlencoded"),
    ],
)
async def test_a_signed_request_that_makes_no_sense_is_a_bad_request(door: Door, body: bytes, kind: str) -> None:
    assert (await door.send(body, **{"Content-Type": kind}))[0] == 400


async def test_slack_may_ask_whether_the_address_is_ours(door: Door) -> None:
    body = b'{"type": "url_verification", "challenge": "c-1"}'
    status, text = await door.send(body, **{"Content-Type": "application/json"})
    assert (status, "c-1" in text) == (200, True)
    assert (await door.send(b"ssl_check=1&token=x"))[0] == 200


async def test_what_nobody_handles_is_acknowledged(door: Door) -> None:
    body = b'{"type": "brand_new_thing", "team_id": "T1"}'
    assert (await door.send(body, **{"Content-Type": "application/json"}))[0] == 200


def test_signatures_are_kept_for_ten_minutes_and_no_longer() -> None:
    clock = [0.0]
    replays = Replays(clock=lambda: clock[0])
    assert replays.first(b"a")
    clock[0] = 599
    assert not replays.first(b"a")
    clock[0] = 601
    assert replays.first(b"a")
    replays.forget(b"a")
    assert replays.first(b"a")
