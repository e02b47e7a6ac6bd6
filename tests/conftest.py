"""What every test gets: no proxies towards loopback, a Ctrl-C that can be pressed, properties that are judged by truth,
not by the clock, and, for those that ask, a database of either kind."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.support.needs import program

if TYPE_CHECKING:
    from tests.support.postgres import Server

settings.register_profile("shipmate", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("shipmate")

for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
    os.environ.pop(name, None)
    os.environ.pop(name.lower(), None)

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
    # a shell's background job ignores it, and so would all that a test starts and ends by it
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres() -> "Iterator[Server]":
    """A PostgreSQL server, the same for all tests of this process."""
    if program("postgres") is None:
        pytest.skip("PostgreSQL is not installed: apt-get install -y postgresql")
    from tests.support.postgres import running

    with running() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database that is up to date and empty, of each kind in turn."""
    from pipelines.storage.schema import bring_up_to_date

    if request.param == "postgres":
        server: Server = request.getfixturevalue("postgres")
        return server.cleared()
    url = f"sqlite:///{tmp_path}/shipmate.db"
    bring_up_to_date(url)
    return url
