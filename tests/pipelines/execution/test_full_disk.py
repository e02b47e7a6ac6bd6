"""A disk without one more byte, at every place where a run writes: nothing begins unrecorded, no end is lost, and the
clause says what happened."""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.domain.events import Progress
from pipelines.execution import rundir, supervisor
from pipelines.execution.rundir import RunState, Why
from tests.support.repository import until
from tests.support.rig import Rig, rigged
from tests.support.runs import MakeRun, Run
from tests.support.runs import until as wait_until
from tests.support.small_disk import SmallDisk, small_disk

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs a disk of its own")

FULL = "the disk of its host is full"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk") as disk:
        yield disk


@pytest.fixture
async def rig(tmp_path: Path, disk: SmallDisk) -> AsyncIterator[Rig]:
    """Run folders lie on the small disk, all else beside it."""
    async with rigged(tmp_path, runs=disk.folder / "runs") as rig:
        yield rig


def waiting(rig: Rig, then: str) -> str:
    return f'echo ran >> "{rig.folder}/ledger"; until [ -e "{rig.folder}/go" ]; do sleep 0.02; done; {then}'


async def in_its_middle(rig: Rig) -> None:
    await until((rig.folder / "ledger").exists)


async def test_no_run_folder_no_start(rig: Rig, disk: SmallDisk) -> None:
    disk.fill()
    rig.begin()
    ending = await rig.ending(await rig.runs_script(f'echo ran >> "{rig.folder}/ledger"'))
    assert (ending.progress, ending.detail) == (Progress.FAILED, f"did not start: {FULL}")
    assert not (rig.folder / "ledger").exists()


async def test_no_tree_no_start(tmp_path: Path, disk: SmallDisk) -> None:
    (disk.folder / "git").mkdir()
    (tmp_path / "git").symlink_to(disk.folder / "git")
    async with rigged(tmp_path, runs=disk.folder / "runs") as rig:
        commit = await rig.commit(*[f'echo ran >> "{tmp_path}/ledger"'] * 30)
        rig.begin()
        (disk.folder / "spare").write_bytes(bytes(40_000))  # so that git begins, and breaks
        disk.fill()
        (disk.folder / "spare").unlink()
        ending = await rig.ending(await rig.claim(commit))
    assert (ending.progress, ending.detail) == (Progress.FAILED, f"did not start: {FULL}")
    assert not (tmp_path / "ledger").exists()


async def test_what_a_script_prints_is_cut_off_and_its_failure_says_why(rig: Rig, disk: SmallDisk) -> None:
    rig.begin()
    key = await rig.runs_script(waiting(rig, "set -e; echo before; for i in {1..2000}; do echo $i; done"))
    await in_its_middle(rig)
    disk.fill()
    (rig.folder / "go").touch()
    ending = await rig.ending(key)
    assert (ending.progress, ending.detail) == (Progress.FAILED, f"exited 1; {FULL}")


async def test_a_script_that_needs_no_disk_ends_well(rig: Rig, disk: SmallDisk) -> None:
    rig.begin()
    key = await rig.runs_script(waiting(rig, "exit 0"))
    await in_its_middle(rig)
    disk.fill()
    (rig.folder / "go").touch()
    assert (await rig.ending(key)).progress is Progress.OK


async def test_a_script_that_fills_the_disk_itself_is_read_and_gives_it_back(rig: Rig, disk: SmallDisk) -> None:
    """More than the disk holds comes through: what is recorded leaves it."""
    rig.begin()
    left = f"$(df -k --output=avail '{disk.folder}' | tail -1)"
    print_one = "head -c 1M /dev/zero | tr '\\0' x && echo"
    key = await rig.runs_script(
        f"for i in {{1..60}}; do {print_one}; until [ {left} -gt 3000 ]; do sleep 0.02; done; done"
    )
    assert (await rig.ending(key)).progress is Progress.OK
    assert (rig.run_dir(key) / "out").stat().st_size > 60_000_000


@pytest.fixture
def make_run_there(disk: SmallDisk) -> Iterator[MakeRun]:
    made: list[Run] = []

    def make(body: str) -> Run:
        home = disk.folder / f"run-{len(made)}"
        home.mkdir()
        made.append(Run(home, body))
        return made[-1]

    yield make
    for run in made:
        run.clean()


def test_the_start_and_the_end_have_their_room_beforehand(make_run_there: MakeRun, disk: SmallDisk) -> None:
    run = make_run_there("exit 3")
    disk.fill()
    rundir.spawn(run.dir)
    end = run.finish()
    assert (end.why, end.rc) == (Why.EXIT, 3)
    assert run.started.session


def test_without_that_room_nothing_runs_and_the_end_waits_for_some(make_run_there: MakeRun, disk: SmallDisk) -> None:
    run = make_run_there("echo ran > ledger")
    for name in (supervisor.STARTED_ROOM, supervisor.EXIT_ROOM):
        (run.dir / name).unlink()
    disk.fill()
    supervising = run.by_hand()
    wait_until((run.dir / supervisor.EXIT_ROOM).exists)  # it tries
    assert run.state() is RunState.ABSENT
    disk.free()
    end = run.finish()
    assert (end.why, end.detail) == (Why.SPAWN, "nothing was run: No space left on device")
    assert supervising.wait(20) == 0
    assert not (run.cwd / "ledger").exists()


async def test_a_full_database_starts_nothing_and_loses_no_end(
    tmp_path: Path, disk: SmallDisk, caplog: pytest.LogCaptureFixture
) -> None:
    async with rigged(disk.folder, runs=tmp_path / "runs") as rig:
        ledger = tmp_path / "ledger"
        body = f'echo ran >> "{ledger}"; until [ -e "{tmp_path}/go" ]; do sleep 0.02; done; echo off'
        commit = await rig.commit(body, "exit 0")
        rig.begin()
        key = await rig.claim(commit)
        await until(ledger.exists)
        await until(lambda: rig.state(key) is RunState.RUNNING)
        disk.fill()
        another = asyncio.create_task(rig.claim(commit, 1, env={"LARGE": "x" * 100_000}))
        (tmp_path / "go").touch()
        await until(lambda: rig.state(key) is RunState.EXITED)
        await until(lambda: "trouble with the database, which is tried again: its disk is full" in caplog.text)
        assert not another.done() and len(list((tmp_path / "runs").iterdir())) == 1
        disk.free()
        assert (await rig.ending(await another)).progress is Progress.OK
        assert (await rig.ending(key)).progress is Progress.OK
        assert await rig.output(key) == "off\n"
        assert ledger.read_text() == "ran\n"
        with closing(sqlite3.connect(disk.folder / "shipmate.db")) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
