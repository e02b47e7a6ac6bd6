"""A data folder: its name as a host, and who holds it in which role."""

import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.holding import AlreadyRunningError, hold, holder
from bot.host import host_name
from bot.roles import Role


def test_a_folder_has_one_name_whoever_asks_first(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        (name,) = set(threads.map(host_name, [tmp_path] * 8))
    assert re.fullmatch(r"[^\s.]+\.[0-9a-f]{8}", name)
    assert host_name(tmp_path) == name
    assert [path.name for path in tmp_path.iterdir()] == ["host"]


def test_another_folder_is_another_host(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    assert host_name(tmp_path) != host_name(tmp_path / "other")


def test_each_role_is_held_once_and_both_by_two(tmp_path: Path) -> None:
    let_go = hold(tmp_path, Role.WORKER)
    hold(tmp_path, Role.WEB)()
    with pytest.raises(AlreadyRunningError, match=f"process {os.getpid()}"):
        hold(tmp_path, Role.WORKER)
    let_go()
    hold(tmp_path, Role.WORKER)()


def test_who_holds_a_folder_is_known_without_taking_it(tmp_path: Path) -> None:
    assert holder(tmp_path, Role.WEB) is None
    let_go = hold(tmp_path, Role.WEB)
    assert (holder(tmp_path, Role.WEB), holder(tmp_path, Role.WORKER)) == (os.getpid(), None)
    let_go()
    assert holder(tmp_path, Role.WEB) is None
