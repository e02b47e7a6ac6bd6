"""What streams: a line is in the thread while its script still runs; a Slack that is away hurts no deploy."""

import re
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.process import until
from tests.support.scene import Scene, on_stage, read


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with on_stage(tmp_path) as scene:
        yield scene


def gaps(scene: Scene) -> list[float]:
    """The seconds between two edits of one message."""
    edits: dict[str, list[float]] = {}
    for call in scene.slack.workspace.calls:
        if call.method == "chat.update" and call.answer["ok"]:
            edits.setdefault(str(call.args["ts"]), []).append(call.at)
    return [b - a for times in edits.values() for a, b in pairwise(times)]


@pytest.mark.long
def test_a_line_is_in_the_thread_while_its_script_still_sleeps(scene: Scene) -> None:
    printed = scene.service.folder / "printed"
    body = f'sleep 5; date +%s.%N > "{printed}"; echo "a line that was just printed"; sleep 20; echo done'
    scene.service.commit(
        {"deploy.yml": "deploy: deploy/slow.sh\n", "deploy/slow.sh": f"#!/bin/bash\n{body}\n"}, tag="v6.0"
    )
    scene.types("ana", "/deploy api v6.0 staging")
    until(lambda: printed.exists() and bool(printed.read_text()), what="the line")
    until(lambda: bool(scene.cards()) and "just printed" in scene.thread(), seconds=10, what="the line in the thread")
    assert time.time() - float(printed.read_text()) < 3.5
    assert "▸ install on stg-1" in scene.card()
    scene.shows("✅ api v6.0 is live in staging", seconds=90)
    assert min(gaps(scene)) >= 3.0
    calls = [call for call in scene.slack.workspace.calls if call.answer.get("error") == "ratelimited"]
    assert calls == []


@pytest.mark.long
def test_a_slack_that_is_away_hurts_no_deploy(scene: Scene) -> None:
    scene.types("ana", "/deploy api v4.0 staging")
    scene.shows("▸ install on stg-1")
    port = int(scene.slack.workspace.page_url.rsplit(":", 1)[1].strip("/"))
    scene.slack.do(scene.slack.workspace.stop())
    scene.go()
    until(lambda: set(scene.runs().values()) == {"v4.0"}, what="the deploy to go on")
    until(lambda: "on its way" not in scene.bot.say("status").text, what="its end")
    scene.slack.do(scene.slack.workspace.start(port=port))
    scene.shows("✅ api v4.0 is live in staging", seconds=60)
    thread = scene.in_thread("<@U0ANA> api v4.0 went live in staging", seconds=60)
    assert len(re.findall("went live in staging", thread)) == 1
    scene.connected()
    scene.clicks("ana", "Roll back")
    scene.shows("✅ api v1.0 is live in staging")
    assert len([m for m in scene.cards() if "v4.0" in read(m)]) >= 1


def test_buttons_work_after_a_restart_of_the_bot(scene: Scene) -> None:
    scene.deploys("v1.1")
    scene.bot.kill()
    scene.bot.start()
    scene.connected()
    scene.clicks("ana", "Roll back to v1.0")
    scene.shows("✅ api v1.0 is live in staging", "rolled back from v1.1")
