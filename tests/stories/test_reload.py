"""The configuration changes while the bot runs: what holds from when on, what a broken file says, and that a running
deploy does not notice."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.process import until
from tests.support.scene import Scene, on_stage


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with on_stage(tmp_path_factory.mktemp("scene"), rates=False) as scene:
        yield scene


@pytest.fixture
def config(scene: Scene) -> Iterator[dict[str, Any]]:
    """What is configured; as it was before, afterwards."""
    before = scene.service.config.read_text()
    yield json.loads(before)
    change(scene, before)
    until(lambda: as_before(status(scene)), what=lambda: f"the old configuration in {status(scene)}")


def as_before(text: str) -> bool:
    left = ("any more", "cannot be used", "shop", "web")
    return "api in staging" in text and "api in production" in text and not any(word in text for word in left)


def change(scene: Scene, text: str) -> None:
    new = scene.service.config.with_suffix(".new")
    new.write_text(text)
    new.replace(scene.service.config)


def status(scene: Scene) -> str:
    return scene.bot.say("status").text


def test_a_new_service_is_there_without_a_restart(scene: Scene, config: dict[str, Any]) -> None:
    config["services"]["shop"] = config["services"]["api"]
    change(scene, json.dumps(config))
    until(lambda: "shop in staging" in status(scene), what="the new service")
    assert scene.bot.log().count("was read again and holds from now on") == 1


def test_sighup_reads_it_at_once_and_ends_nothing(scene: Scene, config: dict[str, Any]) -> None:
    config["services"]["web"] = config["services"]["api"]
    change(scene, json.dumps(config))
    assert scene.bot.process is not None
    os.kill(scene.bot.process.pid, signal.SIGHUP)
    until(lambda: "web in staging" in status(scene), what="the new service")


def test_a_broken_file_changes_nothing_and_status_says_so(scene: Scene, config: dict[str, Any]) -> None:
    change(scene, "servces: {}\nenvironments: {staging: {protectd: true}}\n")
    until(lambda: "cannot be used" in status(scene), what="the note")
    assert status(scene).splitlines()[-1] == (
        "  (The configuration file cannot be used, so the one read before it holds. It has 2 problems, the first: "
        "shipmate.yml:1: `servces` is not a key of the configuration. Did you mean `services`?)"
    )
    scene.types("ana", "/deploy status")
    told = scene.whispered("ana", "The configuration file cannot be used", "shipmate.yml:1: `servces` is not a key")
    assert told["blocks"][-1]["type"] == "context"
    for problem in ("shipmate.yml:1: `servces`", "shipmate.yml:2: `protectd`"):
        assert scene.bot.log().count(problem) == 1
    scene.deploys("v1.1")
    change(scene, json.dumps(config))
    until(lambda: "cannot be used" not in status(scene), what="the end of the note")


@pytest.mark.long
def test_a_service_that_left_while_it_is_deployed(scene: Scene, config: dict[str, Any]) -> None:
    scene.deploys("v1.2")
    scene.hold()
    scene.types("ana", "/deploy api v4.0 staging")
    scene.shows("🚀 Deploying api v4.0")
    scene.in_thread("installing v4.0 on stg-1")
    del config["services"]["api"]
    config["services"]["shop"] = {"repo": str(Path("/nowhere"))}
    config["environments"] = {"edge": {}}
    change(scene, json.dumps(config))
    gone = "api in staging: mixed · v4.0 is on its way, by ana, for "
    until(
        lambda: gone in status(scene) and "not in the configuration any more" in status(scene),
        what=lambda: f"its line in {status(scene)}",
    )
    assert "api in production" not in status(scene)
    assert scene.bot.say("status api").status == 0
    assert "There is no service 'api'" in scene.bot.say("api v1.2 staging").text
    assert "There is no service 'api'" in scene.bot.say("retry api staging").text
    scene.shows("[Abort] [Roll back to v1.2]")
    scene.clicks("raj", "Roll back to v1.2")
    scene.shows("✅ api v1.2 is live in staging", "rolled back from v4.0")
    assert scene.runs() == {"stg-1": "v1.2", "stg-2": "v1.2"}
    assert "There is no service 'api'" in scene.bot.say("status api").text
    scene.in_thread("<@U0RAJ> api v1.2 went live in staging")


def test_a_service_that_left_is_aborted_in_a_terminal(scene: Scene, config: dict[str, Any]) -> None:
    scene.hold()
    scene.types("ana", "/deploy api v4.0 staging")
    scene.shows("🚀 Deploying api v4.0")
    del config["services"]["api"]
    change(scene, json.dumps(config))
    until(lambda: "not in the configuration any more" in status(scene), what="its line")
    said = scene.bot.say("abort api staging", by="raj", wait=True)
    assert (said.status, "aborted in staging by @raj" in said.text) == (0, True), said.text
    scene.shows("⏹ api v4.0 aborted in staging by @raj")
