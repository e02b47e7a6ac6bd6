"""What a measurement is and how it is judged: percentiles, rows, and the table. Measures nothing itself."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HEADINGS = ("what", "baseline", "measured", "ratio", "figure", "")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One number against its figure: `measured` must not exceed `limit`, both in `unit`.

    `baseline` is what the same work took without Shipmate, None where there is none; `figure` is the limit in words.
    """

    what: str
    measured: float
    limit: float
    unit: str
    figure: str
    baseline: float | None = None
    note: str = ""

    @property
    def met(self) -> bool:
        return self.measured <= self.limit

    @property
    def ratio(self) -> float | None:
        return self.measured / self.baseline if self.baseline else None


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest of the values that at least `share` (0 to 1) of them do not exceed. Raises ValueError for none."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("nothing was measured")
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def median(values: Iterable[float]) -> float:
    return percentile(values, 0.5)


def quantity(value: float | None, unit: str) -> str:
    """A number as a person reads it: three digits, or all of those before the point."""
    if value is None:
        return "–"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:.{digits}f} {unit}"


def table(rows: Sequence[Row]) -> str:
    """The rows under their headings, each note on a line of its own."""
    cells = [_cells(row) for row in rows]
    widths = [max(len(line[i]) for line in [HEADINGS, *cells]) for i in range(len(HEADINGS))]
    lines = [_line(HEADINGS, widths), _line(["─" * width for width in widths], widths)]
    for row, cell in zip(rows, cells, strict=True):
        lines.append(_line(cell, widths))
        if row.note:
            lines.append(f"    {row.note}")
    return "\n".join(lines)


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.what,
        quantity(row.baseline, row.unit),
        quantity(row.measured, row.unit),
        "–" if row.ratio is None else f"{row.ratio:.2f}×",
        row.figure,
        "met" if row.met else "NOT MET",
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
