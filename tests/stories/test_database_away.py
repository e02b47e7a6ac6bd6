"""A PostgreSQL that crashes in the middle of a deploy and comes back: nothing is lost, nothing runs twice, and the bot
lives on."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.postgres import Server
from tests.support.process import Bot, until
from tests.support.scene import Scene
from tests.support.service import Service, six_steps
from tests.support.workspace import Threaded

BACK_SECONDS = 30.0


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


def away_for(seconds: float, scene: Scene, server: Server, meanwhile: Callable[[], None] = lambda: None) -> None:
    scene.types("ana", "/deploy api v1.1 staging")
    until(lambda: in_install(scene.service), what="the first install")
    server.crash()
    until_back = time.monotonic() + seconds  # how long it is away is what is tested
    try:
        meanwhile()
        time.sleep(max(0.0, until_back - time.monotonic()))
    finally:
        server.start()
    back = time.monotonic()
    until(lambda: "✅ api v1.1 is live in staging" in scene.card(), seconds=60, what=lambda: scene.bot.log()[-3000:])
    took = time.monotonic() - back
    counts = Counter(tuple(entry[:3]) for entry in scene.service.entries())
    assert set(counts.values()) == {1} and len(counts) == 12
    printed = [f"{entry[1]}.sh {entry[2]} line {number}" for entry in scene.service.entries() for number in range(1, 5)]
    scene.in_thread("went live in staging", *printed)
    assert len(scene.cards()) == 1
    assert not scene.bot.dead() and "Traceback" not in scene.bot.log()
    print(f"live {took:.1f} s after the database was back")
    assert took < BACK_SECONDS
    assert scene.bot.say("api v1.2 staging", wait=True).status == 0


@pytest.mark.long
def test_a_crash_of_the_database_in_the_middle_of_a_deploy(scene: Scene, postgres: Server) -> None:
    away_for(1.5, scene, postgres)


@pytest.mark.long
def test_a_database_that_is_away_for_longer_than_anybody_waits(scene: Scene, postgres: Server) -> None:
    def asked() -> None:
        said = scene.bot.say("status")
        assert said.status == 75 and "The database is away: " in said.text and "Say it again" in said.text

    away_for(25.0, scene, postgres, asked)


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
