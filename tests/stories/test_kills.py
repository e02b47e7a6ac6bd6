"""kill -9 of the bot in the middle of a deploy: every script starts once, nothing of its output is lost, the end is
true. Half the moments are named points, half are random; the seed is printed. Judged from the scripts' own ledger."""

import contextlib
import random
import sqlite3
import subprocess
import zlib
from collections import Counter
from pathlib import Path

import pytest

from tests.support.process import Bot, until
from tests.support.service import Service, six_steps

POINTS = (
    "asked-before",
    "asked-after",
    "decided-before",
    "decided-after",
    "claim-before:3",
    "claim-after:3",
    "spawn-before:2",
    "spawn-after:2",
    "exit-before:4",
    "exit-after:2",
)
EVERY = {
    ("before", "-"),
    ("install", "stg-1"),
    ("install", "stg-2"),
    ("check", "stg-1"),
    ("check", "stg-2"),
    ("after", "-"),
}


def judge(service: Service, bot: Bot) -> None:
    """Each of the six scripts began once and ended once, and all they printed is in the log."""
    starts = Counter((entry[1], entry[2]) for entry in service.entries() if entry[0] == "start")
    ends = Counter((entry[1], entry[2]) for entry in service.entries() if entry[0] == "end")
    assert starts == Counter(dict.fromkeys(EVERY, 1)), starts
    assert ends == starts
    kept = output(bot)
    for script, target in EVERY:
        for number in range(1, 5):
            assert f"{script}.sh {target} line {number}" in kept


def output(bot: Bot) -> str:
    """All the output that the bot kept."""
    with sqlite3.connect(bot.data / "shipmate.db") as database:
        rows = database.execute("SELECT data FROM output ORDER BY deploy, step, attempt, offset").fetchall()
    return b"".join(zlib.decompress(row[0]) for row in rows).decode()


@pytest.fixture
def bot(tmp_path: Path) -> Bot:
    return Bot(data=tmp_path / "data", config=tmp_path / "shipmate.yml")


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_a_named_point_loses_and_doubles_nothing(point: str, tmp_path: Path, bot: Bot) -> None:
    service = six_steps(tmp_path)
    bot.start(crash=point)
    try:
        saying = bot.saying("deploy api v1.1 staging", wait=True)
        until(bot.dead, what=f"the death at {point}")
        bot.start()
        out, _ = saying.communicate(timeout=60)
        assert saying.returncode == 0, out
        assert "api v1.1 is live in staging" in out
        judge(service, bot)
    finally:
        bot.kill()


@pytest.mark.parametrize("number", range(10))
def test_a_kill_at_a_random_moment_loses_and_doubles_nothing(number: int, tmp_path: Path, bot: Bot) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    moment = random.Random(seed).uniform(0.0, 3.5)
    service = six_steps(tmp_path)
    bot.start()
    try:
        saying = bot.saying("deploy api v1.1 staging", wait=True)
        with contextlib.suppress(subprocess.TimeoutExpired):
            saying.wait(moment)  # the moment is what is random here, not what is waited for
        bot.kill()
        bot.start()
        out, _ = saying.communicate(timeout=60)
        assert saying.returncode == 0, out
        judge(service, bot)
    finally:
        bot.kill()
