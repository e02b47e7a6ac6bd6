"""A database that is away, crashes, cuts its connections or is locked by somebody else; and two processes on one, each
of which dies or stands still.

Scaled is the time alone: ten minutes without a database are at most one here. No wait of ours for a database is longer
than ten seconds, after which what must be done is done again, without end."""

import random
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial

from tests.support.postgres import Server
from tests.support.process import Bot, until
from tests.torture.outages import suffered
from tests.torture.rows import POSTGRES, SQLITE, Fault, Place, Verdict
from tests.torture.stage import Stage, a_moment, on_stage

ROOMS, PAUSE = 4, 0.1
MINUTE = 60.0
CRASHED = 2.0  # seconds at most until a server that crashed is there again
LOCKED = 6.0
STILL = (6.0, 15.0)  # seconds that a process stands still: longer than it looks after its name on the database
CUTS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"


def away(place: Place, tries: int, *, shortest: float, longest: float, between: float) -> Verdict:
    dice, server = place.dice(), place.server()

    def crash() -> None:
        server.crash()
        try:
            a_moment(dice, longest, shortest)
        finally:
            server.start()

    with on_stage(place, "away", rooms=ROOMS, pause=PAUSE) as stage:
        return suffered(stage, dice, tries, crash, between=between).verdict(tries)


def cut(place: Place, tries: int) -> Verdict:
    """Each connection of the bot with even chances: also the one that hears, and the one that holds its name."""
    dice, server = place.dice(), place.server()
    with on_stage(place, "cut", rooms=ROOMS, pause=PAUSE) as stage:
        number = 0

        def some() -> None:
            nonlocal number
            number += _cut(server, stage, " AND random() < 0.5")

        found = suffered(stage, dice, tries, some, between=0.8)
        verdict = found.verdict(tries)
        return replace(verdict, seen=f"{verdict.seen}, {number:,} connections cut")


def _cut(server: Server, stage: Stage, which: str = "") -> int:
    database = stage.bot.env["DATABASE_URL"].rpartition("/")[2]
    with closing(server.connect("postgres")) as connection:
        return len(connection.execute((CUTS + which).encode(), (database,)).fetchall())


def locked(place: Place, tries: int) -> Verdict:
    dice = place.dice()

    def lock() -> None:
        with closing(sqlite3.connect(stage.bot.data / "shipmate.db", isolation_level=None, timeout=MINUTE)) as other:
            other.execute("BEGIN IMMEDIATE")
            a_moment(dice, LOCKED)
            other.execute("ROLLBACK")

    with on_stage(place, "locked", rooms=ROOMS, pause=PAUSE) as stage:
        return suffered(stage, dice, tries, lock).verdict(tries)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """`stage.bot` is the web."""

    stage: Stage
    worker: Bot

    def either(self, dice: random.Random) -> Bot:
        return dice.choice((self.stage.bot, self.worker))

    def there(self) -> bool:
        return self.stage.ready() and self.worker.answers()


@contextmanager
def pair(place: Place, folder: str) -> Iterator[Pair]:
    with on_stage(place, folder, rooms=ROOMS) as stage:
        web = stage.bot
        web.role = "web"
        env = {"DATABASE_URL": web.env["DATABASE_URL"]}
        worker = Bot(data=web.data, config=web.config, env=env, role="worker")
        try:
            worker.start()
            yield Pair(stage=stage, worker=worker)
        finally:
            worker.kill()


def of_two(place: Place, tries: int, *, outage: Callable[[Place, Pair, random.Random], None]) -> Verdict:
    dice = place.dice()
    with pair(place, "two") as two:
        found = suffered(two.stage, dice, tries, lambda: outage(place, two, dice))
        if two.worker.dead():
            found.hurt.append(f"the worker ended: {two.worker.log()[-2000:]}")
        return found.verdict(tries)


def dies(_place: Place, two: Pair, dice: random.Random) -> None:
    process = two.either(dice)
    process.kill()
    a_moment(dice, CRASHED)
    process.start(wait=False)
    until(two.there, seconds=MINUTE, what=lambda: f"both ({process.log()[-2000:]})")


def stands_still(place: Place, two: Pair, dice: random.Random) -> None:
    """For longer than its connections last, while another one tries to take its place."""
    process = two.either(dice)
    assert process.process is not None
    process.process.send_signal(signal.SIGSTOP)
    try:
        _cut(place.server(), two.stage)
        other = Bot(data=process.data, config=process.config, env=process.env, role=process.role)
        other.start(wait=False)
        assert other.process is not None and other.process.wait(MINUTE) == 1
        a_moment(dice, STILL[1], STILL[0])
    finally:
        process.process.send_signal(signal.SIGCONT)
    until(two.there, seconds=MINUTE, what=lambda: f"both ({process.log()[-2000:]})")


FAULTS = (
    Fault(
        name="database-away",
        what="PostgreSQL away for 15 to 60 s (10 min, scaled)",
        run=partial(away, shortest=15.0, longest=MINUTE, between=4.0),
        tries=20,
        long=1,
        on=(POSTGRES,),
    ),
    Fault(
        name="database-crashes",
        what="PostgreSQL crashes every few seconds",
        run=partial(away, shortest=0.0, longest=CRASHED, between=6.0),
        tries=150,
        long=5,
        on=(POSTGRES,),
    ),
    Fault(
        name="cuts",
        what="connections are cut many times a second",
        run=cut,
        tries=1_000,
        long=60,
        quick=5,
        on=(POSTGRES,),
    ),
    Fault(
        name="two-processes",
        what="kill -9 of the web or the worker",
        run=partial(of_two, outage=dies),
        tries=300,
        long=4,
        on=(POSTGRES,),
    ),
    Fault(
        name="stands-still",
        what="the web or the worker stands still, loses its connections, and another tries to take its place",
        run=partial(of_two, outage=stands_still),
        tries=50,
        long=1,
        on=(POSTGRES,),
    ),
    Fault(
        name="locked",
        what="another writer has the SQLite file for seconds",
        run=locked,
        tries=50,
        long=4,
        on=(SQLITE,),
    ),
)
