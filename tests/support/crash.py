"""The bot, dying by kill -9 at a named point: `python -m tests.support.crash POINT:N run --data DIR`.

The product knows nothing of this: a function of it is wrapped here, in the process under test, and the N-th call of it
ends the process before or after its work."""

import functools
import inspect
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.__main__ import main
from pipelines.deciding import Decider
from pipelines.execution import rundir
from pipelines.execution.agent import Agent
from pipelines.execution.follower import Follower
from pipelines.shipmate import Shipmate
from pipelines.storage import asks, steps

POINTS: dict[str, tuple[Any, str, str]] = {
    "asked-before": (asks, "insert", "before"),
    "asked-after": (Shipmate, "ask", "after"),
    "decided-before": (asks, "decided", "before"),
    "decided-after": (Decider, "decide", "after"),
    "claim-before": (steps, "claim", "before"),
    "claim-after": (Agent, "_carry_out", "before"),
    "spawn-before": (rundir, "spawn", "before"),
    "spawn-after": (rundir, "spawn", "after"),
    "exit-before": (Follower, "_record", "after"),
    "exit-after": (rundir, "read_exit", "before"),
    "post-before": (AsyncWebClient, "chat_postMessage", "before"),
    "post-after": (AsyncWebClient, "chat_postMessage", "after"),
}


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(point: str, number: int) -> None:
    """Make the `number`-th call at the point the process's last."""
    owner, name, when = POINTS[point]
    original: Callable[..., Any] = getattr(owner, name)
    calls = 0

    def count() -> bool:
        nonlocal calls
        calls += 1
        return calls == number

    @functools.wraps(original)
    async def slow(*args: Any, **more: Any) -> Any:
        last = count()
        if last and when == "before":
            die()
        answer = await original(*args, **more)
        if last:
            die()
        return answer

    @functools.wraps(original)
    def quick(*args: Any, **more: Any) -> Any:
        last = count()
        if last and when == "before":
            die()
        answer = original(*args, **more)
        if last:
            die()
        return answer

    setattr(owner, name, slow if inspect.iscoroutinefunction(original) else quick)


if __name__ == "__main__":
    point, _, number = sys.argv[1].partition(":")
    arm(point, int(number or 1))
    sys.exit(main(sys.argv[2:]))
