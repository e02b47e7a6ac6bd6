"""The bot with a clock inside: `python -m tests.support.lag FILE run --data DIR` writes down, every few milliseconds,
by how much its event loop was late, in seconds.

The product knows nothing of this: the sampler runs as one more task of its loop."""

import asyncio
import sys
import time
from pathlib import Path

from bot import run
from bot.__main__ import main

EVERY = 0.005
AT_ONCE = 100

_tasks: set[asyncio.Task[None]] = set()


async def sample(path: Path) -> None:
    while True:
        lags: list[str] = []
        for _ in range(AT_ONCE):
            began = time.perf_counter()
            await asyncio.sleep(EVERY)
            lags.append(f"{time.perf_counter() - began - EVERY:.4f}\n")
        with path.open("a") as file:
            file.writelines(lags)


def arm(path: Path) -> None:
    original = run.told_to_end

    async def with_clock() -> asyncio.Event:
        _tasks.add(asyncio.create_task(sample(path)))
        return await original()

    run.told_to_end = with_clock


if __name__ == "__main__":
    arm(Path(sys.argv[1]))
    sys.exit(main(sys.argv[2:]))
