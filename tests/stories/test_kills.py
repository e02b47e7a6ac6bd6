"""kill -9 of the bot in the middle of a deploy: every script starts once, none of its output is lost, the message ends
true. Half the moments are named points, half are random; the seed is printed. Judged from the scripts' own ledger and
from Slack's side alone."""

import contextlib
import random
import subprocess
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from bot.say import NO_BOT
from tests.support.process import Bot, until
from tests.support.service import Service, six_steps
from tests.support.workspace import Threaded

T = TypeVar("T")

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
    "post-before:1",
    "post-after:1",
)
QUICK = ("asked-after", "decided-before", "claim-after:3", "spawn-after:2", "exit-before:4", "post-after:1")
EVERY = {
    ("before", "-"),
    ("install", "stg-1"),
    ("install", "stg-2"),
    ("check", "stg-1"),
    ("check", "stg-2"),
    ("after", "-"),
}


def posted(slack: Threaded) -> list[str]:
    """The text of every message in the channel itself."""
    return [str(message.get("text")) for message in slack.workspace.messages("#deploys")]


def thread(slack: Threaded) -> str:
    """All that stands in the thread of the one message, files included."""
    messages = slack.workspace.messages("#deploys")
    found = slack.workspace.thread("#deploys", messages[0]["ts"]) if messages else []
    files = [slack.workspace.state.files[one]["content"] for message in found for one in message.get("_files", [])]
    return "\n".join([*(str(message.get("text")) for message in found), *files])


def judge(service: Service, slack: Threaded) -> None:
    """Each of the six scripts began once and ended once, all they printed is in the thread, one message says so."""
    starts = Counter((entry[1], entry[2]) for entry in service.entries() if entry[0] == "start")
    ends = Counter((entry[1], entry[2]) for entry in service.entries() if entry[0] == "end")
    assert starts == Counter(dict.fromkeys(EVERY, 1)), starts
    assert ends == starts
    until(lambda: "went live in staging" in thread(slack), seconds=60, what="the closing line")
    until(lambda: "after.sh - line 4" in thread(slack), what="the log")
    for script, target in EVERY:
        for number in range(1, 5):
            assert f"{script}.sh {target} line {number}" in thread(slack)
    until(lambda: "api v1.1 is live in staging" in posted(slack)[0], what="the message's end")
    assert len(posted(slack)) == 1, posted(slack)


@pytest.fixture
def slack() -> Iterator[Threaded]:
    with Threaded() as started:
        yield started


@pytest.fixture
def bot(tmp_path: Path, slack: Threaded) -> Iterator[Bot]:
    running = Bot(data=tmp_path / "data", config=tmp_path / "shipmate.yml", env=slack.env)
    yield running
    running.kill()


def some(every: Iterable[T], quick: Container[T]) -> list[Any]:
    """All of them as parameters, those that are not quick in the long tier."""
    return [one if one in quick else pytest.param(one, marks=pytest.mark.long) for one in every]


@pytest.mark.parametrize("point", some(POINTS, QUICK))
def test_a_kill_at_a_named_point_loses_and_doubles_nothing(
    point: str, tmp_path: Path, bot: Bot, slack: Threaded
) -> None:
    service = six_steps(tmp_path, channel="#deploys")
    bot.start(crash=point)
    saying = bot.saying("deploy api v1.1 staging", wait=True)
    until(bot.dead, what=f"the death at {point}")
    bot.start()
    out, _ = saying.communicate(timeout=60)
    if saying.returncode == NO_BOT:  # the moment was before the question: nothing was asked yet
        saying = bot.saying("deploy api v1.1 staging", wait=True)
        out, _ = saying.communicate(timeout=60)
    assert saying.returncode == 0, out
    judge(service, slack)


def a_random_kill(folder: Path, bot: Bot, slack: Threaded) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    moment = random.Random(seed).uniform(0.0, 4.5)
    service = six_steps(folder, channel="#deploys")
    bot.start()
    saying = bot.saying("deploy api v1.1 staging", wait=True)
    with contextlib.suppress(subprocess.TimeoutExpired):
        saying.wait(moment)  # the moment is what is random here, not what is waited for
    bot.kill()
    bot.start()
    out, _ = saying.communicate(timeout=60)
    if saying.returncode == NO_BOT:  # the moment was before the question: nothing was asked yet
        saying = bot.saying("deploy api v1.1 staging", wait=True)
        out, _ = saying.communicate(timeout=60)
    assert saying.returncode == 0, out
    judge(service, slack)


@pytest.mark.long
@pytest.mark.parametrize("number", some(range(10), range(3)))
def test_a_kill_at_a_random_moment_loses_and_doubles_nothing(
    number: int, tmp_path: Path, bot: Bot, slack: Threaded
) -> None:
    a_random_kill(tmp_path, bot, slack)


@pytest.mark.torture
@pytest.mark.parametrize("number", range(100))
def test_a_hundred_kills_lose_and_double_nothing(number: int, tmp_path: Path, bot: Bot, slack: Threaded) -> None:
    a_random_kill(tmp_path, bot, slack)
