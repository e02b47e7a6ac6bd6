"""A bot that is kept as in a container: it comes back however it ends, its scripts never notice, and nothing is left of
either when it is told to end."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.execution.processes import processes
from tests.stories.test_restart import each_once, in_install, live
from tests.support.many import alive
from tests.support.process import Bot, until
from tests.support.service import six_steps

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a container's first process is Linux's")


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Bot]:
    running = Bot(data=tmp_path / "data", config=tmp_path / "shipmate.yml", role="supervise")
    yield running
    if not running.dead():
        running.stop(seconds=15)


def comes_back(kept: Bot, number: int) -> None:
    """The bot is signalled; wait for the next one."""
    before = kept.pid()
    os.kill(before, number)
    until(lambda: kept.pid() not in (0, before) and kept.answers(), what="the next bot")


def zombies(parent: int) -> list[int]:
    return [found.pid for found in processes() if found.parent == parent and not found.alive]


@pytest.mark.long
def test_a_bot_that_ends_comes_back_and_scripts_never_notice(tmp_path: Path, kept: Bot) -> None:
    service = six_steps(tmp_path, pause=0.3)
    kept.start()
    assert kept.process is not None
    assert kept.say("api v1.1 staging").status == 0
    until(lambda: in_install(service), what="the first install")
    comes_back(kept, signal.SIGKILL)
    comes_back(kept, signal.SIGTERM)
    until(lambda: live(kept), what="v1.1 live")
    assert each_once(service)
    keeper = kept.process.pid
    until(lambda: zombies(keeper) == [], what="every orphan collected")
    log = kept.log()
    assert "the bot ended with status -9" in log and "it is started in 1 s" in log
    assert "the bot ended with status 0" in log and "it is started in 0 s" in log
    bot = kept.pid()
    assert kept.stop(seconds=12) == 0
    assert not alive(bot)


@pytest.mark.long
def test_a_bot_that_cannot_start_is_tried_again_until_it_can(tmp_path: Path, kept: Bot) -> None:
    six_steps(tmp_path)
    good = kept.config.read_text()
    kept.config.write_text("services: 3\n")
    kept.start(wait=False)
    until(lambda: kept.log().count("the bot ended with status 1") == 2, what="two tries")
    kept.config.write_text(good)
    until(kept.answers, what="a bot that runs")
    assert "it is started in 1 s" in kept.log() and "it is started in 2 s" in kept.log()
