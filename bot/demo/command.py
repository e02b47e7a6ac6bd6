"""`demo`: the main job on a sample service, with real hosts, a real router, and a local workspace in the browser.

The bot inside is the ordinary one; it reaches the workspace by the standard variables, as it would reach Slack.
"""

import asyncio
import contextlib
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bot.app import AlreadyRunningError, App
from bot.demo.unit import NotReadyError
from bot.demo.world import DemoWorld, World
from bot.logs import log_to_stderr
from bot.settings import Settings, SlackSettings
from bot.workspace import Workspace, default_seed
from pipelines.catalog import ConfigErrors
from pipelines.storage.errors import StorageError

PORT = 8787
DATA = Path(".demo")

WELCOME = """
  Shipmate's demo is ready:  {page}

  Open it, then type in #deploys:

    /deploy api v1.4 staging        watch it stream, then click Roll back
    /deploy api v1.5 staging        comes up, answers, and fails its smoke test
    /deploy status

  staging answers on {staging}, production on {production}.
  The same from a terminal:  .venv/bin/shipmate say "api v1.4 staging" --as ana --wait --data {data}

  Ctrl-C ends all of it; the next start goes on where it was. Begin anew with: make demo ARGS=--reset
"""
BUSY = (
    "A deploy is running: {what}. The demo stays open; Ctrl-C again ends it all the same. The script that runs now "
    "then ends by itself, most likely in a failure because its hosts are gone; the next start shows how it went."
)


@dataclass(frozen=True, kw_only=True)
class DemoSettings:
    """`port` is the page's, 0 for any free one. `headless` prints one line of JSON instead of the welcome."""

    data: Path = DATA
    port: int = PORT
    headless: bool = False
    reset: bool = False
    pace: float | None = None


def demo(wishes: DemoSettings) -> int:
    """The exit status: 0 told to end, 1 could not start."""
    log_to_stderr()
    if shutil.which("git") is None:
        print("The demo needs git, and there is none on the PATH. Install it, then start again.", file=sys.stderr)
        return 1
    try:
        return asyncio.run(_demo(wishes))
    except (
        OSError,
        AlreadyRunningError,
        StorageError,
        NotReadyError,
        ConfigErrors,
        subprocess.SubprocessError,
    ) as error:
        print(f"The demo did not start. {error}", file=sys.stderr)
        return 1


class Told:
    """Signals as they come. SIGTERM ends at once; Ctrl-C asks for a second one while a deploy runs."""

    def __init__(self) -> None:
        self.ended = False
        self.changed = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._end)
        loop.add_signal_handler(signal.SIGINT, self.changed.set)

    def _end(self) -> None:
        self.ended = True
        self.changed.set()


async def _demo(wishes: DemoSettings) -> int:
    told = Told()
    data = wishes.data.absolute()
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with contextlib.AsyncExitStack() as ends:
        world = DemoWorld(data) if wishes.pace is None else DemoWorld(data, wishes.pace)
        app = App(_bot_settings(data))
        ends.push_async_callback(app.stop)
        app.hold()
        if wishes.reset:  # only now: nobody else runs on this folder
            _forget(data, world)
        there = await world.start()
        ends.push_async_callback(world.stop)
        workspace = Workspace(default_seed(), data / "workspace")
        await _open(workspace, wishes.port)
        ends.push_async_callback(workspace.stop)
        app.settings = _bot_settings(data, there, workspace)
        ends.push_async_callback(app.rest)  # the bot ends before what it talks to
        await app.start()
        _say_ready(wishes, there, workspace)
        await _until_told(told, app)
    return 0


class PortTakenError(OSError):
    """Something else listens on the page's port. The message says what to do."""


async def _open(workspace: Workspace, port: int) -> None:
    try:
        await workspace.start(port=port)
    except OSError as error:
        await workspace.stop()
        if error.errno != errno.EADDRINUSE:
            raise
        raise PortTakenError(
            f"Port {port} is taken. End what listens there (another demo?), or let this one take any free port: "
            "make demo ARGS='--port 0'"
        ) from error


def _bot_settings(data: Path, there: World | None = None, workspace: Workspace | None = None) -> Settings:
    slack = None
    if workspace is not None:
        seed = workspace.seed.app
        slack = SlackSettings(bot_token=seed.bot_token, app_token=seed.app_token, api_url=workspace.api_url)
    return Settings(config=there.config if there else data / "shipmate.yml", data=data, port=0, slack=slack)


def _forget(data: Path, world: DemoWorld) -> None:
    """Begin anew: only what the demo itself made is removed."""
    world.reset()
    for name in ("workspace", "git", "runs"):
        shutil.rmtree(data / name, ignore_errors=True)
    for path in (*data.glob("shipmate.db*"), data / "shipmate.latest"):
        path.unlink(missing_ok=True)


def _say_ready(wishes: DemoSettings, there: World, workspace: Workspace) -> None:
    if wishes.headless:
        ready = {"page": workspace.page_url, "slack_api": workspace.api_url, "routers": there.routers}
        print(json.dumps(ready), flush=True)
        return
    data = os.path.relpath(wishes.data)
    print(WELCOME.format(page=workspace.page_url, data=data, **there.routers), flush=True)


async def _until_told(told: Told, app: App) -> None:
    """Until SIGTERM, or a Ctrl-C; where deploys run that nobody was asked about yet, until the Ctrl-C after that."""
    asked: set[str] = set()
    while True:
        await told.changed.wait()
        told.changed.clear()
        running = {deploy.id: deploy.plan for deploy in await app.shipmate.running()}
        if told.ended or running.keys() <= asked:
            return
        asked |= running.keys()
        what = ", ".join(f"{plan.service} {plan.version} → {plan.environment}" for plan in running.values())
        print("\n" + BUSY.format(what=what), file=sys.stderr)
