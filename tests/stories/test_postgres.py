"""One bot on a PostgreSQL that the test starts: the same in Slack and in the terminal, and a schema that nobody changes
by the way."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from pipelines.storage.schema import HEAD
from tests.support.postgres import Server
from tests.support.process import ROOT, Bot, until
from tests.support.scene import on_stage
from tests.support.service import six_steps


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[Bot]:
    six_steps(tmp_path)
    running = Bot(data=tmp_path / "data", config=tmp_path / "shipmate.yml")
    yield running
    running.kill()


def command(bot: Bot, *argv: str) -> "subprocess.CompletedProcess[str]":
    """A command of the bot's, run to its end."""
    whole = [sys.executable, "-m", "bot", *argv, "--data", str(bot.data), "--config", str(bot.config)]
    return subprocess.run(whole, cwd=ROOT, env=bot.environment(), capture_output=True, text=True, timeout=60)


def test_a_deploy_and_its_rollback_in_slack(tmp_path: Path, postgres: Server) -> None:
    with on_stage(tmp_path, rates=False, environ={"DATABASE_URL": postgres.fresh()}) as scene:
        scene.types("ana", "/deploy api v1.1 staging")
        scene.shows("✅ api v1.1 is live in staging", "[Roll back to v1.0] [Log]")
        scene.in_thread("installed v1.1 on stg-2", "<@U0ANA> api v1.1 went live in staging after")
        scene.clicks("raj", "Roll back")
        scene.shows("✅ api v1.0 is live in staging", "rolled back from v1.1", "[Deploy v1.1 again] [Log]")
        assert scene.runs() == {"stg-1": "v1.0", "stg-2": "v1.0"}
        assert not (tmp_path / "data" / "shipmate.db").exists()
        assert "Traceback" not in scene.bot.log()


def test_migrating_is_a_step_of_its_own(bot: Bot, postgres: Server) -> None:
    url = postgres.empty()
    bot.env = {"DATABASE_URL": url.replace("postgres@", "postgres:hunter2@")}
    for role in ("run", "worker"):
        refused = command(bot, role)
        assert refused.returncode == 1
        assert refused.stderr.endswith("Bring it up to date first: shipmate migrate\n")
    migrated = command(bot, "migrate")
    assert (migrated.returncode, migrated.stdout) == (0, "The database is up to date.\n"), migrated.stderr
    bot.start()
    assert bot.stop() == 0
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    refused = command(bot, "migrate")
    assert refused.returncode == 1 and "Run the newer version" in refused.stderr
    everything = bot.log() + refused.stderr + migrated.stdout + migrated.stderr
    assert "hunter2" not in everything and "Traceback" not in everything


@pytest.mark.parametrize("role", ["web", "worker"])
def test_two_processes_need_postgresql(bot: Bot, role: str) -> None:
    refused = command(bot, role)
    assert refused.returncode == 1
    assert "two processes need PostgreSQL" in refused.stderr and "shipmate run" in refused.stderr
    assert not bot.data.exists()


def test_migrate_does_on_sqlite_what_run_does(bot: Bot) -> None:
    migrated = command(bot, "migrate")
    assert (migrated.returncode, migrated.stdout) == (0, "The database is up to date.\n"), migrated.stderr
    assert HEAD in (bot.data / "shipmate.db").read_bytes().decode(errors="replace")
    bot.start()
    assert bot.process is not None
    busy = command(bot, "migrate")
    assert busy.returncode == 1 and f"process {bot.process.pid}" in busy.stderr


def test_a_database_that_comes_later_is_waited_for(bot: Bot, postgres: Server) -> None:
    bot.env = {"DATABASE_URL": postgres.fresh()}
    postgres.stop()
    try:
        bot.start(wait=False)
        until(lambda: "Waiting for the database postgresql://" in bot.log(), what="words about it")
        assert bot.stop() == 0  # it can be told to end meanwhile
        bot.start(wait=False)
    finally:
        postgres.start()
    until(bot.answers, what="a bot")
    assert "Traceback" not in bot.log()


def test_the_doctor_looks_at_it(bot: Bot, postgres: Server) -> None:
    bot.env = {"DATABASE_URL": postgres.empty()}
    looked = command(bot, "doctor").stdout
    assert re.search(r"problem  database: The database has no tables .* shipmate migrate", looked), looked
    bot.env = {"DATABASE_URL": postgres.fresh()}
    looked = command(bot, "doctor").stdout
    assert re.search(rf"ok       database: postgresql://postgres@127.* answers, and is at schema {HEAD}", looked), (
        looked
    )
