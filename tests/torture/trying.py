"""Tries a fault: in a folder of its own, on a new database, with a seed that is told."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

import pytest

from tests.support import postgres
from tests.support.needs import program
from tests.support.runs import end_scripts
from tests.torture.rows import POSTGRES, Fault, Place, Row


class Servers:
    """The PostgreSQL of a run; started when it is first needed."""

    def __init__(self, server: Callable[[], postgres.Server]) -> None:
        self.server = cache(server)

    def database(self, on: str) -> Callable[[], str | None]:
        return self.server().fresh if on == POSTGRES else lambda: None


@contextmanager
def servers() -> Iterator[Servers]:
    with ExitStack() as stack:
        yield Servers(lambda: stack.enter_context(_server()))


@contextmanager
def _server() -> Iterator[postgres.Server]:
    if program("postgres") is None:
        pytest.skip("PostgreSQL is not installed: apt-get install -y postgresql")
    with postgres.running() as server:
        yield server


def tried(fault: Fault, *, on: str, tries: int, seed: int, servers: Servers) -> Row:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="shipmate-torture-", ignore_cleanup_errors=True) as folder:
        place = Place(folder=Path(folder), database=servers.database(on), server=servers.server, seed=seed)
        try:
            verdict = fault.run(place, tries)
        finally:
            end_scripts(place.folder)
    return Row(fault=fault, on=on, seed=seed, verdict=verdict, seconds=time.monotonic() - began)
