"""Floods of output under the bot: what they cost its memory, and by how much they make its loop late."""

import asyncio
from pathlib import Path

from tests.bench.figures import Row
from tests.torture.floods import FLOODS, GROWTH, LAG, MB, Measured, flood, flooded


async def floods(folder: Path, *, long: bool) -> list[Row]:
    """Each flood once; short: all but the longest, of 1 GB."""
    found = await asyncio.to_thread(_measured, folder, 0 if long else 1)
    return [row for one in found for row in _rows(one)]


def _measured(folder: Path, first: int) -> list[Measured]:
    with flooded(folder) as stage:
        return [flood(stage, number) for number in range(first, len(FLOODS))]


def _rows(one: Measured) -> list[Row]:
    return [
        Row(
            what=f"{one.what}, memory",
            measured=one.growth / MB,
            limit=GROWTH / MB,
            unit="MB",
            figure="grows by ≤ 64 MB",
        ),
        Row(
            what=f"{one.what}, loop lag p99",
            baseline=one.calm * 1000,
            measured=one.lag * 1000,
            limit=(one.calm + LAG) * 1000,
            unit="ms",
            figure="≤ at rest + 50 ms",
            note=f"on the disk at most {one.most / MB:.0f} MB, in the end {one.left / MB:.0f}",
        ),
    ]
