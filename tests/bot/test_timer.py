"""The timer: what is due is called; ended, it leaves nothing running and nothing in the log that looks broken."""

import asyncio
import logging
import time

import pytest

from bot.timer import Timer

OFTEN = 0.001


async def test_a_call_that_broke_is_logged_and_made_again(caplog: pytest.LogCaptureFixture) -> None:
    again, timer = asyncio.Event(), Timer()

    async def work() -> None:
        if caplog.records:
            again.set()
        raise ValueError("too hot")

    timer.every(OFTEN, work)
    timer.start()
    await asyncio.wait_for(again.wait(), 10)
    await timer.stop()
    assert "doing what is done every 0.001 s" in caplog.text and "ValueError: too hot" in caplog.text


async def test_ended_while_something_is_done_it_waits_for_its_end_and_calls_nothing_broken(
    caplog: pytest.LogCaptureFixture,
) -> None:
    began, ended, timer = asyncio.Event(), asyncio.Event(), Timer()

    async def work() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.set()

    timer.every(OFTEN, work)
    timer.start()
    await asyncio.wait_for(began.wait(), 10)
    await timer.stop()
    assert ended.is_set() and not errors(caplog)


@pytest.mark.parametrize("turns", range(8))
async def test_ended_at_any_moment_around_a_call_it_calls_nothing_broken(
    caplog: pytest.LogCaptureFixture, turns: int
) -> None:
    """At one of these turns of the loop the scheduler has handed the call over and its task has not begun."""
    timer = Timer()
    timer.every(OFTEN, asyncio.Event().wait)
    timer.start()
    time.sleep(3 * OFTEN)  # noqa: ASYNC251 - it is due when the loop turns next
    for _ in range(turns):
        await asyncio.sleep(0)
    await timer.stop()
    for _ in range(turns):
        await asyncio.sleep(0)
    assert not errors(caplog)


def errors(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.levelno >= logging.ERROR]
