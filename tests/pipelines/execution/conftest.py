"""Runs that are ended, with all that came from them, when the test is over."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.runs import MakeRun, Run


@pytest.fixture
def make_run(tmp_path: Path) -> Iterator[MakeRun]:
    made: list[Run] = []

    def make(body: str = "", **spec: Any) -> Run:
        home = tmp_path / f"run-{len(made)}"
        home.mkdir()
        made.append(Run(home, body, **spec))
        return made[-1]

    yield make
    for run in made:
        run.clean()
