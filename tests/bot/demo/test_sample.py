"""The sample repository has the shape that the demo's sentences rely on."""

from itertools import pairwise
from pathlib import Path

import pytest

from bot.demo import sample


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    sample.build(tmp_path / "api", pace=0.25)
    return tmp_path / "api"


def log(repository: Path, *arguments: str) -> list[str]:
    return sample.git(repository, "log", "--format=%an: %s", *arguments).decode().splitlines()


def test_tags_and_the_commits_between_them(repository: Path) -> None:
    tags = sample.git(repository, "tag", "--list").decode().split()
    assert tags == ["v1.0", "v1.1", "v1.2", "v1.3", "v1.4", "v1.5"]
    for older, newer in pairwise(tags):
        assert len(log(repository, f"{older}..{newer}")) >= 2
    fourth = log(repository, "v1.3..v1.4")
    assert len(fourth) == 4
    assert fourth[0] == "raj: fix checkout"
    assert {line.split(":")[0] for line in log(repository)} == {"ana", "raj", "mia"}


def test_main_goes_on_after_the_last_tag(repository: Path) -> None:
    assert log(repository, "v1.5..main") == ["raj: bring the third suggestion, too"]


def test_every_commit_has_executable_verbs_and_a_clean_work_tree(repository: Path) -> None:
    assert sample.git(repository, "status", "--porcelain") == b""
    for tag in ("v1.0", "v1.5", "main"):
        modes = sample.git(repository, "ls-tree", "-r", tag, "deploy").decode().splitlines()
        executable = {line.split("\t")[1] for line in modes if line.startswith("100755")}
        assert executable == {f"deploy/{verb}.sh" for verb in ("install", "migrate", "route", "smoke")}
        assert sample.git(repository, "show", f"{tag}:deploy/pace") == b"0.25\n"


def test_ids_are_the_same_everywhere(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "someone else")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    sample.build(tmp_path / "again", pace=0.25)
    assert sample.git(tmp_path / "again", "rev-parse", "main") == sample.git(repository, "rev-parse", "main")


def test_a_repository_that_is_there_is_left_alone(repository: Path) -> None:
    (repository / "mine.txt").write_text("a note")
    sample.build(repository, pace=9)
    assert (repository / "mine.txt").exists()


def test_a_change_that_does_not_fit_is_named() -> None:
    with pytest.raises(ValueError, match="exactly once"):
        sample.changed({"a.txt": "bb"}, [{"file": "a.txt", "old": "b", "new": "c"}])
