"""The bot deploys itself, by the example that people copy: the script outlives the bot that started it, the next bot
finishes the deploy, and its thread is complete. The loop that brings the bot back is `supervise`."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.itself import Host, deploys_itself, newest
from tests.support.process import until
from tests.support.workspace import Threaded

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the example finds the bot's folder by /proc")


@pytest.fixture
def slack() -> Iterator[Threaded]:
    with Threaded() as started:
        yield started


@pytest.fixture
def host(tmp_path: Path, slack: Threaded) -> Iterator[Host]:
    made = Host.made(tmp_path, slack.env)
    yield made
    if not made.bot.dead():
        made.bot.stop(seconds=15)


@pytest.mark.long
def test_the_bot_deploys_itself(host: Host, slack: Threaded) -> None:
    host.bot.start()
    deploys_itself(host, slack, "v1.1")


@pytest.mark.long
def test_the_bot_deploys_itself_three_times_and_takes_a_broken_release_back(host: Host, slack: Threaded) -> None:
    host.bot.start()
    for number in range(1, 4):
        deploys_itself(host, slack, f"v1.{number}")
    good = host.runs()
    host.release("v2.0", {"bot/run.py": "raise SystemExit('broken on purpose')\n"})
    failed = host.bot.say("shipmate v2.0 production", wait=True, seconds=120)
    assert failed.status == 1 and "install on here exited 1" in failed.text, failed.text
    assert host.runs() == good
    until(lambda: "shipmate v2.0 failed in production" in newest(slack)[0], what="the message's end")
    until(lambda: "Shipmate v2.0 does not answer; going back" in str(newest(slack)[1]), what="the log")
