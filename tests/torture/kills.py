"""kill -9 of the bot at any moment, while people in several rooms go on giving commands."""

import random
from collections.abc import Callable, Sequence
from functools import partial

from tests.torture.judge import Found, judged
from tests.torture.people import a_crowd
from tests.torture.rows import POSTGRES, SQLITE, Fault, Place, Verdict
from tests.torture.stage import Stage, a_moment, at_last, on_stage

ROOMS = 12  # at most: a few deaths need no more of them
ROUND = 100  # deaths, after which all comes to rest and is judged
LIFE = 5.0  # seconds that a bot lives at most, half of them from the start, half from when they are ready
REST = 300.0


def stormed(place: Place, tries: int) -> Verdict:
    dice, found = place.dice(), Found()
    for number in range(0, tries, ROUND):
        with on_stage(place, f"round-{number}", rooms=min(ROOMS, tries), pause=0.1) as stage:
            found.add(storm(stage, dice, min(ROUND, tries - number), Stage.kill, lives=for_a_while, meddles=0.05))
    return found.verdict(tries)


def for_a_while(stage: Stage, dice: random.Random) -> None:
    """It dies while it starts, or when it is ready."""
    if dice.random() < 0.5:
        stage.wait()
    a_moment(dice, LIFE)


def storm(
    stage: Stage,
    dice: random.Random,
    deaths: int,
    die: Callable[[Stage], None],
    *,
    lives: Callable[[Stage, random.Random], None],
    meddles: float = 0.0,
    rerun: Sequence[str] = (),
) -> Found:
    """The bot `lives` and dies so often; then it is left alone until all is at rest."""
    judge = partial(judged, stage, rerun=rerun)
    with a_crowd(stage, dice, meddles=meddles) as crowd:
        for _ in range(deaths):
            stage.start()
            lives(stage, dice)
            die(stage)
        crowd.close()
        stage.start_and_wait()
        at_last(lambda: crowd.idle() and not judge().lost, REST)
    return judge()


FAULTS = (
    Fault(
        name="kills",
        what="kill -9 of the bot at random moments",
        run=stormed,
        tries={SQLITE: 1_000, POSTGRES: 300},
        long={SQLITE: 60, POSTGRES: 20},
        quick={SQLITE: 3},
    ),
)
