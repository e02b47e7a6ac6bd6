"""Single checks on machines that a test cannot have: full, mounted oddly, with a clock that is wrong."""

import asyncio
import os
import shutil
import sys
import time
from collections import namedtuple
from collections.abc import AsyncIterator
from email.utils import formatdate
from pathlib import Path

import pytest
from aiohttp import web

from bot.doctor import clock, machine
from bot.doctor.examination import Examination
from bot.doctor.findings import Check, Finding, Findings, Level, in_thread, ok

Usage = namedtuple("Usage", "total used free")
GB = 1_000_000_000

KEEP = 0


async def lines(findings: Findings) -> list[str]:
    return [str(finding) async for finding in findings]


@pytest.mark.parametrize(
    ("total", "free", "level"),
    [
        (500 * GB, 400 * GB, Level.OK),
        (4000 * GB, 200 * GB, Level.OK),  # 5 %, and plenty
        (50 * GB, 4 * GB, Level.WARNING),
        (5 * GB, 0.9 * GB, Level.WARNING),
        (5 * GB, 0.09 * GB, Level.PROBLEM),
    ],
)
async def test_room_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, total: float, free: float, level: Level
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(int(total), int(total - free), int(free)))
    tmp_path.chmod(0o700)
    found = [finding async for finding in machine.folder(tmp_path, KEEP) if finding.what == "disk"]
    assert [finding.level for finding in found] == [level]
    assert ("make room" in found[0].says) is (level is not Level.OK)


async def test_less_room_than_is_to_stay_free_is_a_problem(tmp_path: Path) -> None:
    found = [finding async for finding in machine.folder(tmp_path, 1 << 60) if finding.what == "disk"]
    assert [finding.level for finding in found] == [Level.PROBLEM]
    assert "less than SHIPMATE_KEEP_FREE asks for, so nothing new is started" in found[0].says


@pytest.mark.parametrize("root", [True, False])
async def test_who_runs_it(monkeypatch: pytest.MonkeyPatch, root: bool) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0 if root else 1000)
    [line] = await lines(machine.user())
    assert line.startswith("warning  user: root runs this" if root else "ok       user: number 1000, not root")


async def test_what_macos_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "warning  system: macOS runs the demo and the tests" in (await lines(machine.system()))[-1]


async def test_a_git_that_is_too_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git = tmp_path / "git"
    git.write_text("#!/bin/sh\necho git version 2.20.1\n")
    git.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (await lines(machine.system()))[0] == "problem  git: 2.20.1 is too old; install 2.29 or newer"
    git.unlink()
    assert (await lines(machine.system()))[0].startswith("problem  git: there is none on the PATH")


async def test_a_data_folder_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    assert "is no folder" in (await lines(machine.folder(tmp_path / "file", KEEP)))[0]
    assert "cannot be made" in (await lines(machine.folder(tmp_path / "file" / "below", KEEP)))[0]
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "is not writable; run: chmod 700" in (await lines(machine.folder(tmp_path, KEEP)))[0]
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    assert "belongs to user" in (await lines(machine.folder(tmp_path, KEEP)))[0]


@pytest.mark.parametrize(
    ("skew", "signed", "level", "says"),
    [
        (None, False, Level.SKIPPED, "Slack does not say"),
        (-20.0, False, Level.OK, "as Slack's"),
        (90.0, False, Level.WARNING, "it is 90 s behind Slack's"),
        (-900.0, False, Level.WARNING, "it is 900 s ahead of Slack's"),
        (-900.0, True, Level.PROBLEM, "requests that Slack signed are refused"),
    ],
)
def test_a_clock_that_is_wrong(skew: float | None, signed: bool, level: Level, says: str) -> None:
    found = clock.judged(skew, "Slack", signed=signed)
    assert found.level is level and says in found.says


async def test_the_clock_of_a_host() -> None:
    async def an_hour_ago(_request: web.Request) -> web.Response:
        return web.Response(headers={"Date": formatdate(time.time() - 3600, usegmt=True)})

    site = web.Application()
    site.router.add_get("/", an_hour_ago)
    runner = web.AppRunner(site)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        skew = await clock.skew_of(f"http://127.0.0.1:{runner.addresses[0][1]}/")
    finally:
        await runner.cleanup()
    assert skew is not None and -3605 < skew < -3595
    assert await clock.skew_of("http://127.0.0.1:9/") is None


async def examined(*looks: tuple[str, Findings], seconds: float = 10.0) -> list[str]:
    told: list[Finding] = []
    examination = Examination(told.append, seconds)
    for what, findings in looks:
        examination.begin(Check(what=what, look=lambda findings=findings: findings))  # type: ignore[misc]
    await examination.over()
    return [str(finding) for finding in told]


async def test_what_hangs_or_breaks_is_one_line_and_holds_up_nothing() -> None:
    async def fine() -> Findings:
        yield ok("fine", "it is")

    async def hangs() -> Findings:
        yield ok("hangs", "first it goes well")
        await in_thread(lambda: time.sleep(60))
        yield ok("hangs", "never")

    async def breaks() -> AsyncIterator[Finding]:
        raise KeyError("oops")
        yield

    began = asyncio.get_running_loop().time()
    found = await examined(("hangs", hangs()), ("breaks", breaks()), ("fine", fine()), seconds=0.2)
    assert asyncio.get_running_loop().time() - began < 5
    assert found == [
        "ok       hangs: first it goes well",
        "problem  breaks: the doctor itself broke here (KeyError: 'oops'); please report it",
        "ok       fine: it is",
        "problem  hangs: not known after 0.2 s: what has to be asked for it does not answer",
    ]
