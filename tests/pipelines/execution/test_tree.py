"""Whatever a script starts, and however it hides it, is ended with it, unless it was meant to stay."""

import os
import signal
import sys

import pytest

from pipelines.execution import processes, rundir
from pipelines.execution.rundir import RunState, Why
from tests.support.runs import MakeRun, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives orphans back and lists processes")

NEVER = "while :; do sleep 0.1; done"
TREES = {
    "ignores TERM": f"trap '' TERM; echo on; {NEVER}",
    "a child that ignores TERM": f"(trap '' TERM; echo on; {NEVER}) & wait",
    "another session": f"setsid bash -c \"trap '' TERM; echo on; {NEVER}\" & wait",
    "double fork": f"(setsid bash -c 'trap \"\" TERM HUP; echo on; {NEVER}' &) ; {NEVER}",
    "a daemon without output": (
        "(setsid bash -c 'exec <&- >&- 2>&-; touch there; sleep 300' &); "
        f"until [ -e there ]; do :; done; echo on; {NEVER}"
    ),
    "a stopped child": "sleep 300 & kill -STOP $!; echo on; wait",
    "a stopped script": "echo on; kill -STOP $$",
    "many": "for i in {1..30}; do (sleep 300 & sleep 300) & done; echo on; wait",
    "starts again when ended": (
        "revive() { setsid bash -c \"trap '' TERM; sleep 300\" & }; trap revive TERM; echo on; "
        f"for i in 1 2 3; do sleep 300 & wait; done; {NEVER}"
    ),
}


@pytest.mark.parametrize("body", TREES.values(), ids=TREES.keys())
def test_an_abort_ends_all_of_it(make_run: MakeRun, body: str) -> None:
    run = make_run(body, grace=0.2).start()
    run.wait_for("on")
    assert rundir.request_stop(run.dir)
    end = run.finish()
    assert (end.why, end.detail) == (Why.ABORT, "was aborted")
    assert run.living() == []


def test_everyone_hears_of_it_first_however_deep_and_even_if_stopped(make_run: MakeRun) -> None:
    deep = "trap 'echo heard; exit' TERM; echo on; kill -STOP $$; while :; do sleep 0.05; done"
    run = make_run("trap : TERM; setsid bash ./deep & while kill -0 $! 2>/dev/null; do wait; done", grace=60)
    (run.cwd / "deep").write_text(deep)
    run.start()
    run.wait_for("on")
    assert rundir.request_stop(run.dir)
    assert run.finish().why is Why.ABORT
    assert run.out == "on\nheard\n"


def test_what_holds_the_output_open_does_not_hold_up_the_end(make_run: MakeRun) -> None:
    run = make_run("echo -n part; sleep 300 & (setsid sleep 300 &); exit 0").start()
    end = run.finish()
    assert (end.rc, end.ended, run.living()) == (0, 2, [])
    first, told = run.out.splitlines()
    assert first == "part"
    assert "ended 2 processes" in told and "detach: true" in told


@pytest.mark.parametrize("code", [0, 1])
def test_detached_leftovers_live_on_after_success_only(make_run: MakeRun, code: int) -> None:
    run = make_run(f"(setsid sleep 300 & echo $! > pid); exit {code}", detach=True).start()
    end = run.finish()
    stays = [int((run.cwd / "pid").read_text())] if code == 0 else []
    until(lambda: run.living() == stays)
    assert end.ended == code
    assert ("shipmate:" in run.out) == (code == 1)
    assert "detach: true" not in run.out


def test_the_last_lines_of_a_filter_are_waited_for(make_run: MakeRun) -> None:
    run = make_run('exec > >(while read -r line; do echo "[$line]"; done; echo last); echo one; exit 5').start()
    end = run.finish()
    assert (end.rc, end.ended, run.out) == (5, 0, "[one]\nlast\n")


def test_nobody_else_gets_a_signal(make_run: MakeRun) -> None:
    stranger = make_run("echo on; sleep 300").start()
    stranger.wait_for("on")
    run = make_run("trap '' TERM; echo on; sleep 300", timeout=0.2, grace=0.1).start()
    assert run.finish().why is Why.TIMEOUT
    assert stranger.state() is RunState.RUNNING
    assert len(stranger.living()) == 2


def test_no_zombies_and_no_supervisors_stay(make_run: MakeRun) -> None:
    mine = os.getpid()
    runs = [make_run("sleep 300 & (exit 1) & exit 0").start() for _ in range(5)]
    pids = [run.started.pid for run in runs]
    for run in runs:
        run.finish()
    until(lambda: not any(found.alive for pid in pids if (found := processes.process(pid))))
    assert [found.pid for found in processes.processes() if found.parent == mine and not found.alive] == []


def test_a_signal_reaches_the_process_it_means_or_none(make_run: MakeRun) -> None:
    run = make_run("echo on; sleep 300").start()
    run.wait_for("on")
    script = run.started.session
    began = processes.start_time(script)
    assert began
    assert not processes.send(script, began + 1, signal.SIGKILL)
    assert not processes.send(2**22 + 1, began, signal.SIGKILL)
    assert run.state() is RunState.RUNNING
    assert processes.send(script, began, signal.SIGTERM)
    assert run.finish().signal == signal.SIGTERM
