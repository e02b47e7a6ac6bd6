"""Budgets: never more than Slack allows, the most urgent first, nobody left waiting."""

import asyncio
import time

import pytest

from bot.workspace.limits import A_MINUTE
from handlers.slack import limits
from handlers.slack.budget import POST, Bucket, Budgets, Outage, Pace, Rank


@pytest.mark.parametrize("method", sorted({*limits.SHARES, "users.info", "files.completeUploadExternal"}))
def test_no_method_is_called_more_often_than_slack_allows(method: str) -> None:
    at_once, a_minute = limits.SHARES.get(method, limits.TIER_4)
    assert at_once + a_minute <= 0.9 * A_MINUTE[method]


async def test_no_minute_holds_more_calls_than_its_share() -> None:
    bucket = Bucket(rate=100.0, burst=3)  # the same bucket, sixty times and more as fast
    given: list[float] = []

    async def take() -> None:
        await bucket.take(lambda: Rank.STATE)
        given.append(time.monotonic())

    await asyncio.gather(*(take() for _ in range(30)))
    for i, first in enumerate(given):
        within = [at for at in given[i:] if at <= first + 0.1]
        assert len(within) <= 3 + 10 + 1


async def test_the_most_urgent_goes_first_by_what_it_is_when_its_turn_comes() -> None:
    bucket = Bucket(rate=50.0, burst=1)
    await bucket.take(lambda: Rank.STATE)
    order: list[str] = []
    ranks = {"tail": Rank.TAIL, "state": Rank.STATE, "late": Rank.TAIL}

    async def take(name: str) -> None:
        await bucket.take(lambda: ranks[name])
        order.append(name)

    waiting = [asyncio.create_task(take(name)) for name in ranks]
    await asyncio.sleep(0)
    ranks["late"] = Rank.FINAL
    await asyncio.gather(*waiting)
    assert order == ["late", "state", "tail"]


async def test_of_equals_the_longest_waiting_goes_first() -> None:
    bucket = Bucket(rate=200.0, burst=1)
    order: list[int] = []

    async def take(number: int) -> None:
        await bucket.take(lambda: Rank.TAIL)
        order.append(number)

    await asyncio.gather(*(take(number) for number in range(10)))
    assert order == list(range(10))


async def test_who_gives_up_waiting_takes_no_token() -> None:
    bucket = Bucket(rate=20.0, burst=1)
    await bucket.take(lambda: Rank.STATE)
    gone = asyncio.create_task(bucket.take(lambda: Rank.FINAL))
    stays = asyncio.create_task(bucket.take(lambda: Rank.TAIL))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait_for(stays, 1)


async def test_a_closed_bucket_gives_nothing_until_it_is_over() -> None:
    bucket = Bucket(rate=1_000.0, burst=5)
    bucket.close(0.2)
    began = time.monotonic()
    await bucket.take(lambda: Rank.FINAL)
    assert time.monotonic() - began >= 0.2


async def test_while_slack_is_away_one_looks_and_the_others_wait_until_it_is_back() -> None:
    outage, through = Outage(), 0

    async def paint() -> None:
        nonlocal through
        await outage.over()
        through += 1

    for _ in range(2):
        outage.noted(answered=False)
    await paint()  # a call or two that fail are no outage
    outage.noted(answered=False)
    waiting = [asyncio.create_task(paint()) for _ in range(5)]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    assert through == 2
    outage.noted(answered=True)
    await asyncio.gather(*waiting)


def test_two_paintings_of_a_message_are_three_seconds_apart() -> None:
    clock = [100.0]
    pace = Pace(clock=lambda: clock[0])
    assert pace.wait(("C1", "1")) == 3.0  # a process before this one may have painted it just now
    clock[0] = 103.0
    assert pace.wait(("C1", "1")) == 0.0
    pace.painted(("C1", "1"))
    clock[0] = 104.0
    assert pace.wait(("C1", "1")) == 2.0
    assert pace.wait(("C1", "2")) == 0.0


def test_messages_that_nobody_paints_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.slack.budget.MESSAGES_KEPT", 10)
    clock = [100.0]
    pace = Pace(clock=lambda: clock[0])
    for number in range(50):
        pace.painted(("C1", str(number)))
        clock[0] += 1.0
    assert pace.wait(("C1", "49")) == 2.0
    assert pace.wait(("C1", "0")) == 0.0
    assert len(pace._last) <= 11


def test_each_channel_has_posts_of_its_own() -> None:
    budgets = Budgets()
    assert budgets.posts("C1") is budgets.posts("C1")
    assert budgets.posts("C1") is not budgets.posts("C2")


def test_a_channel_that_is_refused_holds_up_itself_and_two_hold_up_all() -> None:
    budgets = Budgets()
    budgets.refused(POST, 30.0, "C1")
    assert (budgets.posts("C1").closed, budgets.posts("C2").closed, budgets.calls(POST).closed) == (True, False, False)
    budgets.refused(POST, 30.0, "C1")
    assert not budgets.calls(POST).closed
    budgets.refused(POST, 30.0, "C2")
    assert budgets.calls(POST).closed
    budgets.refused("chat.update", 30.0, "C1")
    assert budgets.edits.closed
