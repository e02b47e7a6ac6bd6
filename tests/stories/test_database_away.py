"""A PostgreSQL that goes away in the middle of a deploy: what people are told meanwhile, and that the bot lives on, or
ends in time. That nothing is lost or doubled, however often it goes away, is tried in `tests/torture/databases.py`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgres import Server
from tests.support.process import Bot, until
from tests.support.scene import Scene
from tests.support.service import Service, six_steps
from tests.support.workspace import Threaded


@pytest.fixture
def scene(tmp_path: Path, postgres: Server) -> Iterator[Scene]:
    service = six_steps(tmp_path, pause=0.2, channel="#deploys")
    with Threaded() as slack:
        slack.workspace.rates.on = False
        bot = Bot(data=tmp_path / "data", config=service.config, env=slack.env | {"DATABASE_URL": postgres.fresh()})
        try:
            bot.start()
            made = Scene(slack=slack, bot=bot, service=service)
            made.connected()
            yield made
        finally:
            bot.kill()


def in_install(service: Service) -> bool:
    return any(entry[:2] == ["start", "install"] for entry in service.entries())


@pytest.mark.long
def test_who_asks_while_the_database_is_away_is_told_so_and_the_bot_goes_on(scene: Scene, postgres: Server) -> None:
    scene.types("ana", "/deploy api v1.1 staging")
    until(lambda: in_install(scene.service), what="the first install")
    postgres.crash()
    try:
        said = scene.bot.say("status")
        assert said.status == 75 and "The database is away: " in said.text and "Say it again" in said.text
    finally:
        postgres.start()
    scene.shows("✅ api v1.1 is live in staging")
    assert not scene.bot.dead() and "Traceback" not in scene.bot.log()
    assert scene.bot.say("api v1.2 staging", wait=True).status == 0


@pytest.mark.long
def test_a_bot_whose_database_is_away_ends_in_time(scene: Scene, postgres: Server) -> None:
    scene.types("ana", "/deploy api v1.1 staging")
    until(lambda: in_install(scene.service), what="the first install")
    postgres.crash()
    try:
        until(lambda: "trouble with the database" in scene.bot.log(), what="a word about it")
        assert scene.bot.stop(10) == 0
    finally:
        postgres.start()
    scene.bot.start()
    scene.shows("✅ api v1.1 is live in staging")
