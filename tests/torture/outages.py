"""What a bot depends on is taken away again and again, while people in several rooms go on giving commands."""

import random
import time
from collections.abc import Callable
from functools import partial

from tests.torture.judge import Found, judged
from tests.torture.people import Crowd
from tests.torture.stage import Stage, a_moment, at_last

BETWEEN = 3.0  # seconds at most between the end of an outage and the next one
REST = 180.0


def suffered(
    stage: Stage,
    dice: random.Random,
    outages: int,
    outage: Callable[[], None],
    *,
    between: float = BETWEEN,
    meddles: float = 0.005,
) -> Found:
    """`outage` returns when it is over. Then all comes to rest and is judged."""
    crowd = Crowd(stage, dice, meddles=meddles)
    stage.start_and_wait()
    crowd.begin()
    for _ in range(outages):
        a_moment(dice, between)
        outage()
        stage.restarts.append(time.time())  # from now on it can be expected to go on
    crowd.close()
    judge = partial(judged, stage)
    at_last(lambda: crowd.idle() and not judge().lost, REST)
    crowd.end()
    found = judge()
    if stage.bot.dead():
        found.hurt.append(f"the bot ended: {stage.bot.log()[-2000:]}")
    return found
