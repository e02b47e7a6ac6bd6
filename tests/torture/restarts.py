"""The bot is told to end, again and again, while twenty deploys run; and a second one is started beside it."""

import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import cycle
from pathlib import Path

from tests.support.itself import Host, deploys_itself
from tests.support.many import Many, alive
from tests.support.process import Bot, until
from tests.support.scene import read
from tests.support.service import six_steps
from tests.support.workspace import Threaded
from tests.torture import ledger
from tests.torture.rows import SQLITE, Fault, Place, Verdict
from tests.torture.stage import a_moment, at_last

ROOMS = 20
END_SECONDS = 10.0
PATIENCE = 240.0
ENDS = ("stays", "ends", "dies")  # what the first bot does


class Twenty:
    """Twenty rooms with a deploy in each, whose script waits until its room may go on."""

    def __init__(self, place: Place, slack: Threaded) -> None:
        self._many = Many.made(place.folder, ROOMS, channel="#deploys")
        self._slack = slack
        service = self._many.service
        self.bot = Bot(data=place.folder / "data", config=service.config, env={**slack.env, **place.env})

    def start(self) -> None:
        self.bot.start(wait=False)
        connections = self._slack.workspace.deliverer.sockets.connections
        until(lambda: self.bot.answers() and bool(connections), seconds=PATIENCE, what="a bot that is ready")

    def begin(self) -> None:
        for room in self._many.rooms:
            self._deploy(room, "v1.0")
        until(lambda: len(self.open()) == ROOMS, seconds=PATIENCE, what="every room's script")

    def _deploy(self, room: str, version: str) -> None:
        self._slack.types("ana", "/deploy", f"api {version} {room} force")

    def go(self) -> None:
        self._many.go()

    def lines(self) -> list[ledger.Line]:
        return ledger.read(self._many.service.ledger)

    def open(self) -> list[ledger.Line]:
        """The scripts that run, as they say themselves."""
        return [begun for begun, over in ledger.spans(self.lines()) if over is None]

    def next(self, room: str) -> bool:
        """The bot that came back finishes what runs in a room, and begins the next there."""
        running = next(line for line in self.open() if line.room == f"api/{room}")
        self._many.let_go(running.deploy)
        at_last(lambda: ("end", "after", running.deploy) in self._ended(), PATIENCE)
        at_last(lambda: self._shown(running.deploy), PATIENCE)
        self._deploy(room, "v1.0")
        at_last(lambda: len(self.open()) == ROOMS, PATIENCE)
        return ("end", "after", running.deploy) in self._ended() and self._shown(running.deploy)

    def _ended(self) -> set[tuple[str, str, str]]:
        return {(line.what, line.script, line.deploy) for line in self.lines()}

    def _shown(self, deploy: str) -> bool:
        """Slack says that it went well."""
        cards = [card for card in self._slack.workspace.messages("#deploys") if deploy in str(card.get("metadata"))]
        return len(cards) == 1 and "is live in" in read(cards[0])


def told_to_end(place: Place, tries: int) -> Verdict:
    with Threaded() as slack:
        slack.workspace.rates.on = False
        twenty = Twenty(place, slack)
        try:
            return _restarted(twenty, tries)
        finally:
            twenty.bot.kill()
            twenty.go()


def _restarted(twenty: Twenty, tries: int) -> Verdict:
    """Each time the next room shows that what ran before the restart is taken up after it."""
    took, killed, left = [], 0, 0
    twenty.start()
    twenty.begin()
    for room, _ in zip(cycle(f"room-{number}" for number in range(ROOMS)), range(tries), strict=False):
        before = twenty.open()
        began = time.monotonic()
        twenty.bot.stop(seconds=PATIENCE)
        took.append(time.monotonic() - began)
        killed += sum(not alive(line.pid) for line in before)
        twenty.start()
        left += not twenty.next(room)
    lines = twenty.lines()
    return Verdict(
        tries=tries,
        lost=left,
        doubled=sum(count - 1 for count in ledger.starts(lines).values()),
        overlaps=len(ledger.overlaps(lines)),
        others={"scripts killed": killed, f"ends after {END_SECONDS:g} s": sum(one > END_SECONDS for one in took)},
        seen=f"the longest end took {max(took):.1f} s",
    )


@contextmanager
def two(place: Place, number: int, config: Path) -> Iterator[tuple[Bot, Bot]]:
    """Two bots that believe a data folder theirs."""
    folder = place.folder / f"data-{number}"
    bots = (Bot(data=folder, config=config), Bot(data=folder, config=config))
    try:
        yield bots
    finally:
        for bot in bots:
            bot.kill()


def holds(process: "subprocess.Popen[bytes]", data: Path) -> bool:
    """Whether a process has the database open: the system says so."""
    with suppress(OSError):
        for open_ in Path(f"/proc/{process.pid}/fd").iterdir():
            with suppress(OSError):
                if str(open_.readlink()).startswith(str(data / "shipmate.db")):
                    return True
    return False


def beside(place: Place, tries: int) -> Verdict:
    """A second bot is started while the first one starts, runs, ends or dies."""
    dice, both, none, unsaid = place.dice(), 0, 0, 0
    config = six_steps(place.folder).config
    for number in range(tries):
        with two(place, number, config) as (first, second):
            first.start(wait=False)
            a_moment(dice, 4.0)
            second.start(wait=False)
            ends = ENDS[number % len(ENDS)]
            seen = _watched(first, second, dice, ends)
            both += seen
            none += ends == "stays" and not any(_up(bot) for bot in (first, second))
            unsaid += ends == "stays" and not _told(first, second)
    return Verdict(tries=tries, others={"both at once": both, "neither": none, "second one not told": unsaid})


def _watched(first: Bot, second: Bot, dice: random.Random, ends: str) -> bool:
    """Whether both ever had the database at the same time; the first ends as the dice say, if it does."""
    assert first.process is not None and second.process is not None
    end, both, told = time.monotonic() + dice.uniform(0.0, 4.0), False, ends == "stays"
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and not (told and _settled(first, second)):
        both = both or (holds(first.process, first.data) and holds(second.process, first.data))
        if not told and time.monotonic() > end:
            told = True
            (first.process.terminate if ends == "ends" else first.process.kill)()
        time.sleep(0.005)
    return both


def _settled(first: Bot, second: Bot) -> bool:
    """One is up, or none will be."""
    return sum(bot.dead() for bot in (first, second)) == 2 or any(
        _up(one) and other.dead() for one, other in ((first, second), (second, first))
    )


def _told(first: Bot, second: Bot) -> bool:
    """One of them, whichever was slower, said which process the other one is."""
    winner, loser = (second, first) if first.dead() else (first, second)
    assert winner.process is not None and loser.process is not None
    return loser.process.returncode == 1 and f"already: process {winner.process.pid}" in winner.log()


def _up(bot: Bot) -> bool:
    try:
        return not bot.dead() and bot.answers()
    except AssertionError:  # it ended just now
        return False


def itself(place: Place, tries: int) -> Verdict:
    """The bot deploys itself, each time by the bot that it deployed before."""
    wrong = []
    with Threaded() as slack:
        slack.workspace.rates.on = False
        host = Host.made(place.folder, slack.env, patience=int(PATIENCE))
        host.bot.start()
        try:
            for number in range(1, tries + 1):
                try:
                    deploys_itself(host, slack, f"v1.{number}", seconds=2 * PATIENCE)
                except (AssertionError, subprocess.TimeoutExpired) as error:
                    wrong.append(f"v1.{number}: {error}")
        finally:
            host.bot.stop(seconds=30)
    return Verdict(tries=tries, others={"did not succeed": len(wrong)}, wrong=wrong)


FAULTS = (
    Fault(
        name="restarts",
        what=f"SIGTERM with {ROOMS} deploys running",
        run=told_to_end,
        tries=100,
        long=3,
    ),
    Fault(name="itself", what="the bot deploys itself", run=itself, tries=200, on=(SQLITE,)),
    Fault(
        name="second-bot",
        what="a second bot on the same data folder, at any moment of the first",
        run=beside,
        tries=100,
        long=5,
        quick=1,
        on=(SQLITE,),
    ),
)
