"""One file a secret: its value as it was written, or a clause that names the path and never the value."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.providers.secrets import LIMIT, TOTAL, SecretError, read, read_all

VALUE = "hunter2-hunter2"


def problem(path: Path) -> str:
    with pytest.raises(SecretError) as caught:
        read(f"file://{path}")
    assert VALUE not in str(caught.value)
    return str(caught.value).replace(str(path), "PATH")


@given(st.binary(min_size=1, max_size=100).filter(lambda v: b"\0" not in v and v.strip(b"\r\n")), st.text("\r\n"))
def test_every_value_comes_as_it_was_written_but_for_the_line_ends_at_its_end(value: bytes, end: str) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(value + end.encode())
        file.flush()
        assert os.fsencode(read(f"file://{file.name}")) == value.rstrip(b"\r\n")


def test_a_link_is_followed_as_kubernetes_mounts_them(tmp_path: Path) -> None:
    (tmp_path / "..2026").mkdir()
    (tmp_path / "..2026" / "TOKEN").write_text(VALUE)
    (tmp_path / "..data").symlink_to("..2026")
    (tmp_path / "TOKEN").symlink_to("..data/TOKEN")
    assert read(f"file://{tmp_path}/TOKEN") == VALUE


def test_what_is_wrong_is_told_with_the_path_and_the_way_on(tmp_path: Path) -> None:
    path = tmp_path / "TOKEN"
    assert problem(path) == "there is no file PATH; write the value into it"
    path.write_text("\r\n\n")
    assert problem(path) == "PATH is empty; write the value into it"
    path.write_text(f"{VALUE}\0")
    assert problem(path).startswith("PATH holds a zero byte, which no variable can")
    path.write_text(VALUE * LIMIT)
    assert problem(path).startswith("PATH is larger than 32 KiB")
    path.unlink()
    path.mkdir()
    assert problem(path) == "PATH is not a file; put the value into a file of that name"
    path.rmdir()
    os.mkfifo(path)  # nobody writes: it must not be waited for
    assert problem(path) == "PATH is not a file; put the value into a file of that name"
    path.unlink()
    path.symlink_to(path)
    assert problem(path).startswith("PATH cannot be read (Too many levels of symbolic links")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_of_somebody_else(tmp_path: Path) -> None:
    path = tmp_path / "TOKEN"
    path.write_text(VALUE)
    path.chmod(0)
    assert problem(path) == "PATH cannot be read (Permission denied); let the bot's user read it"


def test_a_reference_that_leads_nowhere() -> None:
    with pytest.raises(SecretError, match="write `secrets_from` in the bot's configuration"):
        read("")


def test_all_are_read_and_all_that_is_wrong_is_told(tmp_path: Path) -> None:
    (tmp_path / "A").write_text(VALUE)
    values, wrong = read_all({name: f"file://{tmp_path}/{name}" for name in ("A", "B", "C")})
    assert values == {"A": VALUE} and set(wrong) == {"B", "C"}


def test_all_together_have_a_bound(tmp_path: Path) -> None:
    names = [f"S{number}" for number in range(TOTAL // LIMIT + 1)]
    for name in names:
        (tmp_path / name).write_text("x" * LIMIT)
    _, wrong = read_all({name: f"file://{tmp_path}/{name}" for name in names})
    assert wrong == {names[-1]: "the secrets of one deploy are larger than 128 KiB together; name fewer"}
