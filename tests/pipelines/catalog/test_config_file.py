"""The file read again: whatever way it changes, and never half of it; a broken one changes nothing and is told once."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.catalog import ConfigErrors, ConfigFile, load_config

API = "services: {api: {repo: /r}}\nenvironments: {staging: {}}\n"
SHOP = "services: {shop: {repo: /r}}\nenvironments: {staging: {}}\n"
BROKEN = "servces: {}\nenvironments: {staging: {protectd: true}}\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "shipmate.yml"
    path.write_text(API)
    return path


def services(file: ConfigFile) -> list[str]:
    return list(file().services)


def looked(file: ConfigFile) -> ConfigFile:
    """Looked at as often as it takes for a file that stands still."""
    file.look()
    file.look()
    return file


def rewritten(path: Path) -> None:
    path.write_text(SHOP)


def replaced(path: Path) -> None:
    new = path.with_name("new")
    new.write_text(SHOP)
    new.replace(path)


def made_again(path: Path) -> None:
    path.unlink()
    path.write_text(SHOP)


def of_the_same_size_and_time(path: Path) -> None:
    before = path.stat()
    path.write_text(API.replace("api", "abc"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("change", [rewritten, replaced, made_again, of_the_same_size_and_time])
def test_a_changed_file_holds_once_it_stands_still(path: Path, change: Callable[[Path], None]) -> None:
    file = ConfigFile(path)
    change(path)
    file.look()
    assert services(file) == ["api"]  # it may still be in the middle of being written
    file.look()
    assert services(file) in (["shop"], ["abc"])


def test_a_link_on_the_way_that_leads_elsewhere(tmp_path: Path) -> None:
    """What Kubernetes does with a ConfigMap: every file is a link through a folder that is a link, and swapped."""
    for name, text in (("..one", API), ("..two", SHOP)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "shipmate.yml").write_text(text)
    (tmp_path / "..data").symlink_to("..one")
    (tmp_path / "shipmate.yml").symlink_to("..data/shipmate.yml")
    file = ConfigFile(tmp_path / "shipmate.yml")
    (tmp_path / "..new").symlink_to("..two")
    (tmp_path / "..new").replace(tmp_path / "..data")
    assert services(looked(file)) == ["shop"]


def test_a_file_that_is_gone_is_told_and_holds_again_when_it_is_back(path: Path) -> None:
    file = ConfigFile(path)
    path.unlink()
    assert services(looked(file)) == ["api"]
    assert "there is no such file" in str(file.problems[0])
    path.write_text(SHOP)
    assert services(looked(file)) == ["shop"]
    assert file.problems == ()


def test_half_a_file_never_holds(path: Path) -> None:
    """A writer who needs longer than a look: what is there in between would be a whole configuration."""
    whole = SHOP + "people: {}\n"
    file = ConfigFile(path)
    for size in range(0, len(whole) + 1, 7):
        path.write_text(whole[:size])
        file.look()
        assert services(file) == ["api"]
    path.write_text(whole)
    assert services(looked(file)) == ["shop"]


def test_a_broken_file_changes_nothing_and_is_told_once(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = ConfigFile(path)
    path.write_text(BROKEN)
    for _ in range(5):
        looked(file)
    assert services(file) == ["api"]
    assert [str(problem) for problem in file.problems] == [
        "shipmate.yml:1: `servces` is not a key of the configuration. Did you mean `services`?",
        "shipmate.yml:2: `protectd` is not a key of an environment. Did you mean `protected`?",
    ]
    for problem in file.problems:
        assert caplog.text.count(str(problem)) == 1
    assert caplog.text.count("still holds") == 1
    path.write_text(API)
    assert looked(file).problems == ()


def test_told_to_it_is_read_at_once(path: Path) -> None:
    file = ConfigFile(path)
    path.write_text(SHOP)
    file.read_again()
    assert services(file) == ["shop"]
    path.write_text("")
    file.read_again()
    assert services(file) == ["shop"]
    assert "this file says nothing" in str(file.problems[0])


def a_folder(path: Path) -> None:
    path.mkdir()


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_loop(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.parametrize("make", [a_folder, a_pipe, a_loop])
def test_what_is_no_file_is_told_and_not_waited_for(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "shipmate.yml")
    with pytest.raises(ConfigErrors, match=r"shipmate.yml:1: this file cannot be read: "):
        load_config(tmp_path / "shipmate.yml")


@given(texts=st.lists(st.sampled_from([API, SHOP, BROKEN, "", "a: [", "environments: {staging: {}}\n"]), max_size=6))
def test_what_holds_is_the_last_good_one(texts: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("config") / "shipmate.yml"
    path.write_text(API)
    file = ConfigFile(path)
    good = file()
    for text in texts:
        path.write_text(text)
        looked(file)
        try:
            good = load_config(path)
            assert file.problems == ()
        except ConfigErrors as errors:
            assert file.problems == errors.problems
        assert file() == good
