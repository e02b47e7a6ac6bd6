"""The demo as a person or a CI job has it: started, used by `say`, ended in every way there is, started again.

Its page in a browser is `test_browser.py`'s.
"""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.demo import STOP_SECONDS, Demo
from tests.support.process import ROOT, until
from tests.support.visitors import RATE, visitors

SLOW = 0.5  # seconds between two lines of a script, so that a deploy is caught in the middle


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    demo = Demo(data=tmp_path / "data")
    yield demo
    demo.end()


def nothing_left(demo: Demo) -> None:
    until(lambda: not demo.processes(), seconds=STOP_SECONDS, what=f"nothing left ({demo.processes()})")


def begun(demo: Demo) -> None:
    """v1.4 is on its way to staging: the script that installs it has just begun."""
    demo.pace = SLOW
    demo.start()
    assert demo.say("api v1.4 staging").status == 0
    until(lambda: any("install.sh" in line for line in demo.processes().values()), what="an install")


def settled(demo: Demo) -> str:
    """What the deploy's one message says in the end."""

    def found() -> bool:
        card = demo.message("api v1.4")
        return card is not None and "failed" in card["text"]

    until(found, what="the cut off deploy's end")
    card = demo.message("api v1.4")
    assert card is not None
    return str(card)


def test_the_first_minutes(demo: Demo) -> None:
    demo.start()
    status = demo.say("status")
    assert "api in staging: v1.3" in status.text
    assert "api in production: v1.3" in status.text
    code, version = demo.get("production")
    assert code == 200
    assert re.fullmatch(r"v1\.3 [0-9a-f]{40}", version)
    refused = demo.say("api v1.4 production", by="mia", wait=True)
    assert refused.status == 3
    assert "for @api (ana, raj)" in refused.text
    assert demo.version("production") == "v1.3"
    assert demo.stop() == 0
    assert "Traceback" not in demo.log
    nothing_left(demo)


@pytest.mark.long
async def test_no_visitor_notices_a_deploy_a_failed_one_and_a_rollback(demo: Demo) -> None:
    await asyncio.to_thread(demo.start)
    async with visitors(demo.ready["routers"]["staging"]) as visits:
        deployed = await asyncio.to_thread(demo.say, "/deploy api v1.4 staging", wait=True)
        assert (deployed.status, "✅ api v1.4 is live in staging" in deployed.text) == (0, True), deployed.text
        assert demo.version("staging") == "v1.4"
        failed = await asyncio.to_thread(demo.say, "api v1.5 staging", by="raj", wait=True)
        assert (failed.status, "❌ api v1.5 failed in staging" in failed.text) == (1, True), failed.text
        assert {demo.version("staging") for _ in range(9)} == {"v1.4"}
        back = await asyncio.to_thread(demo.say, "rollback api staging to v1.3", wait=True)
        assert back.status == 0, back.text
    assert visits.failed == []
    assert set(visits.answers) == {"v1.3", "v1.4"}
    assert visits.total >= 0.9 * RATE * visits.seconds
    assert visits.seconds > 6


@pytest.mark.long
async def test_no_visitor_notices_for_minutes(demo: Demo) -> None:
    """The same at the pace at which people see it, three times over."""
    demo.pace = SLOW
    await asyncio.to_thread(demo.start)
    async with visitors(demo.ready["routers"]["staging"]) as visits:
        for _ in range(3):
            assert (await asyncio.to_thread(demo.say, "api v1.4 staging", wait=True)).status == 0
            assert (await asyncio.to_thread(demo.say, "api v1.5 staging", wait=True)).status == 1
            back = await asyncio.to_thread(demo.say, "rollback api staging to v1.3", wait=True)
            assert back.status == 0, back.text
    assert visits.failed == []
    assert set(visits.answers) == {"v1.3", "v1.4"}
    assert visits.total >= 0.9 * RATE * visits.seconds


@pytest.mark.long
def test_it_goes_on_where_it_was_and_begins_anew_when_told(demo: Demo) -> None:
    demo.start()
    assert demo.say("api v1.4 staging", wait=True).status == 0
    routers = demo.ready["routers"]
    until(lambda: demo.message("api v1.4 is live in staging") is not None, what="the message")
    demo.stop()

    demo.start()
    assert demo.ready["routers"] == routers
    assert (demo.version("staging"), demo.version("production")) == ("v1.4", "v1.3")
    card = demo.message("api v1.4 is live in staging")
    assert card is not None
    demo.click(card, "Roll back to v1.3")
    until(lambda: demo.message("api v1.3 is live in staging") is not None, what="the rollback by the old button")
    assert demo.version("staging") == "v1.3"
    demo.stop()

    demo.start("--reset")
    assert demo.messages() == []
    assert "api in staging: v1.3" in demo.say("status").text
    assert "v1.4" not in demo.say("status").text


@pytest.mark.parametrize("how", [signal.SIGTERM, pytest.param(signal.SIGKILL, marks=pytest.mark.long)])
def test_a_deploy_that_was_cut_off_is_shown_as_it_ended(demo: Demo, how: signal.Signals) -> None:
    """Its hosts went with the demo, so the script that ran meanwhile found nobody, and said so."""
    begun(demo)
    demo.signal(how)
    assert demo.ended() == (0 if how is signal.SIGTERM else -how)
    nothing_left(demo)

    demo.start()
    card = settled(demo)
    assert "install on" in card
    assert card.count("runs v1.3") == 2
    assert "Roll back to v1.3" in card
    assert "Retry" in card
    assert demo.version("staging") == "v1.3"
    until(lambda: any("Connection refused" in str(message) for message in demo.messages()), what="the last lines")


def test_a_killed_demo_leaves_no_release_behind(demo: Demo) -> None:
    demo.start()
    assert len(demo.apps()) == 5
    demo.crash()
    nothing_left(demo)
    demo.start()
    assert demo.version("production") == "v1.3"


def test_ctrl_c_asks_once_more_while_a_deploy_runs(demo: Demo) -> None:
    begun(demo)
    demo.signal(signal.SIGINT)
    until(lambda: "Ctrl-C again" in demo.log, what="the question")
    assert "api v1.4 → staging" in demo.log
    assert demo.version("production") == "v1.3"
    demo.signal(signal.SIGINT)
    assert demo.ended() == 0
    nothing_left(demo)


def test_a_second_demo_on_the_same_folder_is_told_so(demo: Demo) -> None:
    demo.start()
    second = subprocess.run(
        [sys.executable, "-m", "bot", "demo", "--headless", "--port", "0", "--data", str(demo.data)],
        cwd=ROOT,
        env=demo.environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (second.returncode, second.stdout) == (1, "")
    assert re.search(r"A bot is running on .+ already: process \d+\. Stop it first", second.stderr)
    assert "Traceback" not in second.stderr
    assert demo.version("staging") == "v1.3"


def test_a_page_whose_port_is_taken_is_told_so(demo: Demo) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        demo.port = taken.getsockname()[1]
        demo.launch()
        assert demo.ended() == 1
    assert f"{demo.port}" in demo.log
    assert "--port" in demo.log
    assert "Traceback" not in demo.log
    nothing_left(demo)


def test_make_demo_prints_the_page_and_three_lines_to_type(demo: Demo) -> None:
    """`-o`: whoever runs this test has the environment already."""
    argv = ["make", "-o", ".venv/.run", "demo", f"ARGS=--port 0 --data {demo.data}"]
    demo.launch_by(argv)
    until(lambda: "Ctrl-C ends" in demo.out.read_text(), what=f"the welcome {demo.log}")
    text = demo.out.read_text()
    page = re.search(r"http://127\.0\.0\.1:\d+/", text)
    assert page
    assert len(re.findall(r"^ +/deploy [a-z]+", text, re.MULTILINE)) == 3
    with urllib.request.urlopen(page.group(), timeout=10) as answer:
        assert "not Slack" in answer.read().decode()
    assert demo.process is not None
    os.killpg(demo.process.pid, signal.SIGINT)
    demo.ended()
    nothing_left(demo)
