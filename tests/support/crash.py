"""The bot, dying by kill -9 at a named point: `python -m tests.support.crash FILE run --data DIR`.

The product knows nothing of this: functions of it are wrapped here, in the process under test. FILE says where it dies:
`POINT:N`, the N-th time from then on that it comes by there. While there is no such file nothing happens."""

import functools
import inspect
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.__main__ import main
from handlers.slack.sending import Sender
from pipelines.deciding import Decider
from pipelines.execution import rundir
from pipelines.execution.agent import Agent
from pipelines.execution.engine import DurableEngine
from pipelines.execution.follower import Follower
from pipelines.execution.records import Records
from pipelines.execution.turns import Turns
from pipelines.shipmate import Shipmate
from pipelines.storage import asks, steps

POINTS: dict[str, tuple[Any, str]] = {
    "inserted": (asks, "insert"),  # in the transaction
    "asked": (Shipmate, "ask"),
    "decided": (asks, "decided"),  # in the transaction
    "deciding": (Decider, "decide"),
    "enqueued": (DurableEngine, "enqueue"),  # in the transaction
    "turn": (Turns, "turn"),  # in the transaction
    "claim": (steps, "claim"),  # in the transaction
    "carried-out": (Agent, "_carry_out"),
    "prepared": (rundir, "prepare"),
    "begun": (Records, "begun"),
    "spawned": (rundir, "spawn"),  # after it the supervisor is there, and `started` perhaps not
    "output": (Follower, "_record"),
    "exit": (rundir, "read_exit"),
    "ended": (Records, "ended"),
    "stop": (rundir, "request_stop"),
    "posting-claimed": (Shipmate, "claim_posting"),
    "posted": (AsyncWebClient, "chat_postMessage"),
    "posting-kept": (Shipmate, "posted"),
    "edited": (AsyncWebClient, "chat_update"),
    "log-attached": (Sender, "attach"),
    "painted": (Shipmate, "painted"),
}
WHEN = ("before", "after")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Armed:
    """Counts how often the process came by the point that the file names."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._said = ""
        self._calls = 0

    def here(self, point: str) -> None:
        """Die if this is the place, and the time."""
        try:
            said = self._file.read_text()
        except FileNotFoundError:
            return
        if said != self._said:
            self._said, self._calls = said, 0
        name, _, number = said.partition(":")
        if name == point:
            self._calls += 1
            if self._calls >= int(number or 1):
                die()

    def arm(self, point: str) -> None:
        owner, name = POINTS[point]
        original: Callable[..., Any] = getattr(owner, name)

        @functools.wraps(original)
        async def slow(*args: Any, **more: Any) -> Any:
            self.here(f"{point}-before")
            answer = await original(*args, **more)
            self.here(f"{point}-after")
            return answer

        @functools.wraps(original)
        def quick(*args: Any, **more: Any) -> Any:
            self.here(f"{point}-before")
            answer = original(*args, **more)
            self.here(f"{point}-after")
            return answer

        setattr(owner, name, slow if inspect.iscoroutinefunction(original) else quick)


if __name__ == "__main__":
    armed = Armed(Path(sys.argv[1]))
    for name in POINTS:
        armed.arm(name)
    sys.exit(main(sys.argv[2:]))
