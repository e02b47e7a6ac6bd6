"""A whole tree put on disk, beside git alone doing it; and asked for again."""

import asyncio
import os
import random
import subprocess
import time
from pathlib import Path

from pipelines.execution.source import Source
from tests.bench.figures import Row, median, quantity
from tests.support.service import Service

SLOWER = 1.1
AGAIN = 0.1  # seconds
A_FOLDER = 50  # files in each


async def tree(folder: Path, *, long: bool) -> list[Row]:
    """Each turn has a commit of its own; who goes first changes from turn to turn, and the disk is idle before each."""
    files, turns = (20_000, 9) if long else (2_000, 5)
    service = Service(folder=folder / "service")
    commits = await asyncio.to_thread(_commits, service, files, turns)
    source = Source(folder / "git")
    hand, measured, again = [], [], []
    try:
        await source.refresh(str(service.repository))
        mirror = next(path for path in (folder / "git" / "mirrors").iterdir() if path.is_dir())
        for number, commit in enumerate(commits):
            if number % 2:
                hand.append(await asyncio.to_thread(_by_hand, mirror, folder / f"hand-{number}", commit))
            await asyncio.to_thread(os.sync)
            measured.append(await _asked(source, service, commit))
            again.append(await _asked(source, service, commit))
            if not number % 2:
                hand.append(await asyncio.to_thread(_by_hand, mirror, folder / f"hand-{number}", commit))
    finally:
        await source.close()
    return _rows(files, hand, measured, again)


def _rows(files: int, hand: list[float], measured: list[float], again: list[float]) -> list[Row]:
    ratios = [ours / theirs for ours, theirs in zip(measured, hand, strict=True)]
    turn = ratios.index(median(ratios))
    span = [f"{quantity(min(these), 's')} to {quantity(max(these), 's')}" for these in (measured, hand)]
    return [
        Row(
            what=f"tree of {files:,} files on disk",
            baseline=hand[turn],
            measured=measured[turn],
            limit=hand[turn] * SLOWER,
            unit="s",
            figure="≤ 1.1× of git",
            note=f"the middle one of {len(hand)} turns; they took {span[0]}, git alone {span[1]}",
        ),
        Row(
            what=f"tree of {files:,} files, asked again",
            measured=max(again),
            limit=AGAIN,
            unit="s",
            figure="≤ 0.1 s",
        ),
    ]


def _commits(service: Service, files: int, turns: int) -> list[str]:
    """A repository of small files of many lines, and commits in it that each change one."""
    drawn = random.Random(1)
    texts = {f"part{number // A_FOLDER}/file{number}.txt": drawn.randbytes(1_000).hex() for number in range(files)}
    first = service.commit(texts)
    return [first, *(service.commit({"VERSION": f"{number}\n"}) for number in range(1, turns))]


async def _asked(source: Source, service: Service, commit: str) -> float:
    began = time.perf_counter()
    await source.tree(str(service.repository), commit)
    return time.perf_counter() - began


def _by_hand(mirror: Path, tree: Path, commit: str) -> float:
    """read-tree and checkout-index, as anybody would type them."""
    tree.mkdir()
    os.sync()
    env = {**os.environ, "GIT_INDEX_FILE": str(tree.with_suffix(".index"))}
    git = ["git", f"--git-dir={mirror}", f"--work-tree={tree}"]
    began = time.perf_counter()
    for argv in (["read-tree", commit], ["checkout-index", "--all", "--quiet"]):
        subprocess.run([*git, *argv], check=True, env=env, cwd=tree)
    return time.perf_counter() - began
