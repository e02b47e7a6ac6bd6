"""kill -9 of the bot at any moment, while people in several rooms go on giving commands."""

import random
from collections.abc import Callable
from functools import partial

from tests.torture.judge import Found, judged
from tests.torture.people import a_crowd
from tests.torture.rows import POSTGRES, SQLITE, Fault, Place, Verdict
from tests.torture.stage import Stage, a_moment, at_last, on_stage

ROOMS = 6
ROUND = 100  # deaths, after which all comes to rest and is judged
LIFE = 4.0  # seconds that a bot lives at most, half of the times from its start, half from when it is ready
REST = 300.0


def stormed(place: Place, tries: int) -> Verdict:
    dice, found = place.dice(), Found()
    for number in range(0, tries, ROUND):
        with on_stage(place, f"round-{number}", rooms=ROOMS) as stage:
            found.add(storm(stage, dice, min(ROUND, tries - number), Stage.kill, meddles=0.02))
    return found.verdict(tries)


def storm(
    stage: Stage,
    dice: random.Random,
    deaths: int,
    die: Callable[[Stage], None],
    *,
    meddles: float = 0.0,
    **rules: object,
) -> Found:
    """The bot dies so often; then it is left alone until all is at rest."""
    judge = partial(judged, stage, **rules)  # type: ignore[arg-type]
    with a_crowd(stage, dice, meddles=meddles) as crowd:
        for _ in range(deaths):
            stage.start()
            if dice.random() < 0.5:
                stage.wait()
            a_moment(dice, LIFE)
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
        tries=1_000,
        long=60,
        quick=4,
        on=(SQLITE,),
    ),
    Fault(
        name="kills-postgresql",
        what="kill -9 of the bot at random moments",
        run=stormed,
        tries=300,
        long=20,
        quick=3,
        on=(POSTGRES,),
    ),
)
