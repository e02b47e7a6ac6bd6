"""What a row of the torture's table is: a fault, how often it was injected, and what came of it."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.postgres import Server

SQLITE, POSTGRES, NEITHER = "SQLite", "PostgreSQL", "-"
HEAD = ("fault", "on", "tries", "lost", "doubled", "overlaps", "else", "")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a fault is tried: a folder of its own, new databases, and dice whose seed is printed when it is not met.

    `database()` is the URL of a new database that is up to date; None stands for SQLite in the bot's data folder.
    `server()` is the PostgreSQL of all that is tried, for those who break it."""

    folder: Path
    database: Callable[[], str | None]
    server: Callable[[], Server]
    seed: int

    @property
    def env(self) -> dict[str, str]:
        """What a bot needs to work on a new database of this place."""
        url = self.database()
        return {} if url is None else {"DATABASE_URL": url}

    def dice(self) -> random.Random:
        return random.Random(self.seed)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """`lost`: what was accepted and did not happen, or happened and is not shown. `doubled`: what happened twice.
    `overlaps`: two deploys' scripts at once in one room. `others`: further counts, each of which must be 0. `seen` is
    measured besides; `wrong` tells of the first things that are not as they must be."""

    tries: int
    lost: int = 0
    doubled: int = 0
    overlaps: int = 0
    others: Mapping[str, int] = field(default_factory=dict)
    seen: str = ""
    wrong: Sequence[str] = ()

    @property
    def met(self) -> bool:
        return not (self.lost or self.doubled or self.overlaps or any(self.others.values()))


Times = int | Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """`tries` are those of `make torture`, `long` and `quick` those of the two tiers of `make test`; 0: not in it.
    `times` says how often that is on one database."""

    name: str
    what: str
    run: Callable[[Place, int], Verdict]
    tries: Times
    long: Times = 0
    quick: Times = 0
    on: tuple[str, ...] = (SQLITE, POSTGRES)


def times(given: Times, on: str) -> int:
    return given if isinstance(given, int) else given.get(on, 0)


@dataclass(frozen=True, kw_only=True)
class Row:
    fault: Fault
    on: str
    seed: int
    verdict: Verdict
    seconds: float

    def cells(self) -> tuple[str, ...]:
        v = self.verdict
        others = [f"{count} {what}" for what, count in v.others.items()]
        counts = (v.tries, v.lost, v.doubled, v.overlaps)
        more = ", ".join([*others, *([v.seen] if v.seen else [])])
        return (self.fault.what, self.on, *(f"{count:,}" for count in counts), more, "met" if v.met else "NOT MET")


def told(row: Row) -> str:
    """One row that was not met, for whoever looks for the reason."""
    name = f"{row.fault.name}:{row.on.lower()}" if row.on != NEITHER else row.fault.name
    again = f'make torture ARGS="{name} --seed {row.seed} --tries {row.verdict.tries}"'
    return "\n".join([f"{row.fault.what}, on {row.on}: not met. The same again: {again}", *row.verdict.wrong])


def table(rows: Sequence[Row]) -> str:
    """The rows as a table of Markdown."""
    cells = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEAD))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in cells
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])
