"""A local workspace in a thread of its own, for tests that block while they wait for a bot."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from bot.workspace import Seed, Workspace, default_seed

T = TypeVar("T")


class Threaded:
    """`with Threaded() as slack`: the workspace is `slack.workspace`; what must run in its loop goes through `do`."""

    def __init__(self, seed: Seed | None = None, data: Path | None = None) -> None:
        self.workspace = Workspace(seed or default_seed(), data)
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self) -> "Threaded":
        self._thread.start()
        self.do(self.workspace.start())
        return self

    def __exit__(self, *_: object) -> None:
        self.do(self.workspace.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()

    def do(self, work: Coroutine[Any, Any, T], seconds: float = 45.0) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(seconds)

    def call(self, work: Callable[[], object]) -> None:
        """Do it in the workspace's loop."""
        self.loop.call_soon_threadsafe(work)

    def types(self, person: str, command: str, text: str = "", channel: str = "#deploys") -> None:
        self.do(self.workspace.person(person).command(channel, command, text))

    @property
    def env(self) -> dict[str, str]:
        """What a bot needs to find it."""
        app = self.workspace.seed.app
        return {
            "SLACK_BOT_TOKEN": app.bot_token,
            "SLACK_APP_TOKEN": app.app_token,
            "SLACK_API_URL": self.workspace.api_url,
        }
