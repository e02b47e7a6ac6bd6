"""A disk without one more byte, at any moment of a deploy; and a SQLite file that was hurt while no bot looked."""

import os
import random
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from tests.support.process import Bot, until
from tests.support.service import six_steps
from tests.support.small_disk import SmallDisk, small_disk
from tests.torture.outages import suffered
from tests.torture.people import deploy_of
from tests.torture.rows import SQLITE, Fault, Place, Verdict
from tests.torture.stage import Stage, a_moment, on_stage

ROOMS = 4
SIZE = "96m"
FULL = "the disk of its host is full"
LONGEST, BETWEEN = 4.0, 8.0  # seconds without room, and with it
PAGE = 4096
DATABASE, LOG = "shipmate.db", "shipmate.db-wal"


def filled(place: Place, tries: int) -> Verdict:
    """The data folder is on the disk that fills up: the database, run folders, output, the log."""
    dice = place.dice()
    with on_stage(place, "full", rooms=ROOMS, pause=0.1) as stage, small_disk(stage.bot.data, SIZE) as disk:
        stage.bot.env = {**stage.bot.env, "SHIPMATE_KEEP_FREE": "1M"}
        found = suffered(stage, dice, tries, lambda: full_for_a_moment(disk, dice), between=BETWEEN)
        found.hurt = [one for one in found.hurt if not any(deploy in one for deploy in said_so(stage))]
        stage.kill()
        wrong = damage(stage.bot.data / DATABASE)
    verdict = found.verdict(tries)
    return replace(
        verdict,
        others={**verdict.others, "corruptions": len(wrong)},
        seen=f"{verdict.seen}, {len(said_so(stage))} failed for want of room",
        wrong=[*verdict.wrong, *wrong],
    )


def full_for_a_moment(disk: SmallDisk, dice: random.Random) -> None:
    disk.fill()
    a_moment(dice, LONGEST)
    disk.free()


def said_so(stage: Stage) -> list[str]:
    """The deploys that failed and gave the disk as the reason."""
    return [deploy_of(card) for room in stage.rooms for card in room.cards() if FULL in card["text"]]


def damage(database: Path) -> list[str]:
    """What SQLite finds wrong with a file, and what stands in its log."""
    try:
        with closing(sqlite3.connect(database)) as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
    except sqlite3.DatabaseError as error:
        return [str(error)]
    return [] if found == ["ok"] else found


def journal(database: Path) -> list[tuple[object, ...]]:
    """All of its entries; none where there is not even a table for them."""
    with closing(sqlite3.connect(database)) as connection, suppress(sqlite3.OperationalError):
        return connection.execute("SELECT * FROM event ORDER BY id").fetchall()
    return []


def noise(folder: Path, dice: random.Random) -> None:
    """A page of it, anywhere."""
    settle(folder)
    with (folder / DATABASE).open("r+b") as file:
        file.seek(dice.randrange((folder / DATABASE).stat().st_size // PAGE) * PAGE)
        file.write(dice.randbytes(PAGE))


def cut(folder: Path, dice: random.Random) -> None:
    settle(folder)
    os.truncate(folder / DATABASE, dice.randrange((folder / DATABASE).stat().st_size))


def without_log(folder: Path, dice: random.Random) -> None:
    """And perhaps without its index, as by `rm shipmate.db-*`."""
    for path in folder.glob(f"{DATABASE}-*") if dice.random() < 0.5 else [folder / LOG]:
        path.unlink()


def noise_in_log(folder: Path, dice: random.Random) -> None:
    with (folder / LOG).open("r+b") as file:
        file.seek(dice.randrange((folder / LOG).stat().st_size - PAGE))
        file.write(dice.randbytes(PAGE))


def cut_log(folder: Path, dice: random.Random) -> None:
    os.truncate(folder / LOG, dice.randrange((folder / LOG).stat().st_size))


def another_file(folder: Path, _dice: random.Random) -> None:
    settle(folder)
    (folder / DATABASE).write_text("what somebody else keeps here\n" * 1000)


def gone(folder: Path, _dice: random.Random) -> None:
    for path in folder.glob(f"{DATABASE}*"):
        path.unlink()


def untouched(_folder: Path, _dice: random.Random) -> None:
    """What is done to it is done while the bot starts: it may not be written to."""


def settle(folder: Path) -> None:
    """All is in the file itself, as after an end in peace."""
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


HURTS: dict[str, Callable[[Path, random.Random], None]] = {
    "a page of noise": noise,
    "its log deleted": without_log,
    "cut": cut,
    "read-only": untouched,
    "noise in its log": noise_in_log,
    "its log cut": cut_log,
    "another file in its place": another_file,
    "gone": gone,
}


@contextmanager
def read_only(path: Path) -> Iterator[None]:
    """Nobody may write the file: root neither, so it is mounted over itself."""
    if os.geteuid() != 0:
        path.chmod(0o400)
        yield
        return
    subprocess.run(["mount", "--bind", str(path), str(path)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(path)], check=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def after_a_kill(place: Place) -> Bot:
    """A bot that was killed after a deploy: half of what it knows is in the log beside the file."""
    service = six_steps(place.folder, pause=0.01)
    bot = Bot(data=place.folder / "data", config=service.config)
    try:
        bot.start()
        assert bot.say("api v1.1 staging", wait=True).status == 0
    finally:
        bot.kill()
    assert (bot.data / LOG).stat().st_size > PAGE
    return bot


def files(folder: Path) -> dict[str, bytes]:
    """What SQLite would lose: its index is made anew from the log."""
    return {name: (folder / name).read_bytes() for name in (DATABASE, LOG) if (folder / name).exists()}


def started_on(bot: Bot, name: str) -> str:
    """What is wrong with what a bot does that is started on a hurt file."""
    before = files(bot.data)
    bot.start(wait=False)
    assert bot.process is not None
    try:
        until(lambda: bot.dead() or bot.answers(), seconds=60, what="a start, or its refusal")
        if not bot.dead():
            return f"{name}: started"
        last = bot.log().splitlines()[-1]
    finally:
        bot.kill()
    if files(bot.data) != before:
        return f"{name}: what was there was changed"
    advised = last.startswith("Shipmate did not start. ") and any(
        way in last for way in ("restore a backup", "put the files back", "look whose it is")
    )
    return "" if bot.process.returncode == 1 and advised and "Traceback" not in bot.log() else f"{name}: {last}"


def hurt(place: Place, tries: int) -> Verdict:
    """A bot may start on a file that is whole and lacks nothing, whatever was done to it."""
    dice, killed, wrong, harmless = place.dice(), after_a_kill(place), [], 0
    whole = place.folder / "whole"
    shutil.copytree(killed.data, whole, ignore=shutil.ignore_patterns("*.sock"))
    shutil.copytree(whole, place.folder / "known")
    known = journal(place.folder / "known" / DATABASE)
    for number in range(tries):
        name, do = list(HURTS.items())[number % len(HURTS)]
        bot = replace(killed, data=place.folder / f"hurt-{number}", process=None)
        shutil.copytree(whole, bot.data)
        do(bot.data, dice)
        if name == "read-only":
            with read_only(bot.data / DATABASE):
                wrong.append(started_on(bot, name))
        elif harmed(bot.data, place.folder / f"looked-{number}", known):
            wrong.append(started_on(bot, name))
        else:
            harmless += 1
    wrong = [one for one in wrong if one]
    return Verdict(
        tries=tries, others={"not refused with advice": len(wrong)}, seen=f"{harmless} harmless", wrong=wrong[:10]
    )


def harmed(folder: Path, copy: Path, known: list[tuple[object, ...]]) -> bool:
    """Looked at in a copy, because a look changes it."""
    shutil.copytree(folder, copy)
    return bool(damage(copy / DATABASE)) or journal(copy / DATABASE) != known


FAULTS = (
    Fault(
        name="disk-full",
        what="the disk is full for moments of many deploys",
        run=filled,
        tries=100,
        long=4,
        on=(SQLITE,),
    ),
    Fault(
        name="hurt-file",
        what="the SQLite file is broken, cut, read-only, or its log is away",
        run=hurt,
        tries=50,
        long=2,
        on=(SQLITE,),
    ),
)
