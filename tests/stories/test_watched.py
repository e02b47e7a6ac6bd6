"""The bot as it looks to whoever watches over it: `/readyz` and `/metrics`, on a port of their own."""

import json
import socket
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.postgres import Server
from tests.support.process import Bot, free_port, until
from tests.support.service import six_steps

WORDS = {"api", "staging", "deploy", "live", "failed", "aborted", "unknown_version", "room_busy"}


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[Bot]:
    six_steps(tmp_path, pause=0.01)
    env = {"OPS_PORT": str(free_port()), "PORT": str(free_port())}
    running = Bot(data=tmp_path / "data", config=tmp_path / "shipmate.yml", env=env)
    yield running
    running.kill()


@pytest.fixture
def silence() -> Iterator[dict[str, str]]:
    """A Slack that takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/api/"
        yield {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "SLACK_API_URL": url}


def get(bot: Bot, path: str, port: str = "OPS_PORT") -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{bot.env[port]}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def ready(bot: Bot) -> tuple[int, dict[str, Any]]:
    began = time.monotonic()
    status, text = get(bot, "/readyz")
    assert time.monotonic() - began < 2.5
    return status, json.loads(text)


def samples(bot: Bot) -> dict[str, float]:
    """Our own figures by name and labels, such as `shipmate_deploys_total{api,live}`."""
    families = text_string_to_metric_families(get(bot, "/metrics")[1])
    found = [sample for family in families for sample in family.samples if sample.name.startswith("shipmate_")]
    for sample in found:
        labels = {value for name, value in sample.labels.items() if name not in ("le", "version", "python")}
        assert labels <= WORDS, sample
    return {f"{s.name}{{{','.join(v for _, v in sorted(s.labels.items()))}}}": s.value for s in found}


def test_figures_tell_what_ended_what_was_refused_and_what_waits(bot: Bot) -> None:
    bot.start()
    assert bot.say("api v1.1 staging", wait=True, by="ana").status == 0
    assert bot.say("api v9 staging").status == 2
    found = samples(bot)
    assert found["shipmate_deploys_total{staging,live,deploy,api}"] == 1  # by the names of the labels, in order
    assert found["shipmate_deploy_seconds_count{staging,live,api}"] == 1
    assert found["shipmate_refusals_total{unknown_version}"] == 1
    waits = ("undecided_asks", "unanswered_asks", "running_deploys", "waiting_deploys", "running_scripts")
    assert {name: found[f"shipmate_{name}{{}}"] for name in waits} == dict.fromkeys(waits, 0.0)
    assert found["shipmate_unpainted_postings{}"] == 0 and found["shipmate_database_up{}"] == 1
    assert any(name.startswith("shipmate_build_info{") for name in found)
    assert {get(bot, path, "PORT")[0] for path in ("/metrics", "/readyz", "/healthz")} == {404}
    assert get(bot, "/healthz")[0] == 200


@pytest.mark.long
def test_a_slack_that_is_silent_degrades_and_a_database_that_is_makes_unready(
    bot: Bot, silence: dict[str, str]
) -> None:
    bot.env = {**bot.env, **silence}
    bot.start()
    status, said = ready(bot)
    assert (status, said["ready"], said["degraded"]) == (200, True, True)
    assert said["checks"]["slack"]["says"].startswith("Slack has not said yet who this bot is")
    assert all(said["checks"][part]["ok"] for part in ("desk", "database", "disk", "agent", "engine", "queue"))
    with closing(sqlite3.connect(bot.data / "shipmate.db", isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        until(lambda: ready(bot)[0] == 503, what="unready")
        said = ready(bot)[1]
        assert not said["ready"] and said["checks"]["database"]["says"].startswith("no answer for")
        assert samples(bot)["shipmate_database_up{}"] == 1  # it can be read
    until(lambda: ready(bot)[0] == 200, what="ready again")


def test_a_web_and_a_worker_each_tell_of_their_own(bot: Bot, postgres: Server) -> None:
    shared = {"DATABASE_URL": postgres.fresh()}
    bot.env = {**bot.env, **shared}
    bot.role = "web"
    worker = Bot(data=bot.data, config=bot.config, env={"OPS_PORT": str(free_port()), **shared}, role="worker")
    try:
        worker.start()
        bot.start()
        assert bot.say("api v1.1 staging", wait=True).status == 0
        assert bot.say("api v9 staging").status == 2
        (at_web, web), (at_worker, work) = ready(bot), ready(worker)
        assert (at_web, at_worker) == (200, 200), (web, work)
        assert set(work["checks"]) - set(web["checks"]) == {"agent", "engine", "queue"}
        assert samples(worker)["shipmate_deploys_total{staging,live,deploy,api}"] == 1
        assert samples(bot)["shipmate_refusals_total{unknown_version}"] == 1
        assert samples(bot)["shipmate_running_deploys{}"] == samples(worker)["shipmate_running_deploys{}"] == 0
    finally:
        worker.kill()
