"""A run folder seen from outside: what it tells when things went wrong, and what may be asked of it."""

import fcntl
import json
import random
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from pipelines.execution import processes, rundir, supervisor
from pipelines.execution.rundir import RunState, Why
from tests.support.runs import MakeRun, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells whose session a process is in")


def test_a_life(make_run: MakeRun) -> None:
    run = make_run("echo on; until [ -e go ]; do sleep 0.02; done")
    assert run.state() is RunState.ABSENT
    assert rundir.read_started(run.dir) is None
    assert rundir.read_exit(run.dir) is None
    run.start()
    run.wait_for("on")
    assert run.state() is RunState.RUNNING
    (run.cwd / "go").touch()
    assert run.finish().rc == 0
    assert not rundir.request_stop(run.dir)


def test_without_its_supervisor_a_script_is_unsupervised_and_then_lost(make_run: MakeRun) -> None:
    run = make_run("echo on; until [ -e go ]; do sleep 0.02; done; echo off").start()
    run.wait_for("on")
    run.kill_supervisor()
    assert run.state() is RunState.UNSUPERVISED
    (run.cwd / "go").touch()
    until(lambda: run.state() is RunState.LOST)
    assert run.out == "on\noff\n"
    assert rundir.read_exit(run.dir) is None
    assert run.by_hand().wait(20) == supervisor.TAKEN
    assert not rundir.request_stop(run.dir)


def test_an_unsupervised_script_can_be_stopped_by_force_if_need_be(make_run: MakeRun) -> None:
    run = make_run("trap 'echo heard' TERM; echo on; while :; do sleep 0.05; done").start()
    run.wait_for("on")
    run.kill_supervisor()
    assert rundir.request_stop(run.dir)
    run.wait_for("heard")
    assert run.state() is RunState.UNSUPERVISED
    assert rundir.request_stop(run.dir, force=True)
    until(lambda: run.state() is RunState.LOST)
    assert run.living() == []


def test_what_is_stopped_before_it_began_never_begins(make_run: MakeRun) -> None:
    run = make_run("echo never")
    assert rundir.request_stop(run.dir)
    end = run.finish()
    assert (end.why, end.rc, end.detail) == (Why.ABORT, None, "was stopped before it began")
    assert run.by_hand().wait(20) == supervisor.TAKEN
    assert run.out == ""


def test_a_stop_and_a_start_at_once_have_one_winner(make_run: MakeRun) -> None:
    dice = random.Random(seed := random.randrange(10**6))
    for _ in range(20):
        run = make_run("echo ran; sleep 300")
        process = run.by_hand()
        with suppress(subprocess.TimeoutExpired):
            process.wait(dice.uniform(0.0, 0.03))
        assert rundir.request_stop(run.dir), seed
        status, end = process.wait(20), run.finish()
        assert end.why is Why.ABORT, seed
        assert (status == supervisor.TAKEN) == (end.detail == "was stopped before it began"), seed
        assert status == 0 or run.out == "", seed
        assert run.living() == [], seed


@pytest.mark.parametrize("change", [{"start": 1}, {"boot_id": "another"}])
def test_a_stranger_with_the_number_of_the_supervisor_is_left_alone(
    make_run: MakeRun, change: dict[str, object]
) -> None:
    run = make_run()
    with subprocess.Popen(["/bin/sleep", "300"]) as stranger, (run.dir / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        start = processes.start_time(stranger.pid)
        facts: dict[str, object] = {"pid": stranger.pid, "start": start, "session": stranger.pid, "script_start": start}
        facts |= {"boot_id": processes.boot_id(), "at": datetime.now(UTC).timestamp()}
        supervisor.record(str(run.dir), "started", json.dumps(facts | change))
        assert run.state() is RunState.RUNNING
        assert not rundir.request_stop(run.dir)
        assert stranger.poll() is None
        supervisor.record(str(run.dir), "started", json.dumps(facts))
        assert rundir.request_stop(run.dir)
        assert stranger.wait(20) == -signal.SIGTERM
        fcntl.flock(lock, fcntl.LOCK_UN)


@pytest.mark.parametrize("change", [{"script_start": 1}, {"boot_id": "another"}])
def test_a_stranger_with_the_number_of_the_session_is_not_the_script(
    make_run: MakeRun, change: dict[str, object]
) -> None:
    run = make_run()
    with subprocess.Popen(["/bin/sleep", "300"], start_new_session=True) as stranger:
        start = processes.start_time(stranger.pid)
        facts: dict[str, object] = {"pid": 1, "start": 1, "session": stranger.pid, "script_start": start}
        facts |= {"boot_id": processes.boot_id(), "at": datetime.now(UTC).timestamp()}
        supervisor.record(str(run.dir), "started", json.dumps(facts))
        assert run.state() is RunState.UNSUPERVISED
        supervisor.record(str(run.dir), "started", json.dumps(facts | change))
        assert run.state() is RunState.LOST
        assert not rundir.request_stop(run.dir, force=True)
        assert stranger.poll() is None
        stranger.kill()


def test_starting_is_quick_and_leaves_no_child(make_run: MakeRun) -> None:
    run = make_run("until [ -e go ]; do sleep 0.02; done").start()
    parents = {found.pid: found.parent for found in processes.processes()}
    assert parents[run.started.session] == run.started.pid
    leader = processes.process(run.started.pid)
    assert leader and leader.session == leader.pid and leader.parent == 1
    (run.cwd / "go").touch()
    run.finish()
