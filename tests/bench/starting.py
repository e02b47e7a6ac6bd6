"""How soon a script runs: after a command was accepted, and after a click on Roll back. By hand is the baseline."""

import asyncio
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bot.workspace.state import Message
from bot.workspace.used import labelled
from tests.bench.figures import Row, percentile
from tests.bench.stage import CHANNEL, WAITS, Stage, deployable, on_stage

BUTTON = "Roll back to v1.1"
ROOMS = ("r1", "r2", "r3", "r4")
BUSY = WAITS + "for i in {1..10000}; do echo line $i; pause 0.5; done"
P50, P99 = 0.3, 0.6  # seconds that Shipmate may add


def by_hand(repository: Path, folder: Path, ledger: Path, times: int) -> list[float]:
    """Resolve the version, run its script in a tree that is on disk: seconds to the script's first line."""
    tree = folder / "tree"
    git = ["git", "-C", str(repository)]
    subprocess.run([*git, "worktree", "add", "--quiet", "--detach", str(tree), "v1.2"], check=True)
    spent = []
    for number in range(times):
        began = time.time()
        subprocess.run([*git, "rev-parse", "--verify", "v1.2^{commit}"], check=True, stdout=subprocess.DEVNULL)
        env = {"PATH": "/usr/bin:/bin", "VERSION": "v1.2", "ENVIRONMENT": f"hand-{number}"}
        subprocess.run([str(tree / "deploy" / "install.sh")], check=True, cwd=tree, env=env)
        spent.append(float(ledger.read_text().split()[-1]) - began)
    return spent


def rows(what: str, hand: Sequence[float], measured: Sequence[float], note: str = "") -> Iterator[Row]:
    for share, more in ((0.5, P50), (0.99, P99)):
        baseline = percentile(hand, share)
        yield Row(
            what=f"{what}, p{share * 100:.0f}",
            baseline=baseline,
            measured=percentile(measured, share),
            limit=baseline + more,
            unit="s",
            figure=f"≤ by hand + {more} s",
            note=note if share > 0.5 else "",
        )


async def accepted(folder: Path, *, long: bool) -> list[Row]:
    """Command accepted (the journal's own time of `planned`) → first line of the script; the tree is on disk."""
    times = 100 if long else 30
    service = deployable(folder)
    async with on_stage(service) as stage:
        hand = await asyncio.to_thread(by_hand, service.repository, folder, service.ledger, times)
        spent, asking = [], []
        for number in range(times + 2):
            began = time.time()
            await stage.say(f"deploy api v1.{1 + number % 2} staging force")
            asking.append(time.time() - began)
            first = await stage.noted("install", f"v1.{1 + number % 2}", "staging", number // 2 + 1)
            spent.append(first - planned_at(stage))
            await idle(stage)
    note = f"{times} deploys; ask → accepted, a fetch in it: p50 {percentile(asking[2:], 0.5):.3f} s"
    return list(rows("accepted → first line", hand, spent[2:], f"{note}; first on a new data folder {spent[0]:.2f} s"))


async def rollback(folder: Path, *, long: bool) -> list[Row]:
    """Click on Roll back → first line of the rollback's script, while other deploys run."""
    busy = [f"busy{number}" for number in range(50 if long else 5)]
    rounds = 12 if long else 3
    service = deployable(folder, environments=[*ROOMS, *busy], bodies=dict.fromkeys(busy, BUSY))
    async with on_stage(service) as stage:
        for room in [*ROOMS, *busy]:
            await stage.say(f"deploy api v1.1 {room}")
        for room in [*ROOMS, *busy]:
            await stage.noted("install", "v1.1", room, 1)
        hand = await asyncio.to_thread(by_hand, service.repository, folder, service.ledger, rounds * len(ROOMS))
        spent = [one for number in range(rounds) for one in await _round(stage, number)]
    note = f"{len(spent)} clicks, {len(busy)} other deploys running and printing"
    return list(rows("click Roll back → first line", hand, spent, note))


async def _round(stage: Stage, number: int) -> list[float]:
    """Deploy to every room, then roll each back by its button."""
    ana = stage.workspace.person("ana")
    deploys = {}
    for room in ROOMS:
        await idle(stage, room)
        await stage.say(f"deploy api v1.2 {room}")
        deploys[room] = str(_ask(stage, f"SELECT id FROM deploy WHERE room LIKE '%{room}' ORDER BY id DESC LIMIT 1"))
    spent = []
    for room, deploy in deploys.items():
        message = await stage.workspace.wait_for(partial(_live, stage, deploy), 90.0)
        began = time.time()
        await ana.click(message, BUTTON)
        spent.append(await stage.noted("install", "v1.1", room, number + 2) - began)
    return spent


def _live(stage: Stage, deploy: str) -> Message | None:
    """The message of a deploy, once it is live and has its button."""
    said = reversed(stage.workspace.messages(CHANNEL))
    ours = (m for m in said if f'"d":"{deploy}"' in str(m.get("blocks")))
    return next((m for m in ours if "is live in" in m["text"] and labelled(m, BUTTON)), None)


def planned_at(stage: Stage) -> float:
    """When the newest deploy was accepted, in seconds since 1970."""
    at = _ask(stage, "SELECT max(at) FROM event WHERE kind = 'planned'")
    return datetime.fromisoformat(str(at)).replace(tzinfo=UTC).timestamp()


async def idle(stage: Stage, room: str = "") -> None:
    """Wait until no deploy runs, in a room or anywhere."""
    running = f"SELECT count(*) FROM deploy WHERE state = 'running' AND room LIKE '%{room}'"
    await stage.workspace.wait_for(lambda: _ask(stage, running) == 0, 90.0)


def _ask(stage: Stage, question: str) -> object:
    with sqlite3.connect(f"file:{stage.bot.data / 'shipmate.db'}?mode=ro", uri=True) as database:
        answer: tuple[object, ...] = database.execute(question).fetchone()
    return answer[0]
