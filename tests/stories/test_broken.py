"""An error of the bot itself, in a terminal: the sentence with the id that the log has, and an exit status that says no
more than anybody knows. The faults are made in its database, beside it."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.process import Bot
from tests.support.scene import make_service


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    folder: Path = tmp_path_factory.mktemp("broken")
    bot = Bot(data=folder / "data", config=make_service(folder, channel=None).config)
    try:
        bot.start()
        yield bot
    finally:
        bot.kill()


@pytest.fixture
def without(bot: Bot, request: pytest.FixtureRequest) -> Iterator[str]:
    """A table that is away while the test runs."""
    table: str = request.param
    with closing(sqlite3.connect(bot.data / "shipmate.db", timeout=20)) as database:
        database.execute(f"ALTER TABLE {table} RENAME TO away")
        database.commit()
        yield table
        database.execute(f"ALTER TABLE away RENAME TO {table}")
        database.commit()


def logged(bot: Bot, said: str, doing: str) -> bool:
    found = re.search(r"Its log has it under ([0-9a-z]{8})\.", said)
    return found is not None and f"error {found[1]} while {doing}" in bot.log()


@pytest.mark.parametrize("without", ["stream"], indirect=True)
def test_a_look_that_breaks_started_nothing(bot: Bot, without: str) -> None:
    said = bot.say("status")
    assert said.status == 3 and "itself broke, and nothing was started." in said.text
    assert logged(bot, said.text, "answering a terminal") and "Traceback" not in said.text


@pytest.mark.parametrize("without", ["ask"], indirect=True)
def test_what_may_have_been_begun_is_not_said_to_have_failed(bot: Bot, without: str) -> None:
    said = bot.say("api v1.1 staging", wait=True)
    assert said.status == 75 and "nobody can tell here what was begun" in said.text
    assert "look with: shipmate say status" in said.text
    assert logged(bot, said.text, "answering a terminal")


@pytest.mark.parametrize("without", ["deploy"], indirect=True)
def test_a_decision_that_breaks_is_a_refusal(bot: Bot, without: str) -> None:
    said = bot.say("abort")
    assert said.status == 3 and "itself broke, and nothing was started." in said.text
    assert logged(bot, said.text, "deciding ")


def test_a_bot_that_breaks_at_its_start_says_what_may_help(tmp_path: Path) -> None:
    bot = Bot(data=tmp_path, config=make_service(tmp_path / "service", channel=None).config)
    with closing(sqlite3.connect(tmp_path / "shipmate.db")) as database:
        database.execute("CREATE TABLE event (of_somebody_else)")
    bot.start(wait=False)
    assert bot.process is not None and bot.process.wait(30) == 1
    last = bot.log().splitlines()[-1]
    found = re.search(
        r"Shipmate broke and ended: table event already exists\. .* shipmate doctor\. .* error (\w{8})", last
    )
    assert found and f"error {found[1]} while being the bot" in bot.log(), bot.log()


def test_the_bot_is_as_well_as_before(bot: Bot) -> None:
    assert bot.say("api v1.1 staging", wait=True).status == 0
