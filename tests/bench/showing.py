"""Line printed → line to be seen in the thread, by the workspace's log of calls and the lines' own clock.

The workspace refuses what Slack would refuse, and its refusals are counted.
"""

import asyncio
import json
import re
import time
from collections import defaultdict
from pathlib import Path

from bot.workspace import Workspace
from tests.bench.figures import Row, percentile
from tests.bench.stage import deployable, on_stage
from tests.bench.starting import idle

ONE = 3.5  # seconds with one deploy
MANY = 10
EDITS = 50  # a minute, in all: Slack's own limit
OVER = 1.2
PAUSE = 0.2  # seconds between two lines
SEEN_BY = 60.0
SHOWN = ("chat.postMessage", "chat.update")
LINE = re.compile(r"line (\d+\.\d+) of (\w+)")


async def visible(folder: Path, *, long: bool) -> list[Row]:
    found = await _measured(folder / "one", 1, 60 if long else 20)
    rows = [_row("line → thread, 1 deploy, p99", found, ONE, f"≤ {ONE} s")]
    if long:
        allowed = MANY / EDITS * 60  # each deploy's tail in its turn
        found = await _measured(folder / "many", MANY, 90)
        rows.append(_row("line → thread, 10 deploys, p99", found, allowed * OVER, f"≤ 1.2 × {allowed:g} s, 0 refused"))
    return rows


def _row(what: str, found: "tuple[list[float], int]", limit: float, figure: str) -> Row:
    delays, refused = found
    note = f"{len(delays)} lines, p50 {percentile(delays, 0.5):.2f} s, {refused} answers of 429"
    measured = percentile(delays, 0.99)
    return Row(what=what, measured=measured, limit=-1 if refused else limit, unit="s", figure=figure, note=note)


async def _measured(folder: Path, deploys: int, seconds: int) -> tuple[list[float], int]:
    """The seconds that each line took to be seen by, and how often Slack's limits refused."""
    count = round(seconds / PAUSE)
    rooms = [f"room{number}" for number in range(deploys)]
    body = f'for ((i = 0; i < {count}; i++)); do echo "line $EPOCHREALTIME of $ENVIRONMENT"; sleep {PAUSE}; done'
    service = deployable(folder, body, environments=rooms)
    async with on_stage(service, rates=True) as stage:
        for room in rooms:
            await stage.say(f"deploy api v1.1 {room}")
        await asyncio.sleep(seconds)  # they print so long, and nobody has to look before
        await idle(stage)
        printed = _printed(stage.bot.data)
        whole = deploys * count
        if len(printed) != whole:
            raise RuntimeError(f"{len(printed)} lines were printed, not {whole}")
        await stage.workspace.wait_for(lambda: max(printed) in _seen(stage.workspace), SEEN_BY)
        refused = sum(call.answer.get("error") == "ratelimited" for call in stage.workspace.calls)
        return _delays(printed, _seen(stage.workspace)), refused


def _printed(data: Path) -> list[tuple[float, str]]:
    """Each line's time and room, from the scripts' own output."""
    texts = [file.read_text() for file in (data / "runs").glob("*/*/out")]
    return [(float(at), room) for text in texts for at, room in LINE.findall(text)]


def _seen(workspace: Workspace) -> dict[tuple[float, str], float]:
    """When each line was first shown, in seconds since 1970."""
    offset = time.time() - time.monotonic()
    first: dict[tuple[float, str], float] = {}
    for call in workspace.calls:
        if call.method in SHOWN and call.answer.get("ok"):
            for at, room in LINE.findall(json.dumps(call.args)):
                first.setdefault((float(at), room), call.at + offset)
    return first


def _delays(printed: list[tuple[float, str]], seen: dict[tuple[float, str], float]) -> list[float]:
    """Until a line, or one printed after it in its room, was seen: the tail shows the newest lines alone."""
    delays: list[float] = []
    later: defaultdict[str, float] = defaultdict(lambda: float("inf"))
    for line in sorted(printed, reverse=True):
        at, room = line
        later[room] = min(later[room], seen.get(line, float("inf")))
        delays.append(later[room] - at)
    return delays
