"""What a script is given: read late, never shown, kept in the run folder just as long as it is needed."""

import json
import stat
from pathlib import Path

import pytest

from pipelines.domain.events import Progress, Report
from pipelines.domain.plan import How
from pipelines.domain.stepwork import Work
from pipelines.execution import values
from pipelines.execution.masking import Masker
from pipelines.execution.values import Values, ValuesError
from pipelines.storage.steps import Ending

SECRET = "hunter2-hunter2"


def work(folder: Path, *secrets: str, pass_env: tuple[str, ...] = ()) -> Work:
    references = {name: f"file://{folder}/{name}" for name in secrets}
    return Work(how=How.SCRIPT, what="x", secrets=references, pass_env=pass_env)


async def test_values_are_read_and_never_shown(tmp_path: Path) -> None:
    (tmp_path / "TOKEN").write_text(SECRET + "\n")
    given = await values.read(work(tmp_path, "TOKEN", pass_env=("LEVEL",)), {"LEVEL": "debug", "OTHER": "x"})
    assert given.env == {"TOKEN": SECRET, "LEVEL": "debug"}
    assert SECRET not in repr(given) and "debug" not in repr(given)


async def test_everything_that_is_missing_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ValuesError) as caught:
        await values.read(work(tmp_path, "A", "B", pass_env=("LEVEL",)), {})
    assert str(caught.value) == (
        f"A: there is no file {tmp_path}/A; write the value into it; B: there is no file {tmp_path}/B; write the value "
        "into it; LEVEL is not set in the bot's own environment"
    )


def test_of_what_is_passed_words_and_paths_stay_readable(tmp_path: Path) -> None:
    passed = {"SOCK": str(tmp_path), "ENV": "staging", "TOKEN": "ghp_0123456789", "KEY": "/+8n3Kq0zTtV9w"}
    assert Values(secrets={"S": "s"}, passed=passed).hidden == ("s", "ghp_0123456789", "/+8n3Kq0zTtV9w")


def test_the_words_of_an_ending_are_masked() -> None:
    ending = Ending(progress=Progress.FAILED, detail=f"x {SECRET}", report=Report(line=SECRET, detail=f"{SECRET}."))
    hidden = values.masked(ending, Masker([SECRET]))
    assert (hidden.detail, hidden.report) == ("x ***", Report(line="***", detail="***."))


def run_folder(folder: Path, given: Values, *, detach: bool = False) -> Path:
    run_dir = folder / "d1" / "001-deploy.1"
    for name in ("home/.config", "tmp"):
        (run_dir / name).mkdir(parents=True)
    for name in ("spec.json", "spec.json.7.tmp", "out", "started", "exit", "lock", "home/.config/token"):
        (run_dir / name).write_text(SECRET)
    values.keep(run_dir, given, detach=detach)
    return run_dir


def test_the_copy_is_for_our_eyes_and_goes_with_all_that_may_hold_a_value(tmp_path: Path) -> None:
    run_dir = run_folder(tmp_path, Values(secrets={"TOKEN": SECRET}))
    assert stat.S_IMODE((run_dir / "hidden").stat().st_mode) == 0o600
    assert values.kept(run_dir) == (SECRET,)
    values.forget(run_dir)
    assert {path.name for path in run_dir.iterdir()} == {"started", "exit", "lock", "out"}
    assert (run_dir / "out").read_text() == ""
    assert values.kept(run_dir) == ()
    values.forget(run_dir)


def test_a_folder_that_a_script_made_read_only_goes_and_what_it_linked_to_stays(tmp_path: Path) -> None:
    run_dir = run_folder(tmp_path, Values(secrets={"TOKEN": SECRET}))
    (run_dir / "home" / ".config").chmod(0o500)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").write_text("x")
    (run_dir / "tmp").rmdir()
    (run_dir / "tmp").symlink_to(tmp_path / "elsewhere")
    values.forget(run_dir)
    assert {path.name for path in run_dir.iterdir()} == {"started", "exit", "lock", "out"}
    assert (tmp_path / "elsewhere" / "file").exists()


def test_what_a_script_leaves_running_keeps_its_folders(tmp_path: Path) -> None:
    run_dir = run_folder(tmp_path, Values(passed={"LEVEL": "debug"}), detach=True)
    values.forget(run_dir)
    assert {path.name for path in run_dir.iterdir()} == {"started", "exit", "lock", "out", "home", "tmp"}
    assert (run_dir / "out").read_text() == ""


def test_a_run_without_values_is_left_as_it_is(tmp_path: Path) -> None:
    run_dir = run_folder(tmp_path, Values())
    assert values.left(tmp_path) == []
    values.forget(run_dir)
    assert (run_dir / "out").read_text() == SECRET and not (run_dir / "spec.json").exists()
    values.forget(tmp_path / "never")


def test_what_an_earlier_process_left_is_taken_away_but_for_runs_that_go_on(tmp_path: Path) -> None:
    old, new = (run_folder(tmp_path / name, Values(secrets={"T": SECRET})) for name in ("old", "new"))
    left = [*values.left(tmp_path / "old"), *values.left(tmp_path / "new")]
    assert left == [old, new]
    values.forget_all(left, [new])
    assert (values.kept(old), values.kept(new)) == ((), (SECRET,))
    assert json.loads((new / "hidden").read_bytes()) == {"values": [SECRET], "detach": False}


def test_what_cannot_be_taken_away_is_told_and_stays(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run_dir = run_folder(tmp_path, Values(secrets={"T": SECRET}))
    (run_dir / "out").unlink()
    (run_dir / "out").mkdir()
    values.forget_all([run_dir])
    assert values.left(tmp_path) == [run_dir] and str(run_dir) in caplog.text and SECRET not in caplog.text
