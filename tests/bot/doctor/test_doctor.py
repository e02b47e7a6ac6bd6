"""The doctor against a real machine, a real database, real repositories and the local workspace: each line, its exit
status, that it changes nothing, keeps secrets, and is over in time whatever hangs."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.workspace import default_seed
from handlers.slack.routes import SCOPES
from pipelines.storage.schema import HEAD
from tests.support.process import ROOT, Bot, until
from tests.support.repository import Repository
from tests.support.workspace import Threaded


@dataclass
class Place:
    """A folder with a configuration of one service whose repository answers, and room for a data folder."""

    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def config(self) -> Path:
        return self.folder / "shipmate.yml"

    @property
    def bot(self) -> Bot:
        return Bot(data=self.data, config=self.config)

    def configure(self, **services: dict[str, str]) -> None:
        self.config.write_text(json.dumps({"services": services, "environments": {"staging": {}}}))

    def doctor(self, **env: str) -> "Told":
        return self.doctor_of(self.data, env)

    def doctor_of(self, data: Path, env: Mapping[str, str]) -> "Told":
        began = time.monotonic()
        argv = [sys.executable, "-m", "bot", "doctor", "--data", str(data), "--config", str(self.config)]
        done = subprocess.run(
            argv, cwd=ROOT, env={**self.bot.environment(), **env}, capture_output=True, text=True, timeout=60
        )
        assert done.stderr == "", done.stderr
        return Told(status=done.returncode, text=done.stdout, seconds=time.monotonic() - began)


@dataclass(frozen=True, kw_only=True)
class Told:
    status: int
    text: str
    seconds: float

    def line(self, what: str) -> str:
        """The one line about something."""
        found = [line for line in self.text.splitlines() if f"  {what}: " in line]
        assert len(found) == 1, (what, self.text)
        return found[0]

    def of(self, level: str) -> list[str]:
        return [line for line in self.text.splitlines() if line.startswith(f"{level} ")]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(folder=tmp_path)
    repository = Repository(tmp_path / "api")
    repository.commit()
    place.configure(api={"repo": repository.url, "channel": "#deploys"})
    return place


@pytest.fixture(scope="module")
def slack() -> Iterator[Threaded]:
    with Threaded() as slack:
        slack.workspace.rates.on = False
        yield slack


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {str(p): (p.stat().st_mtime_ns, p.read_bytes()) for p in sorted(folder.rglob("*")) if p.is_file()}


def test_before_the_first_start_all_is_well_and_nothing_is_made(place: Place) -> None:
    before = contents(place.folder)
    told = place.doctor()
    assert told.status == 0, told.text
    assert told.line("configuration") == f"ok       configuration: {place.config}: api; in staging"
    assert told.line("database") == "ok       database: not there yet; the first start makes it"
    assert told.line("data folder").startswith(f"ok       data folder: {place.data} is not there yet")
    assert told.line("repository of api") == "ok       repository of api: it answers"
    assert told.line("Slack").startswith("skipped  Slack: not checked: SLACK_BOT_TOKEN is not set")
    assert told.line("clock").startswith("skipped  clock: not checked: there is no Slack and no git host")
    assert told.line("system").startswith("ok       system: Linux, Python 3.")
    assert told.line("bot") == f"ok       bot: none runs on {place.data}; start it with: shipmate run"
    assert told.of("problem") == []
    assert contents(place.folder) == before and not place.data.exists()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"SLACK_BOT_TOKEN": "xoxb-1"}, "Set SLACK_APP_TOKEN for Socket Mode, or SLACK_SIGNING_SECRET for HTTP"),
        (
            {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "SLACK_API_URL": "slack.example"},
            "SLACK_API_URL is 'slack.example'; it must be a web address",
        ),
    ],
)
def test_what_is_not_whole_for_slack_is_told_once(place: Place, given: dict[str, str], says: str) -> None:
    told = place.doctor(**given)
    assert told.status == 1
    assert says in told.line("settings")
    assert len(told.of("problem")) == 1, told.text
    assert "what is set for it is not whole" in told.line("Slack")


def test_beside_a_bot_that_works(place: Place, slack: Threaded) -> None:
    bot = place.bot
    bot.env = slack.env
    try:
        bot.start()
        until(lambda: len(slack.workspace.deliverer.sockets.connections) == 1, what="the bot's connection")
        log = bot.log()
        told = place.doctor(**slack.env)
        assert told.status == 0, told.text
        assert bot.process is not None
        assert told.line("bot") == f"ok       bot: process {bot.process.pid} runs on {place.data} and answers"
        assert told.line("database") == f"ok       database: whole and writable, at schema {HEAD}"
        assert told.line("SLACK_BOT_TOKEN") == "ok       SLACK_BOT_TOKEN: shipmate in acme"
        assert told.line("SLACK_APP_TOKEN") == "ok       SLACK_APP_TOKEN: Socket Mode may connect"
        assert told.line("second bot") == "ok       second bot: none had this app token when ours connected"
        assert told.line("clock") == "ok       clock: as Slack's"
        assert told.line("channel #deploys") == "ok       channel #deploys: Shipmate can post there"
        assert "chat:write.public missing, which are optional" in told.line("Slack scopes")
        assert len(slack.workspace.deliverer.sockets.connections) == 1  # none of ours, at any time
        assert "another bot" not in bot.log() and bot.log() == log
        for secret in slack.env.values():
            assert secret not in told.text or secret.startswith("http")
        place.config.write_text("servces: {}\n")
        until(lambda: "cannot be used" in bot.say("status").text, what="the bot's own note")
        told = place.doctor(**slack.env)
        assert told.status == 1
        assert told.of("problem") == [
            "problem  configuration: shipmate.yml:1: `servces` is not a key of the configuration. "
            "Did you mean `services`?"
        ]
        assert told.line("repositories").startswith("skipped")
        assert "  bot: it goes on with the configuration that it read before the file was broken" in told.text
    finally:
        bot.kill()


@pytest.mark.long
def test_a_second_bot_on_the_same_app_token(place: Place, slack: Threaded, tmp_path: Path) -> None:
    first, second = place.bot, Bot(data=tmp_path / "other", config=place.config, env=slack.env)
    first.env = slack.env
    try:
        first.start()
        until(lambda: len(slack.workspace.deliverer.sockets.connections) == 1, what="the first connection")
        second.start()
        until(lambda: "another bot is connected" in second.log(), what="the second's hello")
        told = place.doctor(**slack.env)
        assert "none had this app token" in told.line("second bot")  # it was alone when it connected
        told = place.doctor_of(second.data, slack.env)
        assert told.status == 0
        assert told.line("second bot").startswith("warning  second bot: 2 connections had this app token when ours was")
    finally:
        first.kill()
        second.kill()


def test_slack_that_refuses_says_what_to_do(place: Place, slack: Threaded) -> None:
    exchanged = {**slack.env, "SLACK_BOT_TOKEN": slack.env["SLACK_APP_TOKEN"], "SLACK_APP_TOKEN": "xoxb-1"}
    told = place.doctor(**exchanged)
    assert told.status == 1
    assert "does not begin with xoxb-" in told.line("SLACK_BOT_TOKEN")
    assert "does not begin with xapp-" in told.line("SLACK_APP_TOKEN")
    told = place.doctor(**{**slack.env, "SLACK_BOT_TOKEN": "xoxb-canary", "SLACK_APP_TOKEN": "xapp-canary"})
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"):
        assert told.line(name).startswith(f"problem  {name}: Slack does not know this token; copy it anew")
    assert "canary" not in told.text


def test_rights_and_channels_that_are_missing(place: Place) -> None:
    seed = default_seed()
    held = "commands,chat:write,channels:read,groups:read,users:read"
    seed = replace(seed, app=replace(seed.app, scopes=held))
    repo = {"repo": str(place.folder / "api")}
    place.configure(
        api={**repo, "channel": "#random"},
        shop={**repo, "channel": "#secret"},
        web={**repo, "channel": "#nosuch"},
        job={**repo, "channel": "C0DEPLOYS"},
    )
    with Threaded(seed) as slack:
        told = place.doctor(**slack.env)
    assert told.status == 1
    missing = ", ".join(scope for scope in SCOPES if scope not in held.split(","))
    assert "files:write" in missing
    assert f"problem  Slack scopes: {missing} missing; add them under OAuth & Permissions" in told.text
    for channel in ("#random", "#secret", "#nosuch"):
        assert told.line(f"channel {channel}").startswith("problem ")
        assert "type /invite @shipmate" in told.line(f"channel {channel}")
    assert told.line("channel C0DEPLOYS").startswith("ok ")
    assert told.line("repository of api, shop, web, job") == "ok       repository of api, shop, web, job: it answers"


def test_everything_is_wrong_and_all_of_it_is_told(place: Place) -> None:
    place.configure(
        a={"repo": "/nowhere"}, b={"repo": "https://ana:hunter2@127.0.0.1:9/b.git"}, c={"repo": "git@127.0.0.1:c"}
    )
    place.data.mkdir(mode=0o755)
    (place.data / "shipmate.db").write_text("this is a letter " * 100)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        told = place.doctor(PORT=str(taken.getsockname()[1]), GIT_SSH_COMMAND="/bin/false")
    assert told.status == 1
    assert "there is no such repository" in told.line("repository of a")
    assert "does not take the connection" in told.line("repository of b")
    assert told.line("repository of c").startswith("problem ")
    assert "file is not a database; stop the bot, keep a copy" in told.line("database")
    assert "run: chmod 700" in told.line("data folder")
    assert "something else listens on 127.0.0.1:" in told.line("port")
    assert "hunter2" not in told.text
    assert told.text.splitlines()[-1].startswith("5 problems and ")


@pytest.mark.parametrize(
    ("env", "says", "still"),
    [
        ({"PORT": "soon"}, "PORT is 'soon'", "  SLACK_BOT_TOKEN: "),
        ({"SLACK_APP_TOKEN": ""}, "Set SLACK_APP_TOKEN for Socket Mode", "  Slack: "),
        ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL must begin with sqlite:///", "  SLACK_BOT_TOKEN: "),
        (
            {"DATABASE_URL": "postgresql://ana:hunter2@h/d"},
            "postgresql://ana@h/d did not answer: ",
            "  SLACK_BOT_TOKEN: ",
        ),
    ],
)
def test_a_setting_that_is_wrong_is_one_line_among_the_others(
    place: Place, slack: Threaded, env: dict[str, str], says: str, still: str
) -> None:
    told = place.doctor(**{**slack.env, **env})
    assert told.status == 1
    assert [line for line in told.of("problem") if says in line]
    assert still in told.text and "hunter2" not in told.text
    assert told.line("configuration").startswith("ok ")


@pytest.mark.long
def test_a_bot_that_does_not_answer(place: Place) -> None:
    bot = place.bot
    try:
        bot.start()
        assert bot.process is not None
        os.kill(bot.process.pid, signal.SIGSTOP)
        told = place.doctor()
        assert told.status == 1
        assert f"process {bot.process.pid} holds {place.data} and does not answer" in told.line("bot")
        os.kill(bot.process.pid, signal.SIGCONT)
        bot.kill()
        assert "none runs on" in place.doctor().line("bot")
    finally:
        bot.kill()


@pytest.mark.long
def test_it_is_over_in_time_whatever_hangs(place: Place) -> None:
    """Slack, a git host and a bot that take a connection and never say a word, and a database that is locked."""
    place.data.mkdir(mode=0o700)
    with (
        socket.create_server(("127.0.0.1", 0), backlog=100) as silent,
        socket.socket(socket.AF_UNIX) as control,
        closing(sqlite3.connect(place.data / "shipmate.db")) as database,
    ):
        control.bind(str(place.data / "control.sock"))
        control.listen()
        database.execute("BEGIN EXCLUSIVE")
        port = silent.getsockname()[1]
        place.configure(**{f"s{i}": {"repo": f"ssh://git@127.0.0.1:{port}/{i}"} for i in range(40)})
        told = place.doctor(
            SLACK_BOT_TOKEN="xoxb-1", SLACK_APP_TOKEN="xapp-1", SLACK_API_URL=f"http://127.0.0.1:{port}/api/"
        )
    assert told.status == 1
    assert told.seconds < 20
    assert "the host does not answer in time" in told.line("repository of s0")
    assert "nothing that speaks Slack's protocol answers at http://127.0.0.1" in told.line("SLACK_BOT_TOKEN")
    assert all(f"  repository of s{i}: " in told.text for i in range(40))
