"""The whole host dies: bot, supervisors and scripts at once, at any moment. Nothing runs again by itself but what may;
who asked is asked, and an answer brings the deploy to its end."""

import random
from functools import partial

from tests.support.runs import end_all
from tests.torture import ledger
from tests.torture.judge import Found
from tests.torture.kills import ROUND, storm
from tests.torture.rows import SQLITE, Fault, Place, Verdict
from tests.torture.stage import RECIPE, Stage, a_moment, at_last, on_stage

ROOMS = 8
LONGEST = 30.0
RERUN = ("check",)
CHECK = "check: [{run: deploy/check.sh}]"
HARMLESS_CHECK = "check: [{run: deploy/check.sh, on_lost: rerun}]"


def died(stage: Stage, *, dice: random.Random) -> None:
    if dice.random() < 0.5:  # nobody knows what goes first
        stage.kill()
    end_all(stage.bot.data / "runs")
    stage.kill()
    end_all(stage.bot.data / "runs")  # what the bot still began
    ledger.mark_crash(stage.service.ledger)


def until_scripts_run(stage: Stage, dice: random.Random) -> None:
    """Most hosts die while scripts run, some while the bot starts."""
    if dice.random() < 0.8:
        stage.wait()
        at_last(lambda: any(over is None for _, over in ledger.spans(ledger.read(stage.service.ledger))), LONGEST)
    a_moment(dice, 2.0)


def crashed(place: Place, tries: int) -> Verdict:
    dice, found = place.dice(), Found()
    recipe = RECIPE.replace(CHECK, HARMLESS_CHECK)
    for number in range(0, tries, ROUND):
        with on_stage(place, f"round-{number}", rooms=min(ROOMS, tries), recipe=recipe) as stage:
            die = partial(died, dice=dice)
            found.add(storm(stage, dice, min(ROUND, tries - number), die, lives=until_scripts_run, rerun=RERUN))
    return found.verdict(tries)


FAULTS = (
    Fault(
        name="hosts",
        what="crash of the host: bot, supervisors and scripts at once",
        run=crashed,
        tries=300,
        long=10,
        quick={SQLITE: 1},
    ),
)
