"""The supervisor with real processes: a script starts once at most, ends in time, and its end is told truthfully."""

import json
import os
import random
import signal
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pipelines.execution import rundir, supervisor
from pipelines.execution.rundir import RunState, Why
from tests.support.runs import MakeRun, Run, until

REPOSITORY = Path(supervisor.__file__).parents[2]

# How a script ends

LIBC_OWN = 0b11 << 31  # signals 32 and 33 belong to the C library, which blocks them now and then


def test_output_of_both_streams_and_the_exit_code_are_kept(make_run: MakeRun) -> None:
    run = make_run("echo one; echo two >&2; exit 3").start()
    end = run.finish()
    assert (end.rc, end.signal, end.why, end.detail, end.ended) == (3, None, Why.EXIT, "exited 3", 0)
    assert run.out == "one\ntwo\n"
    assert 0 <= end.seconds < 20
    assert end.at >= run.started.at


def test_a_script_that_is_killed_says_by_which_signal(make_run: MakeRun) -> None:
    end = make_run("kill -9 $$").start().finish()
    assert (end.rc, end.signal, end.why) == (None, 9, Why.EXIT)


@pytest.mark.parametrize(
    ("limit", "why", "words"),
    [("timeout", Why.TIMEOUT, "its timeout"), ("silence", Why.SILENCE, "its limit of silence")],
)
def test_limits_end_it(make_run: MakeRun, limit: str, why: Why, words: str) -> None:
    run = make_run("echo on; sleep 300", **{limit: 0.3}).start()
    end = run.finish()
    assert (end.why, end.signal, end.rc) == (why, signal.SIGTERM, None)
    assert words in end.detail
    assert run.living() == []


def test_output_breaks_the_silence(make_run: MakeRun) -> None:
    end = make_run("for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.2; done", silence=1.0).start().finish()
    assert (end.why, end.rc) == (Why.EXIT, 0)


def test_an_abort_leaves_the_script_its_grace(make_run: MakeRun) -> None:
    run = make_run("trap 'echo cleaned; exit 7' TERM; echo on; while :; do sleep 0.05; done", grace=20).start()
    run.wait_for("on")
    assert rundir.request_stop(run.dir)
    end = run.finish()
    assert (end.why, end.rc, end.detail) == (Why.ABORT, 7, "was aborted")
    assert "cleaned" in run.out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"argv": ["./plain"]}, "not executable"),
        ({"argv": ["./orphan"]}, "interpreter that is not on this machine"),
        ({"argv": ["CWD/bare"]}, "bare is no program: its first line must name an interpreter"),
        ({"argv": ["./gone"]}, "does not exist"),
        ({"cwd": "/nowhere/at all"}, "does not exist (cwd)"),
        ({"stdin": "/nowhere/\"'\\input"}, "does not exist (stdin)"),
        ({"argv": ["a\0b"]}, "could not be used as argv"),
        ({"timeout": "soon"}, "could not be read"),
    ],
)
def test_what_cannot_begin_says_why_without_a_traceback(make_run: MakeRun, change: dict[str, Any], words: str) -> None:
    run = make_run("echo never")
    for name, text, mode in [("plain", "#!/bin/sh\n", 0o644), ("orphan", "#!/no/such\n", 0o755), ("bare", "x", 0o755)]:
        (run.cwd / name).write_text(text)
        (run.cwd / name).chmod(mode)
    facts = json.loads((run.dir / "spec.json").read_bytes())
    (run.dir / "spec.json").write_text(json.dumps(facts | change).replace("CWD", str(run.cwd)))
    end = run.start().finish()
    assert (end.why, end.rc, end.signal) == (Why.SPAWN, None, None)
    assert words in end.detail and str(run.cwd) not in end.detail
    assert run.out == ""


def test_a_spec_that_is_not_there_runs_nothing(make_run: MakeRun) -> None:
    run = make_run("echo never")
    (run.dir / "spec.json").unlink()
    end = run.start().finish()
    assert (end.why, run.out) == (Why.SPAWN, "")


# At most once


def test_of_two_supervisors_at_once_one_starts_the_script(make_run: MakeRun) -> None:
    for _ in range(20):
        run = make_run("echo started >> ledger; read -r < go")
        os.mkfifo(run.cwd / "go")
        pair = [run.by_hand(), run.by_hand()]
        wait_for_one(pair)
        (run.cwd / "go").write_text("\n")  # returns when the script reads it
        assert sorted(process.wait(20) for process in pair) == [0, supervisor.TAKEN]
        assert (run.cwd / "ledger").read_text() == "started\n"
        assert run.finish().rc == 0


def wait_for_one(processes: list[subprocess.Popen[bytes]]) -> None:
    until(lambda: any(process.poll() is not None for process in processes))


def test_what_ran_once_never_runs_again(make_run: MakeRun) -> None:
    run = make_run("echo once").start()
    run.finish()
    rundir.prepare(run.dir, run.spec)
    assert run.by_hand().wait(20) == supervisor.TAKEN
    assert run.out == "once\n"


def test_while_the_start_cannot_be_recorded_the_script_waits_and_then_never_runs(make_run: MakeRun) -> None:
    run = make_run("echo ran >> ledger")
    (run.dir / "started").symlink_to("nowhere")  # not there for who looks, but a name that is taken
    assert run.by_hand(env={"MARK": run.mark}).wait(20) == supervisor.TAKEN
    until(lambda: not run.living())
    assert count(run) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="needs to see the held process")
def test_a_supervisor_that_dies_before_the_start_is_on_disk_has_run_nothing(make_run: MakeRun) -> None:
    for _ in range(50):
        run = make_run("echo ran >> ledger")
        supervising, held = stop_behind_the_gate(run)
        if not (run.dir / "started").exists():
            break
    assert run.state() is RunState.ABSENT
    until(lambda: Path(f"/proc/{held}/stat").read_text().rpartition(") ")[2][0] in "SZ")  # it waits, or is over
    supervising.kill()
    until(lambda: not run.living())
    assert (count(run), run.state()) == (0, RunState.ABSENT)
    assert run.by_hand().wait(20) == 0
    assert count(run) == 1


def stop_behind_the_gate(run: Run) -> tuple[subprocess.Popen[bytes], int]:
    """Stops the supervisor as soon as it has forked; it, and the process it holds."""
    supervising = run.by_hand(env={"MARK": run.mark})
    children = Path(f"/proc/{supervising.pid}/task/{supervising.pid}/children")
    while not (found := children.read_text()):
        assert supervising.poll() is None
    supervising.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, supervising.pid, os.WSTOPPED)
    return supervising, int(found)


def test_killed_at_any_moment_the_folder_tells_the_truth(make_run: MakeRun) -> None:
    dice = random.Random(seed := random.randrange(10**6))
    for number in range(40):
        run = make_run("echo ran >> ledger")
        kill_soon(run, dice.uniform(0.0, 0.03))
        before, ran = run.state(), count(run)
        assert before in {RunState.ABSENT, RunState.LOST, RunState.EXITED}, (seed, number)
        assert not (ran and before is RunState.ABSENT), (seed, number)
        status = run.by_hand().wait(20)
        assert status == (0 if before is RunState.ABSENT else supervisor.TAKEN), (seed, number)
        assert count(run) == (1 if before is RunState.ABSENT else ran), (seed, number)


def kill_soon(run: Run, seconds: float) -> None:
    process = run.by_hand(env={"MARK": run.mark})
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.kill()
    process.wait()
    until(lambda: not run.living() and run.state() is not RunState.UNSUPERVISED)  # what execs has no environment


def count(run: Run) -> int:
    ledger = run.cwd / "ledger"
    return ledger.read_text().count("ran") if ledger.exists() else 0


def test_the_start_is_on_disk_before_anything_can_read_it(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is synchronised before it gets its name, its folder after."""
    run, steps = make_run(), []

    def watch(name: str) -> None:
        real = getattr(os, name)

        def step(*args: Any) -> None:
            steps.append(name)
            real(*args)

        monkeypatch.setattr(os, name, step)

    for name in ("fsync", "rename", "link"):
        watch(name)
    supervisor.record(str(run.dir), "started", "{}", once=True)
    supervisor.record(str(run.dir), "exit", "{}")
    assert steps == ["fsync", "link", "fsync", "fsync", "rename", "fsync"]
    with pytest.raises(FileExistsError):
        supervisor.record(str(run.dir), "started", "{}", once=True)
    assert not list(run.dir.glob("*.tmp"))


# What the script finds


def test_it_gets_three_descriptors_and_nothing_of_the_caller(make_run: MakeRun) -> None:
    run = make_run(argv=["/bin/ls", "/proc/self/fd"])
    with (run.cwd / "inherited").open("w") as file:
        assert run.by_hand(pass_fds=[file.fileno()]).wait(20) == 0
    assert run.out.split() == ["0", "1", "2", "3"]  # the last is the folder that `ls` reads


def test_it_gets_its_environment_and_no_other(make_run: MakeRun) -> None:
    run = make_run(argv=["/usr/bin/env"], env={"HOME": "/tmp/ana", "WORD": "ü \n\udcff"}).start()
    run.finish()
    assert (run.dir / "out").read_bytes() == b"HOME=/tmp/ana\nWORD=\xc3\xbc \n\xff\n"


def test_it_reads_the_file_it_was_given_or_nothing(make_run: MakeRun) -> None:
    given, nothing = (
        make_run(argv=["/bin/cat"], stdin="/proc/sys/kernel/ostype").start(),
        make_run(argv=["/bin/cat"]).start(),
    )
    assert (given.finish().rc, given.out) == (0, "Linux\n")
    assert (nothing.finish().rc, nothing.out) == (0, "")


def test_it_has_a_session_default_signals_and_its_folder(make_run: MakeRun) -> None:
    body = "umask; pwd; echo $$; ps -o sid= -p $$; exec grep -E '^Sig(Blk|Ign)' /proc/self/status"
    run = make_run(body)
    ignoring = "trap '' HUP INT PIPE USR1; exec \"$@\""
    subprocess.run(["/bin/sh", "-c", ignoring, "sh", *run.supervisor_argv], check=True, timeout=20)
    mask, folder, pid, session, *signals = run.out.split()
    assert (mask, folder, pid) == ("0022", str(run.cwd), session)
    assert pid == str(run.started.session)
    assert signals[::2] == ["SigBlk:", "SigIgn:"]
    assert [int(mask, 16) & ~LIBC_OWN for mask in signals[1::2]] == [0, 0]


def test_what_it_leaves_on_disk_is_for_its_owner_alone_and_holds_no_secrets(make_run: MakeRun) -> None:
    run = make_run(env={"TOKEN": "correct-horse"}).start()
    run.finish()
    assert stat.S_IMODE(run.dir.stat().st_mode) == 0o700
    assert {file.name for file in run.dir.iterdir()} == {"lock", "started", "out", "exit", "followed.room"}
    for file in run.dir.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert "correct-horse" not in file.read_text()


def test_it_outlives_whoever_asked_for_it(make_run: MakeRun) -> None:
    run = make_run("echo 1; echo 2; while [ ! -e go ]; do sleep 0.02; done; echo 3; echo 4 >&2")
    asks = "import sys, signal; from pathlib import Path; from pipelines.execution import rundir; "
    asks += "rundir.spawn(Path(sys.argv[1])); print('asked', flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", asks, str(run.dir)], stdout=subprocess.PIPE, cwd=REPOSITORY) as bot:
        assert bot.stdout and bot.stdout.readline() == b"asked\n"
        run.wait_for("2")
        bot.kill()
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
        os.kill(run.started.pid, number)
    (run.cwd / "go").touch()
    assert run.finish().rc == 0
    assert run.out == "1\n2\n3\n4\n"
