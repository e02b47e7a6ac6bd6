"""A real PostgreSQL of the tests' own, on loopback, in a temporary folder of its own, ended by its own process id."""

import itertools
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from pipelines.execution import engine
from pipelines.storage.schema import bring_up_to_date
from tests.support.needs import program
from tests.support.process import free_port

START_SECONDS = 60.0
TEMPLATE = "template_shipmate"
QUICK = ("fsync=off", "full_page_writes=off", "autovacuum=off", "wal_level=minimal", "max_wal_senders=0")
OUR_TABLES = ("event", "stream", "deploy", "ask", "step", "output", "posting", "dbos.workflow_status")


class Server:
    """`start`, `stop` and `crash` may be called again and again: the databases stay."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._data = folder / "data"
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)
        self._user: dict[str, Any] = {"user": "postgres", "group": "postgres", "extra_groups": []}
        if os.geteuid() != 0:
            self._user = {}

    def make(self) -> None:
        self._folder.chmod(0o755)
        self._data.mkdir(mode=0o700)
        if self._user:
            shutil.chown(self._data, "postgres", "postgres")
        self._run("initdb", "-D", str(self._data), "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8")

    def start(self) -> None:
        """Start, and wait until it answers."""
        settings = [f"port={self._port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", *QUICK]
        argv = [_program("postgres"), "-D", str(self._data), *(part for one in settings for part in ("-c", one))]
        if (leash := shutil.which("setpriv")) is not None:  # it ends with the tests, however they end
            argv = [leash, "--pdeathsig", "QUIT", *argv]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(argv, stdout=log, stderr=log, cwd="/", **self._user)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.connect("postgres").close()
                return
            except psycopg.OperationalError as error:
                assert time.monotonic() < deadline and self._process.poll() is None, f"{error}\n{self.log()}"
                time.sleep(0.02)

    def stop(self) -> None:
        self._end(signal.SIGINT)

    def crash(self) -> None:
        """As `pg_ctl -m immediate stop`: every connection is cut, and the next start recovers."""
        self._end(signal.SIGQUIT)

    def _end(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(START_SECONDS)
            self._process = None

    def log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")[-2000:]

    def url(self, database: str, user: str = "postgres") -> str:
        return f"postgresql://{user}@127.0.0.1:{self._port}/{database}"

    def connect(self, database: str) -> "psycopg.Connection[Any]":
        return psycopg.connect(self.url(database), autocommit=True, connect_timeout=5)

    def empty(self) -> str:
        """The URL of a new database without a table."""
        name = f"test_{next(self._numbers)}_{secrets.token_hex(3)}"
        self._create(name, "template1")
        return self.url(name)

    def fresh(self) -> str:
        """The URL of a new database that is up to date."""
        self._make_template()
        name = f"test_{next(self._numbers)}_{secrets.token_hex(3)}"
        self._create(name, TEMPLATE)
        return self.url(name)

    def cleared(self) -> str:
        """The URL of a database that is up to date and has no rows; the same each time, and quicker than a new one."""
        self._make_template()
        with self.connect("postgres") as connection:
            there = connection.execute("SELECT 1 FROM pg_database WHERE datname = 'cleared'").fetchone()
        if there is None:
            self._create("cleared", TEMPLATE)
        with self.connect("cleared") as connection:
            connection.execute("SET lock_timeout = '10s'")
            connection.execute("; ".join(f"DELETE FROM {table}" for table in OUR_TABLES))
        return self.url("cleared")

    def _make_template(self) -> None:
        with self.connect("postgres") as connection:
            there = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (TEMPLATE,)).fetchone()
        if there is None:
            self._create(TEMPLATE, "template1")
            bring_up_to_date(self.url(TEMPLATE))
            engine.make_tables(self.url(TEMPLATE))

    def _create(self, name: str, template: str) -> None:
        with self.connect("postgres") as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())

    def _run(self, name: str, *argv: str) -> None:
        done = subprocess.run([_program(name), *argv], capture_output=True, text=True, cwd="/", **self._user)
        assert done.returncode == 0, done.stderr


def _program(name: str) -> str:
    found = program(name)
    assert found is not None, f"{name} is not installed"
    return found


@contextmanager
def running() -> Iterator[Server]:
    """A server that is there until the end."""
    folder = Path(tempfile.mkdtemp(prefix="shipmate-pg-"))
    server = Server(folder)
    try:
        server.make()
        server.start()
        yield server
    finally:
        server.crash()
        shutil.rmtree(folder, ignore_errors=True)
