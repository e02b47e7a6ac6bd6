"""A web and a worker, two processes on one PostgreSQL: each is killed in the middle of a deploy, and each goes on while
the other is away. Judged from the scripts' own ledger, from Slack's side, and from what `say` prints."""

import json
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.postgres import Server
from tests.support.process import Bot, free_port, until
from tests.support.runs import end_all
from tests.support.scene import Scene
from tests.support.service import Service, six_steps
from tests.support.workspace import Threaded


@dataclass
class Pair:
    web: Bot
    worker: Bot
    service: Service
    scene: Scene
    url: str

    def in_install(self) -> bool:
        return any(entry[:2] == ["start", "install"] for entry in self.service.entries())

    def ended(self) -> bool:
        return ["end", "after"] in [entry[:2] for entry in self.service.entries()]

    def each_once(self) -> bool:
        counts = Counter(tuple(entry[:3]) for entry in self.service.entries())
        return set(counts.values()) == {1} and len(counts) == 12


@pytest.fixture
def pair(tmp_path: Path, postgres: Server) -> Iterator[Pair]:
    service, url = six_steps(tmp_path, channel="#deploys"), postgres.fresh()
    with Threaded() as slack:
        slack.workspace.rates.on = False
        data, config = tmp_path / "data", service.config
        web = Bot(data=data, config=config, env=slack.env | {"DATABASE_URL": url}, role="web")
        worker = Bot(data=tmp_path / "worker", config=config, env={"DATABASE_URL": url}, role="worker")
        made = Pair(
            web=web, worker=worker, service=service, scene=Scene(slack=slack, bot=web, service=service), url=url
        )
        try:
            worker.start(wait=False)
            web.start(wait=False)
            until(worker.answers, what="the worker")
            until(web.answers, what="the web")
            made.scene.connected()
            yield made
        finally:
            web.kill()
            worker.kill()


@pytest.mark.long
def test_either_is_killed_in_the_middle_and_nothing_is_lost_or_doubled(pair: Pair) -> None:
    saying = pair.web.saying("deploy api v1.1 staging", wait=True)
    until(pair.in_install, what="the first install")
    pair.worker.kill()
    pair.scene.shows("Deploying api v1.1 → staging")
    assert "v1.1 is on its way" in pair.web.say("status").text  # the web goes on alone
    pair.worker.start()
    pair.scene.in_thread("install on stg-1")
    pair.web.kill()
    until(pair.ended, what="the last script, with the worker alone")
    pair.web.start()
    out, _ = saying.communicate(timeout=60)
    assert saying.returncode == 0 and "api v1.1 is live in staging" in out, out
    pair.scene.shows("✅ api v1.1 is live in staging")
    pair.scene.in_thread("went live in staging", "after.sh - line 4", "install.sh stg-2 line 1")
    assert len(pair.scene.cards()) == 1
    assert pair.each_once()
    assert "Traceback" not in pair.web.log() + pair.worker.log()


def test_a_click_reaches_the_worker_and_the_line_the_web_at_once(pair: Pair) -> None:
    """Neither waits for the other to look again by itself."""
    pair.scene.types("ana", "/deploy api v1.1 staging")
    pair.scene.shows("Deploying api v1.1 → staging", "[Abort]")
    until(pair.in_install, what="the first install")
    pair.scene.clicks("raj", "Abort")
    pair.scene.shows("⏹ api v1.1 aborted in staging by @raj")
    assert pair.web.stop() == 0
    assert pair.worker.stop() == 0
    with psycopg.connect(pair.url) as connection:
        hosts = {row[0] for row in connection.execute("SELECT host FROM step").fetchall()}
    assert hosts == {(pair.worker.data / "host").read_text().strip()}


@pytest.mark.long
def test_a_web_alone_says_that_nobody_is_there_who_carries_out_and_keeps_what_is_asked(
    tmp_path: Path, postgres: Server
) -> None:
    service, url = six_steps(tmp_path, pause=0.01), postgres.fresh()
    env, data = {"DATABASE_URL": url, "OPS_PORT": str(free_port())}, tmp_path / "data"
    web = Bot(data=data, config=service.config, env=env, role="web")
    worker = Bot(data=tmp_path / "worker", config=service.config, env={"DATABASE_URL": url}, role="worker")
    try:
        web.start()
        assert "nothing was deployed here yet" in web.say("status api staging", seconds=25).text
        status, checks = ready(web)
        assert (status, checks["degraded"]) == (200, True) and "none there" in checks["checks"]["workers"]["says"]
        assert "a web and no worker" in doctor(web)
        asked = web.say("api v1.1 staging")
        assert asked.status == 0, asked.text
        worker.start()
        until(
            lambda: "v1.1" in (said := web.say("status api staging").text) and "on its way" not in said,
            what="the deploy",
        )
        assert not ready(web)[1]["degraded"] and "a web and no worker" not in doctor(web)
        assert worker.process is not None and f"process {worker.process.pid} is a worker on" in doctor(worker)
    finally:
        web.kill()
        worker.kill()


def ready(web: Bot) -> tuple[int, dict[str, Any]]:
    with urllib.request.urlopen(f"http://127.0.0.1:{web.env['OPS_PORT']}/readyz", timeout=5) as answer:
        return answer.status, json.loads(answer.read())


def doctor(web: Bot) -> str:
    argv = [sys.executable, "-m", "bot", "doctor", "--data", str(web.data), "--config", str(web.config)]
    return subprocess.run(argv, env=web.environment(), capture_output=True, text=True, timeout=60).stdout


@pytest.mark.long
def test_a_second_of_a_name_is_told_who_is_there(pair: Pair, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "host").write_text((pair.worker.data / "host").read_text())  # a copy of the data folder
    seconds = [
        Bot(data=other, config=first.config, env=first.env, role=first.role) for first in (pair.web, pair.worker)
    ]
    for second in seconds:
        second.start(wait=False)
    for first, second in zip((pair.web, pair.worker), seconds, strict=True):
        assert first.process is not None and second.process is not None
        assert second.process.wait(30) == 1
        assert f"process {first.process.pid}" in second.log() and "Traceback" not in second.log()


def test_a_folder_of_the_same_name_asks_for_what_was_lost_with_the_disk(tmp_path: Path, postgres: Server) -> None:
    service = six_steps(tmp_path, pause=2.0)
    old, new = (
        Bot(data=tmp_path / name, config=service.config, env={"DATABASE_URL": url})
        for url in [postgres.fresh()]
        for name in ("old", "new")
    )
    for bot in (old, new):
        bot.data.mkdir()
        (bot.data / "host").write_text("deploys-1\n")
    try:
        old.start()
        assert old.say("api v1.1 staging").status == 0
        until(lambda: bool(service.entries()), what="the first script")
        old.kill()
        end_all(old.data / "runs")
        new.start()
        until(lambda: "run again api staging" in new.say("status api staging").text, what="the question")
        assert len(service.entries()) == 1
        assert new.say("abort api staging").status == 0
        until(lambda: "aborted by ana" in new.say("history api staging").text, what="the end")
    finally:
        old.kill()
        new.kill()
