"""A disk that has little room left, and one that has none: what is new is refused or not begun, with words that say so,
and what runs goes on. That nothing is lost or doubled, however often one fills up, `tests/torture/disks.py` tries."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.process import Bot, until
from tests.support.service import Service, six_steps
from tests.support.small_disk import SmallDisk, small_disk


def starts(service: Service) -> Counter[tuple[str, ...]]:
    return Counter(tuple(entry[1:3]) for entry in service.entries() if entry[0] == "start")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", "64m") as disk:
        yield disk


def test_with_little_room_left_nothing_new_is_started(tmp_path: Path) -> None:
    service = six_steps(tmp_path)
    bot = Bot(data=tmp_path / "data", config=service.config, env={"SHIPMATE_KEEP_FREE": "900000G"})
    try:
        bot.start()
        for line in ("api v1.1 staging", "plan api v1.1 staging"):
            said = bot.say(line)
            assert said.status == 3
            assert "The disk of Shipmate's host has " in said.text and "so nothing new is started" in said.text
            assert "set SHIPMATE_KEEP_FREE to less" in said.text
    finally:
        bot.kill()
    assert service.entries() == []


def test_a_start_without_room_says_so(tmp_path: Path, disk: SmallDisk) -> None:
    database = f"sqlite:///{disk.folder}/shipmate.db"
    bot = Bot(data=tmp_path / "data", config=six_steps(tmp_path).config, env={"DATABASE_URL": database})
    disk.fill()
    bot.start(wait=False)
    assert bot.process is not None and bot.process.wait(30) == 1
    assert f"did not start. The disk of {disk.folder}/shipmate.db is full: make room" in bot.log()
    assert "Traceback" not in bot.log()


@pytest.mark.long
def test_who_asks_while_the_disk_is_full_is_told_so_and_what_runs_goes_on(tmp_path: Path, disk: SmallDisk) -> None:
    service = six_steps(tmp_path, pause=0.3)
    bot = Bot(data=disk.folder / "data", config=service.config, env={"SHIPMATE_KEEP_FREE": "1M"})
    try:
        bot.start()
        assert bot.say("api v1.1 staging").status == 0
        until(lambda: ("install", "stg-1") in starts(service), what="the first install")
        disk.fill()
        assert "v1.1 is on its way" in bot.say("status").text
        said = bot.say("api v1.2 staging")
        assert said.status == 75 and "The database is away: its disk is full" in said.text
        ends = [entry[:3] for entry in service.entries() if entry[0] == "end"]
        assert ["end", "install", "stg-1"] in ends  # it ended meanwhile, as if nothing had happened
        disk.free()
        until(lambda: "live since" in bot.say("history api").text, seconds=60, what="v1.1 live")
        assert set(starts(service).values()) == {1} and len(starts(service)) == 6
    finally:
        bot.kill()
