"""The painter before a Slack that works, is away, forgets answers, or has no place for us. Judged from Slack's side."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from handlers.slack.canvas import Studio
from handlers.slack.painter import Painter
from handlers.slack.sending import Sender
from pipelines.domain.commands import Button, Retry
from pipelines.domain.events import AbortAsked, Outcome, Progress
from pipelines.domain.model import Person
from tests.handlers.slack.conftest import Parts
from tests.support.domain import ANA
from tests.support.front import Front, now
from tests.support.slack_fake import Slack, failing

Data = dict[str, Any]
PACE = 3.0


@asynccontextmanager
async def painting(parts: Parts, front: Front, *, later: timedelta = timedelta()) -> AsyncIterator[None]:
    studio = Studio(
        shipmate=front.shipmate,
        sender=Sender(parts.painting_web),
        budgets=parts.budgets,
        channels=parts.channels,
        private=parts.private,
        clock=lambda: now() + later,
    )
    task = asyncio.create_task(Painter(studio).run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def painted(front: Front) -> None:
    """Wait until all that is shown is recorded as true."""
    await front.until(front.shipmate.unpainted)


def said(message: Data) -> str:
    return str(message["text"]) + " " + json.dumps(message["blocks"], ensure_ascii=False)


def cards(slack: Slack) -> list[Data]:
    return [message for message in slack.messages if not message.get("thread_ts")]


def in_thread(slack: Slack, words: str) -> Callable[[], list[Data]]:
    return lambda: [message for message in slack.messages if message.get("thread_ts") and words in said(message)]


def shown(slack: Slack, words: str, number: int = 0) -> Callable[[], bool]:
    """A condition: the message of a deploy, by its number, says so."""
    return lambda: len(cards(slack)) > number and words in said(cards(slack)[number])


def never_twice_in_three_seconds(slack: Slack) -> None:
    for message in slack.messages:
        for first, second in pairwise(message["edits"]):
            assert second - first >= PACE


async def test_a_deploy_has_one_message_from_its_beginning_to_its_end(parts: Parts, front: Front, slack: Slack) -> None:
    async with painting(parts, front):
        deploy = await front.plan()
        await slack.until(lambda: cards(slack))
        assert "Deploying api v1.4 → staging" in said(cards(slack)[0])
        await front.start(deploy)
        await front.say(deploy, "one\ntwo\n")
        await slack.until(in_thread(slack, "one\\ntwo"))
        await front.end(deploy)
        await front.close(deploy)
        await slack.until(shown(slack, "is live in staging", 0))
        await painted(front)
    assert len(cards(slack)) == 1
    assert cards(slack)[0]["text"].startswith("api v1.4 is live in staging")
    closing = in_thread(slack, "went live")()
    assert len(closing) == 1
    assert "<@U1>" in closing[0]["text"]
    assert '"user_id": "U1"' in said(closing[0])
    assert not any(message.get("reply_broadcast") for message in slack.messages)
    assert [file["name"][:18] for file in slack.files] == ["api-v1.4-staging-d"]
    assert b"one\ntwo\n" in slack.files[0]["content"]
    assert slack.files[0]["thread_ts"] == cards(slack)[0]["ts"]
    never_twice_in_three_seconds(slack)


async def test_a_line_is_in_the_thread_while_its_step_runs(parts: Parts, front: Front, slack: Slack) -> None:
    async with painting(parts, front):
        deploy = await front.plan()
        await front.start(deploy)
        await slack.until(lambda: cards(slack))
        clock = asyncio.get_running_loop().time
        for line in ("alpha", "beta", "gamma"):
            printed = clock()
            await front.say(deploy, f"{line}\n")
            await slack.until(in_thread(slack, line), seconds=5)
            assert clock() - printed <= 3.5
    assert len(in_thread(slack, "Output: ")()) == 1
    never_twice_in_three_seconds(slack)


async def test_many_changes_are_few_edits_and_a_clock_alone_is_none(parts: Parts, front: Front, slack: Slack) -> None:
    async with painting(parts, front):
        deploy = await front.plan()
        await slack.until(lambda: cards(slack))
        await front.start(deploy)
        for progress in (Progress.FAILED, Progress.RUNNING, Progress.FAILED, Progress.OK):
            await front.end(deploy, progress, why="exited 1")
        await slack.until(shown(slack, "✓", 0))
        edits = len(slack.of("chat.update"))
        assert edits <= 2
    async with painting(parts, front, later=timedelta(hours=1)):
        await asyncio.sleep(0.5)  # time in which a painter that follows the clock would edit
        assert len(slack.of("chat.update")) == edits


async def test_another_painter_goes_on_where_one_ended(parts: Parts, front: Front, slack: Slack) -> None:
    async with painting(parts, front):
        deploy = await front.plan()
        await front.start(deploy)
        await front.say(deploy, "kept\n")
        await slack.until(in_thread(slack, "kept"))
    await front.end(deploy)
    await front.close(deploy)
    async with painting(parts, front):
        await slack.until(shown(slack, "is live", 0))
        await painted(front)
    async with painting(parts, front):
        await painted(front)
    assert len(cards(slack)) == 1
    assert len(in_thread(slack, "went live")()) == 1
    assert len(slack.files) == 1
    assert len(in_thread(slack, "Output: ")() + in_thread(slack, "kept")()) == 2  # the same message, by two words
    never_twice_in_three_seconds(slack)


@pytest.mark.parametrize("history", [True, False])
async def test_a_post_whose_answer_was_lost_is_found_again(
    parts: Parts, front: Front, slack: Slack, history: bool
) -> None:
    slack.lost["chat.postMessage"] = 1
    if not history:
        slack.fates["conversations.history"] = failing("missing_scope", times=9)
    async with painting(parts, front):
        deploy = await front.plan()
        await front.close(deploy)
        await painted(front)
    assert len(cards(slack)) == (1 if history else 2)
    assert "is live in staging" in said(cards(slack)[-1])


@pytest.mark.long
async def test_nothing_in_the_thread_is_said_twice_when_answers_are_lost(
    parts: Parts, front: Front, slack: Slack
) -> None:
    async with painting(parts, front):
        deploy = await front.plan()
        await slack.until(lambda: cards(slack))
        slack.lost["chat.postMessage"] = 2
        slack.lost["files.completeUploadExternal"] = 1
        slack.lost["chat.update"] = 1
        await front.start(deploy)
        await front.say(deploy, "x\n")
        await front.end(deploy)
        await front.close(deploy)
        await painted(front)
    assert not any(slack.lost.values())
    assert len(cards(slack)) == 1
    for words in ("went live", "Output: ", "installed on staging"):
        assert len(in_thread(slack, words)()) == 1, words
    assert len([file for file in slack.files if file["thread_ts"]]) == 1


async def test_what_happened_while_slack_was_away_is_one_edit_and_one_line(
    parts: Parts, front: Front, slack: Slack
) -> None:
    async with painting(parts, front):
        deploy = await front.plan()
        await slack.until(lambda: cards(slack))
        away = {"chat.postMessage", "chat.update", "files.getUploadURLExternal"}
        for method in away:
            slack.fates[method] = failing("internal_error", status=503, times=10_000)
        await front.start(deploy)
        await front.end(deploy)
        await front.close(deploy)
        await slack.until(lambda: len(slack.of("chat.postMessage")) > 2)
        for method in away:
            del slack.fates[method]
        await painted(front)
    assert len(cards(slack)[0]["edits"]) == 1
    lines = slack.thread(cards(slack)[0]["ts"])
    assert len(lines) == 1
    assert "went live" in said(lines[0])
    assert "installed on staging" in said(lines[0])


async def test_a_rate_limit_is_kept(parts: Parts, front: Front, slack: Slack) -> None:
    slack.fates["chat.postMessage"] = failing("ratelimited", status=429, retry_after="1")
    async with painting(parts, front):
        await front.plan()
        await slack.until(lambda: cards(slack))
    first, second = slack.at("chat.postMessage")[:2]
    assert second - first >= 1.0


async def test_a_superseded_message_says_so_and_only_once(parts: Parts, front: Front, slack: Slack) -> None:
    async with painting(parts, front):
        await front.ship("v1.3", deploy="d1")
        await painted(front)
        await front.ship("v1.4", deploy="d2")
        await slack.until(shown(slack, "was live in staging until", 0))
        await painted(front)
    assert "is live" not in cards(slack)[0]["text"]
    assert '"button"' not in said(cards(slack)[0])
    assert "v1.4 is live" in said(cards(slack)[1])
    assert len(in_thread(slack, "went live")()) == 2


async def test_a_retry_takes_over_message_and_thread(parts: Parts, front: Front, slack: Slack) -> None:
    async with painting(parts, front):
        first = await front.plan()
        await front.start(first)
        await front.say(first, "boom\n")
        await front.end(first, Progress.FAILED, why="exited 1")
        await front.close(first, Outcome.FAILED, "install on staging exited 1")
        await slack.until(shown(slack, "failed in staging", 0))
        again = Retry(deploy="d1", service="api", environment="staging", button=Button(deploy="d1", action="retry"))
        second = await front.decide(again, deploy="d2")
        await slack.until(shown(slack, "2nd try", 0))
        await front.close(second)
        await slack.until(shown(slack, "is live in staging", 0))
        await painted(front)
    assert len(cards(slack)) == 1
    thread = slack.thread(cards(slack)[0]["ts"])
    assert any("failed in staging" in said(message) for message in thread)
    assert any("went live" in said(message) for message in thread)
    never_twice_in_three_seconds(slack)


@pytest.mark.parametrize(
    "ending",
    [(True, Outcome.FAILED, True), (False, Outcome.FAILED, False), (True, Outcome.LIVE, False)],
)
async def test_only_a_failed_protected_deploy_is_told_to_the_channel(
    parts: Parts, front: Front, slack: Slack, ending: tuple[bool, Outcome, bool]
) -> None:
    protected, outcome, broadcast = ending
    async with painting(parts, front):
        deploy = await front.plan(protected=protected)
        await front.start(deploy)
        await front.end(deploy)
        await front.close(deploy, outcome, "check on staging answered 500")
        await painted(front)
    told = [message for message in slack.messages if message.get("reply_broadcast")]
    assert bool(told) is broadcast
    assert all("failed in staging" in said(message) and "installed" not in said(message) for message in told)


async def test_a_question_mentions_who_asked(parts: Parts, front: Front, slack: Slack) -> None:
    async with painting(parts, front):
        deploy = await front.plan()
        await front.start(deploy)
        await front.end(deploy, Progress.LOST)
        await slack.until(in_thread(slack, "needs an answer"))
    assert "<@U1>" in in_thread(slack, "needs an answer")()[0]["text"]


async def test_a_failed_step_keeps_its_last_lines_in_the_thread(parts: Parts, front: Front, slack: Slack) -> None:
    async with painting(parts, front):
        deploy = await front.plan()
        await front.start(deploy)
        await front.say(deploy, "".join(f"line {i}\n" for i in range(30)))
        await front.end(deploy, Progress.FAILED, why="exited 1")
        await front.close(deploy, Outcome.FAILED, "install on staging exited 1")
        await painted(front)
    tail = in_thread(slack, "The last lines of install on staging")()
    assert len(tail) == 1
    lines = said(tail[0])
    assert "line 15\\n" in lines
    assert "line 29" in lines
    assert "line 14\\n" not in lines


async def test_a_log_that_slack_does_not_take_is_one_line(parts: Parts, front: Front, slack: Slack) -> None:
    slack.fates["files.getUploadURLExternal"] = failing("missing_scope", times=9)
    async with painting(parts, front):
        deploy = await front.plan()
        await front.start(deploy)
        await front.say(deploy, "x\n")
        await front.close(deploy)
        await painted(front)
    assert len(in_thread(slack, "could not be attached")()) == 1


@pytest.mark.parametrize("channel", ["#missing", "C404"])
async def test_who_asked_is_told_once_when_there_is_no_posting(
    parts: Parts, front: Front, slack: Slack, channel: str
) -> None:
    slack.fates["chat.postMessage"] = lambda call: (
        None if call["channel"].startswith("U") else failing("channel_not_found", times=9)(call)
    )
    async with painting(parts, front):
        deploy = await front.plan(channel=channel)
        await slack.until(lambda: slack.messages)
        await front.close(deploy)
        await painted(front)
    assert {message["channel"] for message in slack.messages} == {"U1"}
    assert len(slack.messages) + len(slack.private) == 2
    assert "cannot post" in slack.messages[0]["text"]
    assert "went live" in said(slack.messages[1])


async def test_a_bot_that_was_out_of_the_channel_for_a_while_makes_its_message_true(
    parts: Parts, front: Front, slack: Slack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.slack.painter.BACK_AGAIN", 0.05)
    async with painting(parts, front):
        deploy = await front.plan()
        await slack.until(lambda: cards(slack))
        slack.fates["chat.update"] = failing("not_in_channel", times=1_000_000)
        await front.start(deploy)
        await slack.until(lambda: any("cannot post" in said(m) for m in (*slack.messages, *slack.private)))
        await front.close(deploy)
        await slack.until(
            lambda: any("cannot" in said(m) and "went live" in said(m) for m in (*slack.messages, *slack.private))
        )
        assert "Deploying" in cards(slack)[0]["text"]
        del slack.fates["chat.update"]
        await painted(front)
    assert "is live" in cards(slack)[0]["text"]


def remove(slack: Slack, number: int = -1) -> Data:
    """Somebody removes the message of a deploy; of a thread that has a reply a rest would stay, here nothing does."""
    removed = cards(slack)[number]
    slack.messages = [m for m in slack.messages if removed["ts"] not in (m["ts"], m.get("thread_ts"))]
    return removed


async def test_a_message_that_was_removed_before_the_end_is_posted_again_once(
    parts: Parts, front: Front, slack: Slack
) -> None:
    async with painting(parts, front):
        deploy = await front.plan()
        await slack.until(lambda: cards(slack))
        remove(slack)
        await front.start(deploy)
        await slack.until(lambda: cards(slack))
        await front.say(deploy, "x\n")
        await slack.until(in_thread(slack, "Output: "))
        again = remove(slack)
    slack.fates["chat.postMessage"] = lambda call: (
        failing("thread_not_found")(call) if call.get("thread_ts") == again["ts"] else None
    )
    await front.end(deploy)
    await front.close(deploy)
    async with painting(parts, front):
        await painted(front)
    assert cards(slack) == []
    assert len([call for call in slack.of("chat.postMessage") if not call.get("thread_ts")]) == 2


async def test_a_message_that_was_removed_after_the_end_stays_away(parts: Parts, front: Front, slack: Slack) -> None:
    async with painting(parts, front):
        await front.ship("v1.3", deploy="d1")
        await painted(front)
        remove(slack)
        await front.ship("v1.4", deploy="d2")
        await painted(front)
    assert len(cards(slack)) == 1
    assert "v1.4 is live" in said(cards(slack)[0])


async def test_a_retry_of_a_removed_message_has_one_of_its_own(parts: Parts, front: Front, slack: Slack) -> None:
    async with painting(parts, front):
        first = await front.plan()
        await front.close(first, Outcome.FAILED, "install on staging exited 1")
        await painted(front)
        remove(slack)
        again = Retry(deploy="d1", service="api", environment="staging", button=Button(deploy="d1", action="retry"))
        second = await front.decide(again, deploy="d2")
        await slack.until(shown(slack, "2nd try"))
        await front.close(second)
        await painted(front)
    assert len(cards(slack)) == 1
    assert "is live in staging" in said(cards(slack)[0])


async def test_blocks_that_slack_does_not_take_go_as_one_sentence(parts: Parts, front: Front, slack: Slack) -> None:
    slack.fates["chat.postMessage"] = lambda call: failing("invalid_blocks")(call) if call.get("blocks") else None
    async with painting(parts, front):
        await front.plan()
        await slack.until(lambda: cards(slack))
    assert cards(slack)[0]["text"].startswith("Deploying api v1.4")


async def test_a_deploy_that_belongs_nowhere_has_no_message(parts: Parts, front: Front, slack: Slack) -> None:
    async with painting(parts, front):
        await front.ship("v1.3", deploy="d1", channel=None)
        await painted(front)
    assert slack.messages == []


async def test_what_ended_long_before_there_was_a_slack_is_not_told(parts: Parts, front: Front, slack: Slack) -> None:
    await front.ship("v1.3", deploy="d1")
    async with painting(parts, front, later=timedelta(days=2)):
        await painted(front)
    assert slack.messages == []


async def test_a_channel_given_by_name_is_found(parts: Parts, front: Front, slack: Slack) -> None:
    async with painting(parts, front):
        await front.plan(channel="#deploys")
        await slack.until(lambda: cards(slack))
    assert cards(slack)[0]["channel"] == "C1"


async def test_an_abort_shows_who_and_what_follows(parts: Parts, front: Front, slack: Slack) -> None:
    async with painting(parts, front):
        deploy = await front.plan()
        await slack.until(lambda: cards(slack))
        raj = Person(id="U2", name="raj", slack="U2")
        await front.append(deploy.id, AbortAsked(deploy=deploy.id, ask="x", by=raj))
        await slack.until(shown(slack, "Aborting", 0))
        assert "@raj" in said(cards(slack)[0])


async def test_posts_in_one_channel_are_a_second_apart(parts: Parts, front: Front, slack: Slack) -> None:
    async with painting(parts, front):
        deploy = await front.plan(by=ANA)
        await front.start(deploy)
        await front.say(deploy, "x\n")
        await front.end(deploy)
        await front.close(deploy)
        await painted(front)
    moments = slack.at("chat.postMessage", channel="C1")
    assert len(moments) >= 3
    assert all(second - first >= 0.95 for first, second in pairwise(moments))


async def test_a_rollback_button_is_under_the_end(parts: Parts, front: Front, slack: Slack) -> None:
    async with painting(parts, front):
        await front.ship("v1.3", deploy="d1")
        await painted(front)
        await front.ship("v1.4", deploy="d2")
        await painted(front)
    assert "Roll back to v1.3" in said(cards(slack)[1])
    assert "Log" in said(cards(slack)[1])
