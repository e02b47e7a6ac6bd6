"""The agent with real scripts: what nobody can know is said so and never begun again; what cannot begin says why; a
claim that is open is taken up again, whatever broke."""

import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pipelines.domain.events import Progress
from pipelines.execution import attempt, processes, rundir
from pipelines.execution.rundir import Limits, RunState
from pipelines.storage.steps import Ending, StepKey
from tests.support.repository import until
from tests.support.rig import Rig, rigged
from tests.support.runs import end_all, of_runs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds scripts by /proc")

ONCE = 'echo ran >> "{ledger}"; echo on; until [ -e "{go}" ]; do sleep 0.02; done; echo off'


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigged(tmp_path) as rig:
        yield rig


def once(rig: Rig) -> str:
    return ONCE.format(ledger=rig.folder / "ledger", go=rig.folder / "go")


def starts(rig: Rig) -> int:
    ledger = rig.folder / "ledger"
    return ledger.read_text().count("ran") if ledger.exists() else 0


async def begun(rig: Rig, body: str = "") -> StepKey:
    """A script in its middle, with an agent that follows it."""
    rig.begin()
    key = await rig.runs_script(body or once(rig))
    await until(lambda: starts(rig) == 1)
    return key


def kill_supervisor(rig: Rig, key: StepKey) -> rundir.Started:
    started = rundir.read_started(rig.run_dir(key))
    assert started is not None
    os.kill(started.pid, signal.SIGKILL)
    return started


def alone(ending: Ending) -> bool:
    return ending.progress is Progress.UNSUPERVISED


# Nobody can know


async def test_what_was_killed_with_its_supervisor_is_lost_at_once_and_not_begun_again(rig: Rig) -> None:
    key = await begun(rig)
    await rig.die()
    end_all(rig.runs)
    rig.begin()
    ending = await rig.ending(key)
    assert (ending.progress, ending.detail) == (Progress.LOST, "its supervisor was killed")
    assert starts(rig) == 1


async def test_a_restart_of_the_machine_is_told_apart(rig: Rig) -> None:
    key = await begun(rig)
    await rig.die()
    end_all(rig.runs)
    started = rig.run_dir(key) / "started"
    facts = json.loads(started.read_text())
    started.write_text(json.dumps(facts | {"boot_id": "another boot"}))
    rig.begin()
    ending = await rig.ending(key)
    assert (ending.progress, ending.detail) == (Progress.LOST, "the machine or container was restarted")


async def test_a_run_folder_that_is_gone_is_no_leave_to_begin_again(rig: Rig) -> None:
    key = await begun(rig)
    await rig.die()
    end_all(rig.runs)
    shutil.rmtree(rig.runs)
    rig.begin()
    ending = await rig.ending(key)
    assert (ending.progress, ending.detail) == (Progress.LOST, "its run folder is gone")
    assert starts(rig) == 1


async def test_a_script_without_its_supervisor_is_told_of_and_when_it_ends_by_itself_it_is_lost(rig: Rig) -> None:
    key = await begun(rig)
    kill_supervisor(rig, key)
    assert (await rig.ending(key, what=alone)).detail == "runs on without its supervisor"
    await rig.die()
    rig.begin()
    (rig.folder / "go").touch()
    ending = await rig.ending(key)
    assert (ending.progress, ending.detail) == (Progress.LOST, "its supervisor was killed")
    assert await rig.output(key) == "on\noff\n"


async def test_a_script_without_its_supervisor_is_ended_with_all_that_fled_from_it(tmp_path: Path) -> None:
    fled = "(setsid bash -c 'trap \"\" TERM HUP; while :; do sleep 0.1; done' &)\n"
    async with rigged(tmp_path, grace=0.3) as rig:
        key = await begun(rig, fled + once(rig))
        await until(lambda: len(sessions(rig)) == 3)  # of the supervisor, the script, and what fled
        kill_supervisor(rig, key)
        await rig.ending(key, what=alone)
        await rig.stop(key)
        ending = await rig.ending(key)
        assert (ending.progress, ending.detail) == (Progress.ABORTED, "was ended")
        assert of_runs(rig.runs) == []


def sessions(rig: Rig) -> set[int]:
    return {found.session for found in of_runs(rig.runs)}


async def test_what_a_script_left_on_purpose_does_not_make_it_live(rig: Rig) -> None:
    rig.begin()
    key = await rig.runs_script(f'nohup sleep 300 & echo ran >> "{rig.folder}/ledger"; exec sleep 300', detach=True)
    await until(lambda: starts(rig) == 1)
    started = kill_supervisor(rig, key)
    await rig.ending(key, what=alone)
    processes.send(started.session, started.script_start, signal.SIGKILL)
    ending = await rig.ending(key)
    assert ending.progress is Progress.LOST
    assert len(of_runs(rig.runs)) == 1


# What does not begin, or not in time


async def test_a_stop_before_anything_began_leaves_nothing(rig: Rig) -> None:
    key = await rig.runs_script(once(rig))
    await rig.stop(key)
    rig.begin()
    ending = await rig.ending(key)
    assert (ending.progress, ending.detail) == (Progress.ABORTED, "was stopped before it began")
    assert not rig.run_dir(key).exists()


async def test_a_supervisor_that_does_not_come_up_is_tried_again_and_then_the_run_is_forbidden(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "START_SECONDS", 0.05)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    rig.begin()
    key = await rig.runs_script(once(rig))
    ending = await rig.ending(key)
    assert ending.progress is Progress.FAILED
    assert ending.detail.startswith("did not start: its supervisor did not come up")
    monkeypatch.undo()
    rundir.spawn(rig.run_dir(key))
    assert rig.state(key) is RunState.EXITED and starts(rig) == 0


async def test_a_run_folder_that_cannot_be_made_says_so_and_nothing_begins(rig: Rig) -> None:
    rig.runs.write_text("a file where the folder should be")
    rig.begin()
    ending = await rig.ending(await rig.runs_script(once(rig)))
    assert (ending.progress, ending.detail) == (Progress.FAILED, "did not start: Not a directory")
    rig.runs.unlink()


async def test_what_breaks_on_the_way_is_taken_up_again_and_runs_once(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    key = await begun(rig)
    exit_ = rig.run_dir(key) / "exit"
    exit_.mkdir()  # reading it is an error that has nothing to do with the script
    await until(lambda: "carrying out step" in caplog.text)
    exit_.rmdir()
    (rig.folder / "go").touch()
    assert (await rig.ending(key)).progress is Progress.OK
    assert starts(rig) == 1
    assert await rig.output(key) == "on\noff\n"


async def test_silence_has_its_limit(rig: Rig) -> None:
    rig.begin()
    ending = await rig.ending(await rig.runs_script("echo on; sleep 300", silence=0.3))
    assert (ending.progress, ending.detail) == (
        Progress.TIMED_OUT,
        "printed nothing for 0.3 s, its limit of silence",
    )


# What each finds, and what it may take


async def test_a_script_has_three_descriptors_whatever_the_bot_has_open(rig: Rig) -> None:
    rig.begin()
    key = await rig.runs_script("exec ls /proc/self/fd")
    await rig.ending(key)
    assert (await rig.output(key)).split() == ["0", "1", "2", "3"]  # the last is the folder that `ls` reads


async def test_what_a_script_left_on_purpose_stays_and_else_it_is_ended_with_a_line_that_says_so(rig: Rig) -> None:
    rig.begin()
    commit = await rig.commit("nohup sleep 300 & echo on")
    stays, goes = await rig.claim(commit, detach=True), await rig.claim(commit)
    assert {(await rig.ending(key)).progress for key in (stays, goes)} == {Progress.OK}
    assert await rig.output(stays) == "on\n"
    assert "shipmate: ended 1 process that the script left running" in await rig.output(goes)
    assert [found.session for found in of_runs(rig.run_dir(stays)) if found.pid != found.session] != []
    await until(lambda: of_runs(rig.run_dir(goes)) == [])


async def test_limits_hold_for_what_a_script_starts(tmp_path: Path) -> None:
    limits = Limits(memory=64 << 20, processes=5_000, files=64, no_new_privs=True)
    async with rigged(tmp_path, limits=limits) as rig:
        rig.begin()
        key = await rig.runs_script(
            "bash -c 'ulimit -v; ulimit -u; ulimit -n; ulimit -c; grep NoNewPrivs /proc/self/status'\n"
            "head -c 200M /dev/zero | tail -c 200M > /dev/null; echo ${PIPESTATUS[1]}"
        )
        assert (await rig.ending(key)).progress is Progress.OK
        memory, processes_, files, core, privileges, *_, hog = (await rig.output(key)).splitlines()
        assert (memory, processes_, files, core, privileges.split()[1]) == ("65536", "5000", "64", "0", "1")
        assert hog == "1"


async def test_without_limits_a_script_has_what_the_bot_has_but_a_core_file(rig: Rig) -> None:
    rig.begin()
    key = await rig.runs_script("ulimit -v; ulimit -c; grep NoNewPrivs /proc/self/status")
    await rig.ending(key)
    memory, core, privileges = (await rig.output(key)).splitlines()
    assert (memory, core, privileges.split()[1]) == ("unlimited", "0", "0")
