"""What nobody can know: the supervisor, the script, the bot, or all of them are killed in the middle of a step. The
thread asks, the room waits, nothing runs again by itself. One bot, one room; each story leaves something good live."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.execution import rundir
from tests.support.process import until
from tests.support.runs import end_all, of_runs
from tests.support.scene import Scene, on_stage, read

pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="finds scripts by /proc")


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with on_stage(tmp_path_factory.mktemp("scene"), rates=False) as scene:
        scene.deploys("v1.1")
        yield scene
        end_all(runs(scene))


def runs(scene: Scene) -> Path:
    return scene.bot.data / "runs"


def install(scene: Scene) -> Path:
    """The run folder of the newest install that is under way."""
    return max((path.parent for path in runs(scene).glob("*/*deploy*/started")), key=lambda path: path.stat().st_mtime)


def begin(scene: Scene) -> Path:
    """A deploy in the middle of its install on stg-1, for as long as nobody ends it; the run folder."""
    scene.hold()
    scene.types("ana", "/deploy api v4.0 staging")
    scene.shows("▸ install on stg-1", "[Abort] [Roll back to v1.1]")
    scene.in_thread("installing v4.0 on stg-1")
    return install(scene)


def back_again(scene: Scene) -> None:
    until(lambda: not scene.slack.workspace.deliverer.sockets.connections, what="the end of the connection")
    scene.bot.start()
    scene.connected()


def crash(scene: Scene) -> None:
    """kill -9 of the bot, every supervisor and every script; the bot comes back."""
    scene.bot.kill()
    end_all(runs(scene))
    back_again(scene)


def kill_supervisor(run_dir: Path) -> None:
    started = rundir.read_started(run_dir)
    assert started is not None
    os.kill(started.pid, signal.SIGKILL)


def installs(run_dir: Path) -> int:
    """How often v4.0's install began on stg-1 in a deploy, as its own output tells."""
    outputs = (path.read_text(errors="replace") for path in run_dir.parent.glob("*/out"))
    return sum(text.count("installing v4.0 on stg-1") for text in outputs)


LOST = "Nobody knows how install on stg-1 ended: its supervisor was killed. Look at stg-1, then answer"
ALONE = "The script of install on stg-1 runs on, but its supervisor is gone"
ASKED = ("api v4.0 in staging needs an answer", "it is not run again by itself")
BUTTONS = "[Run again] [It worked] [Roll back to v1.1] [Abort]"


@pytest.mark.long
def test_all_of_it_dies_and_it_is_run_again_once_by_whoever_presses_first(scene: Scene) -> None:
    begin(scene)
    crash(scene)
    card = scene.shows(LOST, *ASKED, "? install on stg-1  its supervisor was killed", BUTTONS)
    assert "Abort ends the deploy and leaves that step as it is." in card
    question = scene.in_thread("needs an answer", "Run again, It worked, Roll back to v1.1 or Abort?")
    assert "<@U0ANA>" in question and question.count("needs an answer") == 1
    scene.types("mia", "/deploy api v1.2 staging")
    scene.whispered("mia", "Nobody knows how 'install on stg-1' of v4.0 in staging ended", "[Roll back to v1.1]")
    scene.says("raj", "@shipmate status api")
    scene.wait(lambda: "v4.0 waits for an answer" in str(scene.whispers("raj")), "the status to say so")
    seen = scene.seen()
    scene.clicks("raj", "Run again")
    scene.shows("🚀 Deploying api v4.0", "▸ install on stg-1")
    scene.clicks("mia", "Run again", seen)
    scene.whispered("mia", "raj did that already")
    scene.clicks("mia", "It worked", seen)
    scene.whispered("mia", "raj answered that already", "run again")
    scene.go()
    scene.shows("✅ api v4.0 is live in staging")
    assert scene.runs() == {"stg-1": "v4.0", "stg-2": "v4.0"}
    scene.clicks("ana", "Roll back to v1.1")
    scene.shows("✅ api v1.1 is live in staging")


@pytest.mark.long
def test_that_it_worked_is_believed_as_far_as_the_target_agrees(scene: Scene) -> None:
    begin(scene)
    crash(scene)
    scene.shows(LOST, BUTTONS)
    scene.types("ana", "/deploy it worked api staging")
    scene.shows("❌ api v4.0 failed in staging: status of stg-1 reports", "not v4.0")
    scene.clicks("ana", "Roll back to v1.1")
    scene.shows("✅ api v1.1 is live in staging")


@pytest.mark.long
def test_a_restart_of_the_machine_is_told_apart_and_a_rollback_by_word_is_the_answer(scene: Scene) -> None:
    run_dir = begin(scene)
    scene.bot.kill()
    end_all(runs(scene))
    facts = json.loads((run_dir / "started").read_text())
    (run_dir / "started").write_text(json.dumps(facts | {"boot_id": "another boot"}))
    back_again(scene)
    scene.shows("install on stg-1 ended: the machine or container was restarted", BUTTONS)
    scene.types("mia", "/rollback api staging")
    scene.wait(lambda: "aborted in staging by @mia" in read(scene.cards()[-2]), "the end of the first")
    scene.shows("✅ api v1.1 is live in staging", "@mia")
    assert scene.runs() == {"stg-1": "v1.1", "stg-2": "v1.1"}


@pytest.mark.long
def test_an_abort_leaves_the_step_as_it_is_and_says_what_runs_where(scene: Scene) -> None:
    begin(scene)
    crash(scene)
    scene.shows(LOST, BUTTONS)
    scene.clicks("raj", "Abort")
    card = scene.shows("⏹ api v4.0 aborted in staging by @raj", "stg-1: ", "stg-2: runs v1.1")
    assert "needs an answer" not in card
    scene.deploys("v1.2")
    scene.deploys("v1.1")


@pytest.mark.long
def test_only_the_supervisor_dies_and_the_script_is_waited_for(scene: Scene) -> None:
    run_dir = begin(scene)
    kill_supervisor(run_dir)
    scene.shows(ALONE, "[Wait] [Stop it] [Roll back to v1.1] [Abort]")
    scene.in_thread(f"needs an answer. {ALONE}", "Wait, Stop it, Roll back to v1.1 or Abort?")
    scene.clicks("ana", "Wait")
    scene.shows("🚀 Deploying api v4.0", "▸ install on stg-1  runs on without its supervisor", "[Abort]")
    scene.go()
    scene.shows(LOST, "[Run again] [It worked]")
    scene.in_thread(f"needs an answer. {LOST}")
    scene.clicks("ana", "It worked")
    scene.shows("✅ api v4.0 is live in staging")
    assert installs(run_dir) == 1
    scene.clicks("ana", "Roll back to v1.1")
    scene.shows("✅ api v1.1 is live in staging")


@pytest.mark.long
def test_only_the_supervisor_dies_and_the_script_is_stopped_by_word(scene: Scene) -> None:
    kill_supervisor(begin(scene))
    scene.shows(ALONE)
    scene.types("raj", "/deploy stop it api staging")
    scene.shows("❌ api v4.0 failed in staging: install on stg-1 was ended")
    assert of_runs(runs(scene)) == []
    scene.clicks("ana", "Roll back to v1.1")
    scene.shows("✅ api v1.1 is live in staging")


@pytest.mark.long
def test_only_the_supervisor_dies_and_a_rollback_by_word_ends_the_script_first(scene: Scene) -> None:
    run_dir = begin(scene)
    kill_supervisor(run_dir)
    scene.shows(ALONE)
    scene.says("mia", "@shipmate rollback api staging")
    scene.shows("✅ api v1.1 is live in staging", "@mia")
    scene.wait(lambda: "aborted in staging by @mia" in read(scene.cards()[-2]), "the end of the first")
    assert rundir.state(run_dir) is rundir.RunState.LOST
    assert scene.runs() == {"stg-1": "v1.1", "stg-2": "v1.1"}


@pytest.mark.long
def test_only_the_script_dies_and_that_is_a_failure_like_any_other(scene: Scene) -> None:
    run_dir = begin(scene)
    started = rundir.read_started(run_dir)
    assert started is not None
    os.killpg(started.session, signal.SIGKILL)
    scene.shows(
        "❌ api v4.0 failed in staging: install on stg-1 was killed by SIGKILL: by somebody, or for want of memory"
    )
    scene.clicks("ana", "Roll back to v1.1")
    scene.shows("✅ api v1.1 is live in staging")


@pytest.mark.long
def test_in_a_terminal(scene: Scene) -> None:
    scene.hold()
    saying = scene.bot.saying("api v4.0 staging", wait=True)
    scene.shows("▸ install on stg-1")
    scene.in_thread("installing v4.0 on stg-1")
    crash(scene)
    scene.shows(LOST)
    refused = scene.bot.say("wait api staging")
    assert refused.status == 3 and "No step waits for such an answer" in refused.text
    assert scene.bot.say("run again api staging").status == 0
    scene.shows("🚀 Deploying api v4.0", "▸ install on stg-1")
    scene.go()
    out, _ = saying.communicate(timeout=60)
    assert saying.returncode == 0, out
    question = f"? {LOST}; it is not run again by itself."
    assert question in out and "    it worked api staging\n" in out and "    rollback api staging now\n" in out
    assert "✅ api v4.0 is live in staging" in out
    assert scene.unacknowledged() == []
