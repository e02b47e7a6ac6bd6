"""A run folder seen from outside: what it tells when things went wrong, and what may be asked of it."""

import fcntl
import json
import os
import random
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pipelines.execution import cgroup, processes, rundir, supervisor
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


def test_an_unsupervised_script_is_found_and_ended_wherever_it_fled(make_run: MakeRun) -> None:
    fled = "(setsid bash -c \"trap '' TERM HUP; while :; do sleep 0.05; done\" &)"
    run = make_run(f"{fled}; echo on; sleep 300")
    run.env["TMPDIR"] = f"{run.dir.absolute()}/tmp"
    rundir.prepare(run.dir, replace(run.spec, env=run.env))
    run.start()
    run.wait_for("on")
    run.kill_supervisor()
    os.killpg(run.started.session, signal.SIGKILL)
    until(lambda: len({found.session for pid in run.living() if (found := processes.process(pid))}) == 1)
    assert run.state() is RunState.UNSUPERVISED
    assert rundir.request_stop(run.dir, force=True)
    until(lambda: run.state() is RunState.LOST)
    assert run.living() == []


@pytest.mark.skipif(not cgroup.ours(), reason="no cgroups of version 2 here")
def test_where_there_are_cgroups_what_forgot_its_environment_is_found_too(make_run: MakeRun) -> None:
    run = make_run("(env -i setsid bash -c \"trap '' TERM HUP; while :; do sleep 0.05; done\" &); echo on; sleep 300")
    run.start()
    if not run.started.cgroup:
        pytest.skip("no cgroup can be made here")
    run.wait_for("on")
    run.kill_supervisor()
    os.killpg(run.started.session, signal.SIGKILL)
    until(lambda: not run.living())
    assert run.state() is RunState.UNSUPERVISED
    assert rundir.request_stop(run.dir, force=True)
    until(lambda: run.state() is RunState.LOST)
    assert cgroup.members(run.started.cgroup) == frozenset()


def test_after_a_restart_of_the_machine_nothing_is_taken_for_the_script(make_run: MakeRun) -> None:
    run = make_run("echo on; sleep 300").start()
    run.wait_for("on")
    run.kill_supervisor()
    facts = json.loads((run.dir / "started").read_text())
    (run.dir / "started").write_text(json.dumps(facts | {"boot_id": "another boot"}))
    assert run.state() is RunState.LOST
    assert rundir.rebooted(run.dir)
    assert not rundir.request_stop(run.dir, force=True)
    assert run.living()


def test_a_supervisor_that_somebody_stopped_still_ends_its_script(make_run: MakeRun) -> None:
    run = make_run("echo on; sleep 300").start()
    run.wait_for("on")
    os.kill(run.started.pid, signal.SIGSTOP)
    assert rundir.request_stop(run.dir)
    assert run.finish().why is Why.ABORT


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
