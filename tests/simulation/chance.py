"""What a seed decides, and how a kind of simulation is made up: the odds of each fault."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

T = TypeVar("T")

LEFT_OUT = 0.4


class Course(StrEnum):
    """What becomes of a script."""

    WELL = "well"
    BADLY = "badly"
    NEVER = "never"  # runs until it is ended
    STUBBORN = "stubborn"  # ends badly, and only when it is killed, once it is told to end
    LOST = "lost"  # dies with its supervisor
    ORPHAN = "orphan"  # its supervisor dies, it lives on
    UNBORN = "unborn"  # the process cannot be started


@dataclass(frozen=True, kw_only=True)
class Mix:
    """`acts` is how many things people do, `patience` how many seconds lie between them at most. What is not said
    otherwise is a likelihood."""

    acts: tuple[int, int] = (1, 5)
    patience: float = 8.0
    clicks: float = 0.5
    stale: float = 0.35  # of clicks: on a message as it was before
    again: float = 0.25  # a delivery comes twice
    kills: tuple[int, int] = (0, 3)
    reboots: float = 0.15  # of kills: every script dies too
    away: float = 0.4  # Slack is away for a while
    slack: float = 0.04  # a call to Slack meets no good fate
    scripts: float = 0.25  # a script takes no good course
    engine: float = 0.3  # the engine carries a deploy out twice at a time
    painters: float = 0.3  # the painter dies and is begun again
    jumps: float = 0.3  # the clock jumps
    source: float = 0.1  # the repository does not answer
    disk: float = 0.02  # a transaction fails: the disk is full
    stillborn: float = 0.02  # a supervisor dies before it begins
    removed: float = 0.1  # somebody removes a message of ours


FAULTS = (
    "kills",
    "away",
    "slack",
    "scripts",
    "engine",
    "painters",
    "jumps",
    "source",
    "disk",
    "stillborn",
    "removed",
)


def swarm(mix: Mix, chance: "Chance") -> Mix:
    """The mix of one seed: some kinds of fault are left out of it, so that the others show what they do alone."""
    none = {"kills": (0, 0)}
    left_out = {name: none.get(name, 0.0) for name in FAULTS if chance.likely(LEFT_OUT)}
    return replace(mix, patience=mix.patience * chance.one_of([0.3, 1.0, 2.0]), **left_out)  # type: ignore[arg-type]


MIXES = {
    "all": Mix(),
    "kills": Mix(kills=(2, 6), away=0.1, slack=0.02, jumps=0.0),
    "disk": Mix(disk=0.1),
    "clicks": Mix(
        acts=(6, 12),
        patience=4.0,
        clicks=0.7,
        again=0.5,
        kills=(0, 0),
        engine=0.0,
        painters=0.0,
        disk=0.0,
        stillborn=0.0,
        removed=0.0,
    ),
}


class Chance:
    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def likely(self, odds: float) -> bool:
        return self._random.random() < odds

    def between(self, low: float, high: float) -> float:
        return self._random.uniform(low, high)

    def count(self, low: int, high: int) -> int:
        return self._random.randint(low, high)

    def one_of(self, some: Sequence[T]) -> T:
        return self._random.choice(some)

    def weighted(self, some: dict[T, float]) -> T:
        return self._random.choices(list(some), list(some.values()))[0]

    def short(self) -> float:
        """Seconds of a transaction or a look at a file: a few milliseconds, now and then much longer."""
        return self._random.uniform(0.0, 0.004) if self._random.random() < 0.97 else self._random.uniform(0.0, 2.0)
