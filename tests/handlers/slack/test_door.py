"""The whole door over both transports: what is typed and clicked is asked once, acknowledged, and answered."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import REGISTRY
from sqlmodel import Session, select

from handlers.slack.door import SlackDoor
from handlers.slack.edge import PATH, sign
from pipelines.domain.commands import Abort, Rollback
from pipelines.domain.events import Asked, Place
from pipelines.domain.model import Person
from pipelines.domain.refusals import Accepted
from pipelines.storage import asks as stored
from pipelines.storage.tables import AskRow
from tests.handlers.slack.conftest import Parts
from tests.support.front import Front, now
from tests.support.repository import until
from tests.support.slack_fake import Slack, failing, user

SECRET = "s3cret"
Log = pytest.LogCaptureFixture
Patch = pytest.MonkeyPatch
BUTTON = json.dumps({"s": "api", "e": "staging", "d": "d404"})


@dataclass(frozen=True, kw_only=True)
class Keys:
    bot_token: str = "xoxb-1"
    app_token: str | None = None
    signing_secret: str | None = SECRET
    api_url: str


@dataclass
class Visitor:
    """Slack's side of the door: delivers, by one of the two transports; True when it was acknowledged."""

    slack: Slack
    url: str
    session: aiohttp.ClientSession
    socket: bool

    async def command(self, text: str, *, command: str = "/deploy", trigger: str = "1.1", **more: str) -> bool:
        body = {
            "command": command,
            "text": text,
            "user_id": "U1",
            "user_name": "ana",
            "team_id": "T1",
            "channel_id": "C1",
            "trigger_id": trigger,
            "response_url": f"{self.slack.url}reply/ok",
            **more,
        }
        return await self.send("slash_commands", body, urlencode(body))

    async def click(
        self,
        action: str,
        value: str,
        *,
        trigger: str = "2.1",
        team: str = "T1",
        by: str = "U1",
        ephemeral: bool = False,
    ) -> bool:
        body = {
            "type": "block_actions",
            "user": {"id": by, "name": "ana", "team_id": team},
            "team": {"id": "T1"},
            "container": {"type": "message", "channel_id": "C1", "message_ts": "1.0", "is_ephemeral": ephemeral},
            "channel": {"id": "C1"},
            "trigger_id": trigger,
            "response_url": f"{self.slack.url}reply/ok",
            "actions": [{"action_id": action, "value": value, "text": {"type": "plain_text", "text": "Abort"}}],
        }
        return await self.send("interactive", body, urlencode({"payload": json.dumps(body)}))

    async def send(self, kind: str, payload: Mapping[str, Any], form: str | None = None) -> bool:
        if self.socket:
            envelope = await self.slack.deliver(kind, payload)
            await self.slack.until(lambda: self.slack.acked(envelope), seconds=3)
            return True
        body = (form or json.dumps(payload)).encode()
        stamp = str(int(time.time()))
        headers = {
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": sign(SECRET.encode(), stamp, body).decode(),
            "Content-Type": "application/x-www-form-urlencoded" if form else "application/json",
        }
        async with self.session.post(self.url, data=body, headers=headers) as answer:
            return answer.status == 200

    def told(self) -> list[str]:
        return [private["text"] for private in self.slack.private]


@asynccontextmanager
async def opened(slack: Slack, front: Front, session: aiohttp.ClientSession, *, socket: bool) -> AsyncIterator[Visitor]:
    keys = Keys(api_url=f"{slack.url}api/", app_token="xapp-1" if socket else None)
    door = SlackDoor(keys, config=lambda: front.config, clock=now)
    front.doorman.real = door.doorman
    site = web.Application()
    door.routes(site)
    runner = web.AppRunner(site, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        await door.start(front.shipmate)
        if socket:
            await slack.until(lambda: slack.sockets)
        url = f"http://127.0.0.1:{runner.addresses[0][1]}{PATH}"
        yield Visitor(slack=slack, url=url, session=session, socket=socket)
    finally:
        await door.stop()
        await runner.cleanup()


@pytest.fixture(params=["http", "socket"])
async def visitor(
    slack: Slack, front: Front, session: aiohttp.ClientSession, request: pytest.FixtureRequest
) -> AsyncIterator[Visitor]:
    async with opened(slack, front, session, socket=request.param == "socket") as visitor:
        yield visitor


async def asks(front: Front) -> list[str]:
    return await front.database.read(lambda session: list(session.exec(select(AskRow.key))))


async def test_help_is_answered_in_private(visitor: Visitor, slack: Slack) -> None:
    assert await visitor.command("help")
    await slack.until(lambda: slack.private)
    assert slack.private[0]["response_type"] == "ephemeral"
    assert "/deploy" in json.dumps(slack.private[0]["blocks"])
    assert slack.messages == []


async def test_a_misread_line_says_what_would_do(visitor: Visitor, slack: Slack) -> None:
    assert await visitor.command("api v1.4")
    await slack.until(lambda: slack.private)
    assert "Where shall api v1.4 go?" in visitor.told()[0]


async def test_what_is_not_built_is_refused_by_name(visitor: Visitor, slack: Slack) -> None:
    assert await visitor.command("freeze staging")
    await slack.until(lambda: slack.private)
    assert "freeze" in visitor.told()[0]
    assert "not built" in visitor.told()[0]


async def test_a_refused_ask_is_answered_in_private_and_once(visitor: Visitor, slack: Slack, front: Front) -> None:
    for _ in range(3):  # Slack delivers again what it thinks was lost
        await visitor.command("shop v1.4 staging", **({} if visitor.socket else {"token": str(time.monotonic())}))
    await slack.until(lambda: slack.private)
    assert "shop" in visitor.told()[0]
    assert await asks(front) == ["slack-command-1.1"]
    assert await visitor.command("help", trigger="1.9")
    await slack.until(lambda: len(slack.private) == 2)


async def test_who_was_told_while_the_answers_were_looked_up_is_not_told_again(
    visitor: Visitor, slack: Slack, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, seen = front.shipmate.unanswered, set[str]()

    async def late(surface: str, *, but: Collection[str], most: int) -> list[tuple[Asked, Any]]:
        """What was unanswered when the look began; who was found before has been told by the time it ends."""
        found = await look(surface, but=but, most=most)
        again = seen & {asked.ask for asked, _ in found}
        while again & {asked.ask for asked, _ in await look(surface)}:  # noqa: ASYNC110 (the database has no event)
            await asyncio.sleep(0.01)
        seen.update(asked.ask for asked, _ in found)
        return found

    monkeypatch.setattr(front.shipmate, "unanswered", late)
    for number in range(1, 6):
        assert await visitor.command("shop v1.4 staging", trigger=f"1.{number}")
    await slack.until(lambda: len(slack.private) >= 5)
    await front.until(lambda: look("slack"))
    assert len(slack.private) == len(await asks(front)) == 5


async def test_rollback_is_a_command_of_its_own(visitor: Visitor, slack: Slack, front: Front) -> None:
    assert await visitor.command("shop staging", command="/rollback")
    await slack.until(lambda: slack.private)
    assert "There is no service" in visitor.told()[0]
    assert len(await asks(front)) == 1
    assert await visitor.command("api staging v1.3", command="/rollback", trigger="1.2")
    await slack.until(lambda: len(slack.private) > 1)
    assert "Choose rollback api staging to v1.3" in str(slack.private[1]["blocks"])
    assert len(await asks(front)) == 1


async def test_a_click_is_asked_under_slacks_id_of_it(visitor: Visitor, slack: Slack, front: Front) -> None:
    assert await visitor.click("abort", BUTTON)
    await slack.until(lambda: slack.private)
    assert await asks(front) == ["slack-click-2.1"]
    assert "Nothing is being deployed" in visitor.told()[0]


async def test_an_offer_that_was_clicked_loses_its_button(visitor: Visitor, slack: Slack) -> None:
    assert await visitor.click("abort#2", json.dumps({"say": "abort shop staging"}), ephemeral=True)
    await slack.until(lambda: len(slack.private) == 2)
    replaced = [one for one in slack.private if one["replace_original"]]
    assert [one["text"] for one in replaced] == ["Abort: on it."]


@pytest.mark.parametrize("value", ["", "{}", "[1]", "null", "x" * 1_000])
async def test_a_button_that_nobody_can_read_does_nothing(
    visitor: Visitor, slack: Slack, front: Front, value: str
) -> None:
    assert await visitor.click("abort", value)
    await slack.until(lambda: slack.private)
    assert "another version of Shipmate" in visitor.told()[0]
    assert await asks(front) == []


@pytest.mark.parametrize(
    "payload",
    [
        {"type": "event_callback", "team_id": "T1", "event": {"type": "message", "subtype": "message_changed"}},
        {"type": "event_callback", "team_id": "T1", "event": {"type": "message", "bot_id": "B7", "text": "x"}},
        {"type": "event_callback", "team_id": "T1", "event": {"type": "app_mention", "user": "U1", "text": "x"}},
        {"type": "event_callback", "team_id": "T1", "event": {"type": "brand_new", "user": "U1"}},
        {"type": "view_submission", "team": {"id": "T1"}, "user": {"id": "U1"}, "view": {"callback_id": "x"}},
        {"type": "view_closed", "team": {"id": "T1"}, "user": {"id": "U1"}, "view": {"callback_id": "x"}},
        {"type": "shortcut", "team": {"id": "T1"}, "user": {"id": "U1"}, "callback_id": "x", "trigger_id": "1"},
        {"type": "message_action", "team": {"id": "T1"}, "user": {"id": "U1"}, "callback_id": "x"},
        {"type": "block_suggestion", "team": {"id": "T1"}, "user": {"id": "U1"}, "action_id": "x", "value": ""},
        {"type": "interactive_message", "team": {"id": "T1"}, "user": {"id": "U1"}, "callback_id": "x"},
        {"type": "brand_new_kind", "team_id": "T1"},
    ],
    ids=lambda payload: str(payload["type"]) + str(payload.get("event", {}).get("type", "")),
)
async def test_nothing_stays_unacknowledged(visitor: Visitor, payload: dict[str, Any]) -> None:
    assert await visitor.send("interactive" if "event" not in payload else "events_api", payload)


async def test_an_unknown_command_is_acknowledged_and_does_nothing(visitor: Visitor, front: Front) -> None:
    assert await visitor.command("api v1.4 staging", command="/other")
    assert await asks(front) == []


@pytest.mark.parametrize(
    ("who", "sentence"),
    [
        ({"team_id": "TOTHER"}, "another workspace"),
        ({"is_restricted": True}, "Guests"),
        ({"is_bot": True}, "Bots"),
        ({"deleted": True}, "Deactivated"),
    ],
)
@pytest.mark.parametrize("line", ["api v1.4 staging", "status", "help", "nonsense"])
async def test_who_is_no_full_member_may_do_nothing(
    visitor: Visitor, slack: Slack, who: dict[str, Any], sentence: str, line: str
) -> None:
    slack.users["U8"] = user("U8", "zoe", **who)
    assert await visitor.command(line, user_id="U8")
    await slack.until(lambda: slack.private)
    assert sentence in visitor.told()[0]


async def test_a_click_of_another_team_is_refused_whoever_the_id_is_here(visitor: Visitor, slack: Slack) -> None:
    assert await visitor.click("abort", json.dumps({"say": "api v1.4 staging"}), team="TOTHER")
    await slack.until(lambda: slack.private)
    assert "another workspace" in visitor.told()[0]


async def test_an_answer_reaches_them_when_its_address_is_used_up(visitor: Visitor, slack: Slack) -> None:
    assert await visitor.command("shop v1.4 staging", response_url=f"{slack.url}reply/used")
    await slack.until(lambda: slack.private)
    assert (slack.private[0]["channel"], slack.private[0]["user"]) == ("C1", "U1")


async def test_an_answer_that_slack_does_not_take_yet_comes_later(visitor: Visitor, slack: Slack) -> None:
    slack.fates["chat.postEphemeral"] = failing("internal_error", status=500)
    assert await visitor.command("shop v1.4 staging", response_url=f"{slack.url}reply/used")
    await slack.until(lambda: slack.private)
    assert len(slack.of("chat.postEphemeral")) == 2


async def test_the_log_button_shows_the_last_lines_to_one_person(visitor: Visitor, slack: Slack, front: Front) -> None:
    deploy = await front.plan(channel=None)
    await front.start(deploy)
    await front.say(deploy, "first\nlast\n")
    assert await visitor.click("log", json.dumps({"s": "api", "e": "staging", "d": deploy.id}))
    await slack.until(lambda: slack.private)
    assert "first\\nlast" in json.dumps(slack.private[0]["blocks"])


async def test_answers_that_were_left_are_given_by_the_next_bot(
    slack: Slack, front: Front, parts: Parts, session: aiohttp.ClientSession
) -> None:
    place = Place(surface="slack", channel="C1", reply=f"{slack.url}reply/used")
    ana = Person(id="U1", name="ana", slack="U1")
    receipt = await front.shipmate.ask(Abort(), by=ana, place=place, key="k")
    await front.shipmate.answer(receipt.ask)
    async with opened(slack, front, session, socket=False):
        await slack.until(lambda: slack.private)
        await front.until(lambda: front.shipmate.unanswered("slack"))
    async with opened(slack, front, session, socket=False) as visitor:
        assert await visitor.command("help")
        await slack.until(lambda: len(slack.private) == 2)
    assert "nothing to abort" in slack.private[0]["text"]


@pytest.mark.parametrize(
    "case",
    [
        ("C2", "d1", "planned", "api v1.4 → staging has begun"),
        ("C1", "d1", "planned", None),
        ("C1", "d1", "abort", None),
        ("C2", "d1", "abort", "is being aborted"),
        ("C1", "d2", "abort_then", None),
    ],
)
async def test_a_yes_is_told_only_where_the_message_does_not_stand(
    slack: Slack, front: Front, session: aiohttp.ClientSession, case: tuple[str, str, Any, str | None]
) -> None:
    channel, deploy, done, sentence = case
    await front.plan(channel="C1")
    place = Place(surface="slack", channel=channel, reply=f"{slack.url}reply/ok")
    command = Rollback(service="api", environment="staging")
    asked = Asked(ask="a1", key="k1", command=command, by=Person(id="U1", name="ana", slack="U1"), place=place)

    def decide(session: Session, topics: set[str]) -> None:
        stored.insert(session, asked, now())
        session.flush()
        stored.decided(session, "a1", Accepted(deploy=deploy, done=done), now())

    await front.database.write(decide)
    async with opened(slack, front, session, socket=False) as visitor:
        await front.until(lambda: front.shipmate.unanswered("slack"))
        told = [text for text in visitor.told() if sentence and sentence in text]
    assert len(slack.private) == len(told) == (1 if sentence else 0)


async def test_status_says_what_is_known(visitor: Visitor, slack: Slack, front: Front) -> None:
    await front.ship("v1.3", deploy="d1", channel=None)
    assert await visitor.command("status api staging")
    await slack.until(lambda: slack.private)
    assert "api in staging: v1.3" in visitor.told()[0]
    assert await visitor.command("status shop", trigger="1.2")
    await slack.until(lambda: len(slack.private) == 2)
    assert "There is no service" in visitor.told()[1]


async def test_the_door_opens_while_slack_is_away(
    slack: Slack, front: Front, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.slack.door.IDENTITY_SECONDS", 0.05)
    slack.fates["auth.test"] = failing("fatal_error", status=500, times=2)
    async with opened(slack, front, session, socket=False) as visitor:
        assert await visitor.command("api v1.4 staging")  # nobody knows whose user this is: refused, in private
        await slack.until(lambda: slack.private)
        assert "Slack does not answer at the moment who" in visitor.told()[0]
        await slack.until(lambda: len(slack.of("auth.test")) >= 3)


def lines(caplog: Log) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname in ("WARNING", "ERROR")]


async def test_tokens_that_slack_refuses_are_named_once(
    slack: Slack, front: Front, session: aiohttp.ClientSession, caplog: Log, monkeypatch: Patch
) -> None:
    quick(monkeypatch)
    slack.fates["auth.test"] = failing("invalid_auth", times=4)
    slack.fates["apps.connections.open"] = failing("not_allowed_token_type", times=3)
    async with opened(slack, front, session, socket=True):
        await slack.until(lambda: len(slack.of("auth.test")) == 5)
        await until(lambda: "Slack is connected again" in caplog.text)
    so = "so nothing is heard or told there. What to do about it says: shipmate doctor"
    assert sorted(lines(caplog)) == [
        "Slack is connected again",
        f"Slack refuses SLACK_APP_TOKEN (not_allowed_token_type), {so}",
        f"Slack refuses SLACK_BOT_TOKEN (invalid_auth), {so}",
    ]


async def test_slack_away_is_a_line_and_slack_back_is_one(
    slack: Slack, front: Front, session: aiohttp.ClientSession, caplog: Log, monkeypatch: Patch
) -> None:
    quick(monkeypatch)
    away = failing("fatal_error", status=500, times=6)
    slack.fates |= dict.fromkeys(("auth.test", "apps.connections.open"), away)
    async with opened(slack, front, session, socket=True):
        await until(lambda: "Slack answers again" in caplog.text)
    assert lines(caplog) == [
        "Slack does not answer; deploys go on, and what is to be told comes when it does",
        "Slack answers again",
    ]


def quick(monkeypatch: Patch) -> None:
    monkeypatch.setattr("handlers.slack.door.IDENTITY_SECONDS", 0.05)
    monkeypatch.setattr("handlers.slack.workspace.FIRST_WAIT", 0.01)
    monkeypatch.setattr("handlers.slack.socket.PING_SECONDS", 0.2)
    monkeypatch.setattr("handlers.slack.socket.WATCH_SECONDS", 0.1)


async def test_a_bot_that_is_about_to_end_acknowledges_keeps_nothing_and_says_so(
    visitor: Visitor, slack: Slack, front: Front
) -> None:
    assert await visitor.command("shop v1.4 staging")
    await slack.until(lambda: slack.private)
    front.shipmate.close()
    assert await visitor.command("api v1.4 staging", trigger="1.2")
    assert await visitor.click("abort", BUTTON, ephemeral=True)
    assert await visitor.command("status", trigger="1.3")
    again = {} if visitor.socket else {"token": "another"}
    assert await visitor.command("shop v1.4 staging", **again)  # delivered again: it was kept, and is answered already
    await slack.until(lambda: len(slack.private) == 4)
    assert visitor.told()[1:] == ["Shipmate is restarting; say it again in a moment."] * 3
    assert not any(private.get("replace_original") for private in slack.private)
    assert await asks(front) == ["slack-command-1.1"]


async def test_the_last_answers_are_given_before_the_door_closes(
    slack: Slack, front: Front, session: aiohttp.ClientSession
) -> None:
    front.shipmate.close()
    async with opened(slack, front, session, socket=False) as visitor:
        assert await visitor.command("api v1.4 staging")
    assert visitor.told() == ["Shipmate is restarting; say it again in a moment."]


async def test_what_slack_delivers_and_what_it_is_asked_is_counted(
    visitor: Visitor, slack: Slack, front: Front
) -> None:
    def counted(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0.0

    def figures() -> list[float]:
        return [
            counted("shipmate_ack_seconds_count", kind="command"),
            counted("shipmate_ack_seconds_count", kind="click"),
            counted("shipmate_slack_calls_total", method="response_url", result="ok"),
            counted("shipmate_slack_calls_total", method="users.info", result="ok"),
            counted("shipmate_slack_calls_total", method="users.info", result="refused"),
            counted("shipmate_slack_rate_limited_total", method="users.info"),
        ]

    before = figures()
    slack.fates["users.info"] = failing("ratelimited", status=429, retry_after="0")
    assert await visitor.command("help")
    await slack.until(lambda: slack.private)
    assert await visitor.click("abort", BUTTON, by="U2")
    await slack.until(lambda: len(slack.private) == 2)
    assert await visitor.command("help", trigger="1.8", user_id="U404")
    await slack.until(lambda: len(slack.private) == 3)
    expected = [then + more for then, more in zip(before, [2, 1, 3, 2, 1, 1], strict=True)]

    async def missing() -> list[float]:
        return [] if figures() == expected else figures()

    await front.until(missing, seconds=5)  # an answer is counted once Slack has said that it has it


async def test_bodies_are_in_no_log(visitor: Visitor, slack: Slack, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    caplog.set_level("ERROR", logger="handlers.slack.sdk")
    await visitor.command("help canary-5309", trigger="canary-trigger")
    await visitor.send("events_api", {"type": "brand_new", "team_id": "T1", "text": "canary-5309"})
    await slack.until(lambda: slack.private)
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith(("asyncio", "tests"))]
    assert not any("canary" in line for line in ours)
