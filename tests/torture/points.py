"""kill -9 of the bot at every named point, before and after, in a deploy, a rollback, an abort, and a rollback that
aborts first. The points are those of `tests.support.crash`."""

import random
from dataclasses import replace
from functools import partial

from tests.support.crash import POINTS, WHEN
from tests.support.process import until
from tests.support.scene import read
from tests.torture import ledger
from tests.torture.judge import judged
from tests.torture.people import at_rest, deploy_of
from tests.torture.rows import Fault, Place, Verdict
from tests.torture.stage import ENVIRONMENT, Room, Stage, at_last, on_stage

OFTEN = ("turn", "claim", "carried-out", "prepared", "begun", "spawned", "output", "ended", "posting-claimed")
ONLY_TO_BEGIN = ("enqueued", "claim", "prepared", "begun", "spawned")
ONLY_TO_END = ("stop",)
DEATH, REST = 120.0, 240.0

Case = tuple[str, str]


def cases() -> list[Case]:
    """Each flow with each point that it comes by."""
    flows = {
        "deploy": [point for point in POINTS if point not in ONLY_TO_END],
        "rollback": [point for point in POINTS if point not in ONLY_TO_END],
        "abort": [point for point in POINTS if point not in ONLY_TO_BEGIN],
        "now": list(POINTS),
    }
    return [(flow, f"{point}-{when}") for flow, points in flows.items() for point in points for when in WHEN]


# those that tell most, and one goes back to what the other replaced
CHOSEN: list[Case] = [("deploy", "spawned-after"), ("rollback", "posted-after"), ("abort", "stop-after")]


def chosen(tries: int, dice: random.Random) -> list[Case]:
    """So many: the chosen ones first, then by the dice."""
    others = [case for case in cases() if case not in CHOSEN]
    return [*CHOSEN[:tries], *dice.sample(others, max(0, min(len(others), tries - len(CHOSEN))))]


def died(place: Place, tries: int) -> Verdict:
    dice, unreached = place.dice(), list[str]()
    with on_stage(place, "points", rooms=1, pause=0.05) as stage:
        stage.start_and_wait(crash="")
        _deploy(stage, stage.rooms[0])  # something to go back to
        at_last(lambda: _over(stage, stage.rooms[0], 1), REST)
        for case in chosen(tries, dice):
            if not _dies(stage, case, dice):
                unreached.append(f"{case[0]} did not come by {case[1]}")
        found = judged(stage).verdict(tries)
    others = {**found.others, "not reached": len(unreached)}
    return replace(found, others=others, wrong=[*found.wrong, *unreached])


def _dies(stage: Stage, case: Case, dice: random.Random) -> bool:
    """Whether it came by the point; afterwards all is at rest."""
    flow, point = case
    room = stage.rooms[0]
    if flow in ("abort", "now"):
        stage.hold.touch()
        _deploy(stage, room)
        until(lambda: _installs(stage, room), seconds=60, what="an install")
    if flow == "rollback" and "[Roll back to" not in read(room.cards()[-1]):  # it was gone back already
        cards = len(room.cards())
        _deploy(stage, room)
        at_last(partial(_over, stage, room, cards + 1), REST)
    cards = len(room.cards())
    often = flow != "abort" and point.rpartition("-")[0] in OFTEN
    stage.bot.crash_file.write_text(f"{point}:{dice.randint(1, 3) if often else 1}")
    match flow:
        case "deploy":
            _deploy(stage, room)
        case "rollback":
            stage.slack.types("raj", "/rollback", f"{room.service} {ENVIRONMENT}", room.channel)
        case "abort":
            stage.slack.types("raj", "/deploy", f"abort {room.service} {ENVIRONMENT}", room.channel)
        case "now":
            stage.slack.types("raj", "/rollback", f"{room.service} {ENVIRONMENT} now", room.channel)
    at_last(lambda: stage.bot.dead() or _stopped(stage), DEATH)
    stage.hold.unlink(missing_ok=True)
    at_last(stage.bot.dead, DEATH)
    reached = stage.bot.dead()
    stage.bot.crash_file.unlink()
    if reached:
        stage.start_and_wait(crash="")
    at_last(lambda: _over(stage, room, cards + (flow != "abort")), REST)
    return reached


def _deploy(stage: Stage, room: Room) -> None:
    stage.slack.types("ana", "/deploy", f"{room.service} {stage.make()} {ENVIRONMENT}", room.channel)


def _installs(stage: Stage, room: Room) -> bool:
    """The newest deploy is in its first install."""
    cards = room.cards()
    newest = deploy_of(cards[-1]) if cards and not at_rest(cards[-1]) else ""
    return any((line.deploy, line.script) == (newest, "install") for line in ledger.read(stage.service.ledger))


def _stopped(stage: Stage) -> bool:
    """Whatever began last was stopped, or nothing has to be."""
    return not stage.hold.exists() or ledger.read(stage.service.ledger)[-1].what == "stopped"


def _over(stage: Stage, room: Room, cards: int) -> bool:
    found = room.cards()
    return len(found) >= cards and all(at_rest(card) for card in found) and not judged(stage).lost


FAULTS = (
    Fault(
        name="points",
        what="kill -9 of the bot at every named point, before and after, in every flow",
        run=died,
        tries=len(cases()),
        long=10,
    ),
)
