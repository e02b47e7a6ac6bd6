"""The bot was away for long: what was asked before is not done unseen, and what would be next is asked for first."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from tests.stories.test_restart import each_once, in_install
from tests.support.process import Bot, until
from tests.support.scene import Scene, on_stage
from tests.support.service import six_steps

MINUTE = 60.0


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[Bot]:
    running = Bot(data=tmp_path / "data", config=tmp_path / "shipmate.yml")
    yield running
    running.kill()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with on_stage(tmp_path) as staged:
        yield staged


@pytest.mark.long
def test_a_deploy_whose_next_step_is_late_waits_for_go_on(tmp_path: Path, bot: Bot) -> None:
    """The bot goes away in the middle of a script, which ends soon after, and comes back twenty minutes later."""
    service = six_steps(tmp_path, pause=0.2)
    bot.start()
    following = bot.saying("api v1.1 staging", wait=True)
    until(lambda: in_install(service), what="the first install")
    bot.kill()
    until(lambda: ["end", "install"] in [entry[:2] for entry in service.entries()], what="the script's own end")
    begun = len(service.entries())
    bot.start(later=20 * MINUTE)
    assert following.stdout is not None
    lines = list(islice((line for line in following.stdout if line.startswith(("?", "    "))), 3))
    assert re.match(r"\? Shipmate was away at \d\d:\d\d UTC, when check on stg-1 could have begun\. Shall", lines[0])
    assert lines[1:] == ["    go on api staging\n", "    abort api staging\n"]
    refused = bot.say("api v1.2 staging")
    assert refused.status == 3 and "v1.1 by ana waits in staging: Shipmate was away when" in refused.text
    assert len(service.entries()) == begun
    assert bot.say("go on", by="ana").text == "api v1.1 in staging: your answer counts.\n"
    assert following.wait(30) == 0
    assert each_once(service)


@pytest.mark.long
def test_the_message_asks_and_a_click_goes_on(scene: Scene) -> None:
    scene.deploys("v1.1")
    scene.types("ana", "/deploy api v4.0 staging")
    scene.shows("▸ install on")
    scene.bot.kill()
    scene.go()
    scene.wait(lambda: "v4.0" in scene.runs().values(), "the script's own end")
    scene.bot.start(later=20 * MINUTE)
    scene.connected()
    shown = scene.shows("api v4.0 in staging needs an answer", "Shipmate was away at", "could have begun")
    assert "[Go on] [Roll back to v1.1] [Abort]" in shown
    assert "<@" in scene.in_thread("needs an answer")
    asked = scene.seen()
    scene.clicks("raj", "Go on", asked)
    scene.shows("v4.0 is live in staging")
    scene.clicks("mia", "Go on", asked)
    scene.whispered("mia", "raj did that already")


@pytest.mark.long
def test_the_message_asks_and_a_click_rolls_back(scene: Scene) -> None:
    scene.deploys("v1.1")
    scene.types("ana", "/deploy api v4.0 staging")
    scene.shows("▸ install on")
    scene.bot.kill()
    scene.go()
    scene.wait(lambda: "v4.0" in scene.runs().values(), "the script's own end")
    scene.bot.start(later=20 * MINUTE)
    scene.connected()
    scene.shows("[Go on] [Roll back to v1.1]")
    scene.clicks("raj", "Roll back to v1.1")
    scene.shows("v1.1 is live in staging", "rolled back from v4.0")
    assert set(scene.runs().values()) == {"v1.1"}


@pytest.mark.long
def test_what_was_asked_long_ago_is_answered_say_it_again(scene: Scene) -> None:
    """The bot dies between keeping what was asked and deciding it, and comes back six minutes later."""
    scene.bot.stop()
    scene.bot.start(crash="asked-after")
    scene.connected()
    scene.types("ana", "/deploy api v1.1 staging")
    scene.wait(scene.bot.dead, "the death")
    scene.bot.start(later=6 * MINUTE)
    scene.whispered("ana", "too long ago to do it unseen. Say it again if it still holds.")
    assert scene.cards() == []
    assert set(scene.runs().values()) == {"v1.0"}
    assert Counter(scene.whispers("ana")).total() == 1
