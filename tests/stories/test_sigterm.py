"""The bot is told to end while it has much to do, and while nothing answers it: it is gone in ten seconds, tells
whoever comes meanwhile, hurts no script, and takes all of them up again."""

import socket
import sqlite3
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.say import NO_BOT
from tests.support.many import Many, alive
from tests.support.process import Bot, free_port, until

ROOMS = 20
RESTARTING = "Shipmate is restarting; say it again in a moment.\n"


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[Bot]:
    running = Bot(data=tmp_path / "data", config=tmp_path / "shipmate.yml")
    yield running
    running.kill()


@pytest.fixture
def many(tmp_path: Path) -> Iterator[Many]:
    made = Many.made(tmp_path, ROOMS, channel="#deploys")
    yield made
    made.go()


@pytest.fixture
def silence() -> Iterator[dict[str, str]]:
    """A Slack that takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/api/"
        yield {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "SLACK_API_URL": url}


def held(bot: Bot) -> sqlite3.Connection:
    """The database, in the hands of somebody who does not let go."""
    database = sqlite3.connect(bot.data / "shipmate.db", isolation_level=None, timeout=20)
    database.execute("BEGIN IMMEDIATE")
    return database


def ready(bot: Bot) -> bool:
    """Whether the bot can do its work; it tries to write."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{bot.env['PORT']}/readyz", timeout=10):
            return True
    except urllib.error.HTTPError:
        return False


@pytest.mark.long
def test_twenty_deploys_outlive_a_bot_that_nothing_answers(bot: Bot, many: Many, silence: dict[str, str]) -> None:
    bot.start()
    many.begin(bot)
    scripts = many.pids()
    bot.kill()
    bot.env = silence | {"PORT": str(free_port())}
    bot.start()
    with closing(held(bot)):
        until(lambda: not ready(bot), what="a write that waits for the database")
        assert bot.process is not None
        told = time.monotonic()
        bot.process.terminate()
        until(lambda: bot.say("api v1.0 room-0").text == RESTARTING, seconds=5, what="the answer to a new command")
        assert bot.say("status").status in (3, NO_BOT)  # told the same, or it is gone already
        assert bot.process.wait(10) == 0
        assert time.monotonic() - told <= 10
    assert [pid for pid in scripts if not alive(pid)] == []
    assert "Traceback" not in bot.log()
    bot.env = {}
    bot.start()
    many.go()
    until(lambda: len(many.service.entries()) == 4 * ROOMS, seconds=60, what="the end of every script")
    assert set(Counter((entry[0], entry[1], entry[4]) for entry in many.service.entries()).values()) == {1}
    until(lambda: bot.say("status").text.count(": v1.0 since") == ROOMS, what="all of them live")
