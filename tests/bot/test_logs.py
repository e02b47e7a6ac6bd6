"""The log: one line an event, for people or for machines, with ids and outcomes and nothing that was typed."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.logs import Json, Text, hidden
from bot.settings import SettingsError, read_settings
from tests.support.process import Bot
from tests.support.service import six_steps


def record(message: str = "it works", **more: object) -> logging.LogRecord:
    made = logging.LogRecord("bot.run", logging.INFO, "x.py", 1, message, (), None)
    made.__dict__.update(more)
    return made


def test_a_line_for_machines_is_one_json_object() -> None:
    line = Json().format(record("two\nlines"))
    assert "\n" not in line
    assert json.loads(line).items() >= {"level": "info", "logger": "bot.run", "message": "two\nlines"}.items()
    noted = json.loads(Json().format(record("planned", facts={"deploy": "d1", "then": None})))
    assert noted["event"] == "planned" and noted["deploy"] == "d1" and "then" not in noted and "message" not in noted


def test_a_line_for_people_is_words_and_facts() -> None:
    line = Text().format(record("refused", facts={"ask": "a1", "gates": ["room_busy", "not_allowed"]}))
    assert line.endswith("INFO    bot.run: refused ask=a1 gates=room_busy,not_allowed")


def test_a_fault_is_one_line_for_machines_and_has_its_trace() -> None:
    try:
        raise ValueError("broken")
    except ValueError as error:
        fault = record("a part broke", exc_info=(ValueError, error, error.__traceback__))
    line = Json().format(fault)
    assert "\n" not in line and "ValueError: broken" in json.loads(line)["trace"]
    assert Text().format(fault).splitlines()[-1] == "ValueError: broken"


@pytest.mark.parametrize(
    "secret",
    ["xoxb-12-34-abc", "xapp-1-A-2-b", "https://hooks.slack.com/commands/T1/2/3", "https://ana:s3cret@example.test/x"],
)
def test_what_looks_like_a_token_is_taken_out_and_the_line_stays_json(secret: str) -> None:
    line = Json().format(record(f"called with {secret}"))
    assert secret not in line and "[redacted]" in json.loads(line)["message"]
    assert (
        hidden("user@example.test wrote https://example.test/a@b") == "user@example.test wrote https://example.test/a@b"
    )


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT is 'xml'; it must be one of json, text."),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL is 'LOUD'; it must be one of DEBUG, INFO, WARNING, ERROR."),
        ({"OPS_PORT": "many"}, "OPS_PORT is 'many'; it must be a number from 0 to 65535, such as 3000."),
    ],
)
def test_a_setting_that_cannot_be_used_is_told(env: dict[str, str], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        read_settings(env)


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[Bot]:
    running = Bot(data=tmp_path / "data", config=tmp_path / "shipmate.yml")
    yield running
    running.kill()


def test_every_event_of_a_deploy_is_a_line_with_ids_and_without_what_was_typed(tmp_path: Path, bot: Bot) -> None:
    six_steps(tmp_path, pause=0.01)
    bot.start()
    assert bot.say("api v1.1 staging because canary-5309", wait=True).status == 0
    assert bot.say("canary-5309 v1.1 staging").status == 2
    assert bot.say("api canary-5309 here").status == 2
    assert bot.say("api canary-5309").status == 2
    assert bot.stop() == 0
    assert "canary" not in bot.log() and "line 1" not in bot.log()
    lines = [json.loads(line) for line in bot.log().splitlines()]
    assert all({"at", "level", "logger"} <= set(line) and ("event" in line) != ("message" in line) for line in lines)
    events = [line for line in lines if "event" in line]
    kinds = [line["event"] for line in events]
    assert kinds[:3] == ["asked", "planned", "decided"]
    assert kinds.count("step_started") == kinds.count("step_ended") == 6
    planned = events[1]
    assert planned.items() >= {"room": "api/staging", "by": "ana", "purpose": "deploy", "ask": events[0]["ask"]}.items()
    closed = events[kinds.index("closed")]
    assert (closed["deploy"], closed["outcome"]) == (planned["deploy"], "live")
    assert [line["gates"] for line in events if line["event"] == "refused"] == [
        ["unknown_service"],
        ["unknown_environment"],
    ]
    assert "misread" in kinds
