"""An error of our own is answered with an id that the log has: never silence, never a traceback. The faults are real: a
table that is gone, a row that nobody can read, a write that the database refuses."""

import json
import re
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from sqlmodel import Session, text

from handlers.slack import tasks
from handlers.slack.form import ENVIRONMENT, FORM, SERVICE, VERSION, version_block
from handlers.slack.tasks import Breaks
from pipelines.domain.commands import Abort
from pipelines.domain.events import Asked, Place
from pipelines.domain.refusals import Accepted
from pipelines.storage import asks, database
from tests.handlers.slack.conftest import Parts
from tests.handlers.slack.test_door import opened
from tests.handlers.slack.test_painter import cards, painted, painting
from tests.support.domain import ANA
from tests.support.front import Front, now
from tests.support.repository import until
from tests.support.slack_fake import Slack, failing

Log = pytest.LogCaptureFixture
MENTION = {
    "type": "event_callback",
    "event_id": "E1",
    "event": {"type": "app_mention", "user": "U1", "channel": "C1", "ts": "1.0", "text": "<@UBOT> abort", "team": "T1"},
}
LARGE = "CREATE TRIGGER large BEFORE INSERT ON ask BEGIN INSERT INTO more VALUES (zeroblob(1000000)); END"
BROKE = re.compile(r"under ([0-9a-z]{8})\.$")


async def run(front: Front, *statements: str) -> None:
    def work(session: Session, _topics: set[str]) -> None:
        for statement in statements:
            session.connection().execute(text(statement))

    await front.database.write(work)


def id_in(line: str) -> str:
    found = BROKE.search(line)
    assert found, line
    return found[1]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "FIRST_REST", 0.01)
    for module in ("answers", "painter"):
        monkeypatch.setattr(f"handlers.slack.{module}.LOOK_AGAIN", 0.05)
    monkeypatch.setattr("handlers.slack.private.FIRST_WAIT", 0.01)


@pytest.mark.parametrize("line", ["status", "api v1.4"])
async def test_a_look_that_breaks_is_answered(
    slack: Slack, front: Front, session: aiohttp.ClientSession, caplog: Log, line: str
) -> None:
    async with opened(slack, front, session, socket=True) as visitor:
        await run(front, "ALTER TABLE stream RENAME TO away")
        assert await visitor.command(line)
        await slack.until(lambda: slack.private)
    said = visitor.told()[0]
    assert said.startswith("Something in Shipmate itself broke, and nothing was started.")
    assert f"error {id_in(said)} while answering in Slack" in caplog.text
    assert "no such table: stream" in caplog.text and "Traceback" not in str(slack.private)


@pytest.mark.parametrize("socket", [True, False])
async def test_an_ask_that_cannot_be_kept_is_answered_and_acknowledged(
    slack: Slack, front: Front, session: aiohttp.ClientSession, caplog: Log, socket: bool
) -> None:
    async with opened(slack, front, session, socket=socket) as visitor:
        await run(front, "ALTER TABLE ask RENAME TO away")
        assert await visitor.command("api v1.4 staging because canary-5309")
        assert await visitor.click("abort", '{"s":"api","e":"staging","d":"d1"}')
        assert await visitor.send("events_api", MENTION)
        await slack.until(lambda: len(slack.private) == 3)
        await run(front, "ALTER TABLE away RENAME TO ask")
        assert await visitor.command("api v1.4 staging because canary-5309", token="again")  # told already: not begun
        assert await asked(front) == []
    assert len({id_in(said) for said in visitor.told()}) == 3
    for said in visitor.told():
        assert said.startswith("Something in Shipmate itself broke, and nothing was started.")
        assert f"error {id_in(said)} while keeping what came from Slack" in caplog.text
    assert "canary" not in caplog.text and "reply/ok" not in caplog.text


async def test_an_ask_that_a_database_that_is_away_does_not_keep_is_not_acknowledged(
    slack: Slack, front: Front, session: aiohttp.ClientSession, caplog: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "AWAY_SECONDS", 0)
    async with opened(slack, front, session, socket=False) as visitor:
        await run(front, "CREATE TABLE more (x)", LARGE, "PRAGMA max_page_count = 1")  # no page more than there are
        assert not await visitor.command("api v1.4 staging")
        assert not await visitor.send("events_api", MENTION)
    assert (await asked(front), slack.private) == ([], [])
    assert re.search(r"the database was away \([0-9a-z]{8}\) while keeping what came from Slack", caplog.text)


async def asked(front: Front) -> list[str]:
    def keys(session: Session) -> list[str]:
        return [str(row[0]) for row in session.connection().execute(text("SELECT key FROM ask"))]

    return await front.database.read(keys)


def filled_in() -> dict[str, Any]:
    """A form as Slack sends it back."""
    blocks = {SERVICE: (SERVICE, "api"), version_block("api"): (VERSION, "v1.4"), ENVIRONMENT: (ENVIRONMENT, "staging")}
    values = {name: {action: {"selected_option": {"value": value}}} for name, (action, value) in blocks.items()}
    view = {
        "type": "modal",
        "id": "V1",
        "callback_id": FORM,
        "private_metadata": '{"service":"api"}',
        "state": {"values": values},
    }
    return {"user": {"id": "U1", "team_id": "T1"}, "team": {"id": "T1"}, "view": view, "trigger_id": "3.1"}


async def test_a_form_that_breaks_is_answered_in_it(
    slack: Slack, front: Front, session: aiohttp.ClientSession, caplog: Log
) -> None:
    body = {"type": "view_submission", **filled_in()}
    async with opened(slack, front, session, socket=True):
        await run(front, "ALTER TABLE ask RENAME TO away")
        envelope = await slack.deliver("interactive", body)
        await slack.until(lambda: slack.acked(envelope))
    [ack] = slack.acks
    assert f"error {id_in(ack['payload']['errors'][ENVIRONMENT])} while taking a form" in caplog.text


async def test_a_select_that_breaks_is_shown_as_failed(
    slack: Slack, front: Front, session: aiohttp.ClientSession, caplog: Log
) -> None:
    body = {"type": "block_suggestion", "action_id": SERVICE, "value": "a", **filled_in()}
    async with opened(slack, front, session, socket=False) as visitor:
        assert await visitor.send("interactive", body, urlencode({"payload": json.dumps(body)}))
        await run(front, "ALTER TABLE deploy RENAME TO away")
        again = {**body, "trigger_id": "3.2"}
        assert not await visitor.send("interactive", again, urlencode({"payload": json.dumps(again)}))
    assert re.search(r"error [0-9a-z]{8} while filling a select", caplog.text)


async def test_where_more_is_asked_than_can_be_answered_slack_says_so(
    slack: Slack, front: Front, session: aiohttp.ClientSession, caplog: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "AT_ONCE", 0)
    async with opened(slack, front, session, socket=False) as visitor:
        assert not await visitor.command("help")
        assert not await visitor.command("abort", trigger="1.2")
    assert "FullError: too many answers are under way" in caplog.text


async def test_a_decision_that_breaks_is_answered(
    slack: Slack, front: Front, session: aiohttp.ClientSession, caplog: Log
) -> None:
    async with opened(slack, front, session, socket=False) as visitor:
        await run(front, "ALTER TABLE deploy RENAME TO away")
        assert await visitor.command("abort")
        await until(lambda: " while deciding " in caplog.text)
        await run(front, "ALTER TABLE away RENAME TO deploy")
        await slack.until(lambda: slack.private)
    assert f"error {id_in(visitor.told()[0])} while deciding " in caplog.text


async def test_a_decision_that_cannot_be_written_down_is_made_again(
    slack: Slack, front: Front, session: aiohttp.ClientSession, caplog: Log
) -> None:
    no = "CREATE TRIGGER no BEFORE UPDATE ON ask BEGIN SELECT RAISE(ABORT, 'not today'); END"
    async with opened(slack, front, session, socket=False) as visitor:
        await run(front, no)
        assert await visitor.command("abort")
        await until(lambda: "while saying so of" in caplog.text)
        await run(front, "DROP TRIGGER no")
        await front.shipmate.sweep()
        await slack.until(lambda: slack.private)
    assert "Nothing is being deployed" in visitor.told()[0]


async def test_an_answer_that_cannot_be_told_is_said_to_be_lost(
    slack: Slack, front: Front, session: aiohttp.ClientSession, caplog: Log
) -> None:
    await front.plan(channel="C1")
    place = Place(surface="slack", channel="C1", reply=f"{slack.url}reply/ok")
    asked = Asked(ask="a1", key="k1", command=Abort(), by=ANA, place=place)

    def decide(session: Session, _topics: set[str]) -> None:
        asks.insert(session, asked, now())
        session.flush()
        asks.decided(session, "a1", Accepted(deploy="d1", done="abort"), now())

    await front.database.write(decide)
    await run(front, "UPDATE deploy SET body = '{}'")
    async with opened(slack, front, session, socket=False) as visitor:
        await front.until(lambda: front.shipmate.unanswered("slack"))
    [said] = visitor.told()
    assert said.startswith("What you asked for was decided, but Shipmate itself broke while telling you how.")
    assert f"error {id_in(said)} while answering a1" in caplog.text


async def test_a_message_that_cannot_be_painted_is_told_once_and_painted_when_it_can(
    slack: Slack, front: Front, parts: Parts, caplog: Log
) -> None:
    deploy = await front.plan()
    async with painting(parts, front):
        await slack.until(lambda: cards(slack))
        await run(front, "ALTER TABLE output RENAME TO away")
        await front.start(deploy)
        await slack.until(lambda: slack.private)
        await until(lambda: caplog.text.count("while painting d1") > 2 * tasks.HOPELESS)
        await run(front, "ALTER TABLE away RENAME TO output")
        for number in range(len(deploy.plan.steps)):
            await front.end(deploy, number=number)
        await front.close(deploy)
        await painted(front)
    [told] = slack.private
    assert told["user"] == ANA.slack
    assert told["text"].startswith("Shipmate itself broke while showing api v1.4 in staging, so its message may not be")
    assert f"error {id_in(told['text'])} while painting d1" in caplog.text
    assert "is live in staging" in cards(slack)[0]["text"]


async def test_a_row_that_nobody_can_read_holds_up_no_other(
    slack: Slack, front: Front, parts: Parts, caplog: Log
) -> None:
    await front.ship("v1.3", deploy="odd")
    await front.ship("v1.4", deploy="d2")
    await run(front, "UPDATE deploy SET body = '{}' WHERE id = 'odd'")
    async with painting(parts, front):
        await painted(front)
    assert "api v1.4 is live in staging" in cards(slack)[-1]["text"]
    assert caplog.text.count("while reading Deploy odd") == 1


async def test_an_ask_and_an_answer_that_nobody_can_read_hold_up_no_other(
    slack: Slack, front: Front, session: aiohttp.ClientSession, caplog: Log
) -> None:
    odd = "INSERT INTO ask (id, key, at, surface, body, outcome) SELECT '{0}', '{0}', at, surface, '{{}}', '' FROM ask"
    async with opened(slack, front, session, socket=False) as visitor:
        assert await visitor.command("abort")
        await slack.until(lambda: slack.private)
        await run(front, odd.format("odd1"), "UPDATE ask SET decided_at = at WHERE id = 'odd1'")
        await run(front, odd.format("odd2") + " LIMIT 1")
        await front.shipmate.sweep()
        assert await visitor.command("abort", trigger="1.2")
        await slack.until(lambda: len(slack.private) == 2)
    assert "while reading the ask odd2, which is left alone" in caplog.text
    assert "while reading the answer to odd1, which is left alone" in caplog.text


async def test_a_look_is_answered_though_slack_is_away_for_a_while(
    slack: Slack, front: Front, session: aiohttp.ClientSession
) -> None:
    slack.fates["chat.postEphemeral"] = failing("internal_error", status=500, times=3)
    async with opened(slack, front, session, socket=True) as visitor:
        assert await visitor.command("help", response_url=f"{slack.url}reply/used")
        await slack.until(lambda: slack.private)
    assert len(slack.of("chat.postEphemeral")) == 4


def test_what_breaks_again_and_again_rests_longer_and_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    clock = [0.0]
    breaks = Breaks(lambda: clock[0])
    rests = []
    for times in range(1, 10):
        assert breaks.broke("a") == times and breaks.rests("a") and not breaks.rests("b")
        began = clock[0]
        while breaks.rests("a"):
            clock[0] += 0.5
        rests.append(clock[0] - began)
    assert rests == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    breaks.good("a")
    assert breaks.broke("a") == 1
