"""Whoever asks whether the bot is ready gets an answer within two seconds, whatever hangs."""

import asyncio
import time
from pathlib import Path

import pytest

from bot import readiness
from bot.readiness import Readiness
from handlers.web.health import Check


async def well() -> Check:
    return Check(ok=True, says="well")


async def test_a_part_that_hangs_is_told_in_time_and_asked_once() -> None:
    asked = 0
    let_go = asyncio.Event()

    async def hangs() -> Check:
        nonlocal asked
        asked += 1
        await let_go.wait()
        return Check(ok=True, says="back")

    ready = Readiness({"database": hangs, "disk": well})
    began = time.monotonic()
    first = await ready.look()
    assert time.monotonic() - began < 2
    assert first["disk"].ok and not first["database"].ok and first["database"].says.startswith("no answer for 1.5")
    assert await ready.look() is first  # whoever asks again at once is told the same
    ready.forget()
    assert not (await ready.look())["database"].ok and asked == 1
    let_go.set()
    ready.forget()
    assert (await ready.look())["database"] == Check(ok=True, says="back")
    ready.stop()


async def test_what_is_answered_too_late_is_told_to_nobody() -> None:
    let_go = asyncio.Event()
    answers = iter(["late", "now"])

    async def slow() -> Check:
        says = next(answers)
        if says == "late":
            await let_go.wait()
        return Check(ok=True, says=says)

    ready = Readiness({"database": slow})
    assert not (await ready.look())["database"].ok
    let_go.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    ready.forget()
    assert (await ready.look())["database"] == Check(ok=True, says="now")


async def test_a_part_that_breaks_is_not_well_and_tells_nothing_of_what_it_held() -> None:
    async def breaks() -> Check:
        raise ValueError("canary")

    ready = Readiness({"database": breaks})
    assert (await ready.look())["database"] == Check(ok=False, says="broke: ValueError")


async def test_too_little_room_is_told(tmp_path: Path) -> None:
    assert (await readiness.disk(tmp_path, 0)()).ok
    short = await readiness.disk(tmp_path, 1 << 60)()
    assert not short.ok and "MB are kept: nothing new is started" in short.says


@pytest.mark.parametrize(("seconds", "ok"), [(0.0, True), (readiness.STUCK + 1, False)])
async def test_a_loop_that_does_not_turn_is_told(seconds: float, ok: bool) -> None:
    async def late() -> float:
        return seconds

    assert await readiness.turning("since", late)() == Check(ok=ok, says=f"{seconds:.1f} s since")
