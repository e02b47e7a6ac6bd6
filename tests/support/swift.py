"""The bot whose time passes faster: `python -m tests.support.swift FILE run --data DIR`; FILE says how many times.

The product knows nothing of this: what its event loop waits for, and what it measures by the monotonic clock, passes so
many times as fast as time does. The time of day is as it is, and so is whatever waits outside of the loop."""

import runpy
import selectors
import sys
import threading
import time
from pathlib import Path
from typing import Any

LOOKS = 0.05
LONGEST = 0.1  # real seconds for which the loop may not notice that time passes faster

really = time.monotonic


class Clock:
    """Goes on from where it was whenever its pace changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = (really(), really(), 1.0)  # real time, ours then, and the pace since

    def __call__(self) -> float:
        began, then, pace = self._at
        return then + (really() - began) * pace

    @property
    def pace(self) -> float:
        return self._at[2]

    def follow(self) -> None:
        while True:
            pace = float(self._path.read_text() or self.pace)
            if pace != self.pace:
                self._at = (really(), self(), pace)
            time.sleep(LOOKS)


class Selector(selectors.DefaultSelector):
    clock: Clock

    def select(self, timeout: float | None = None) -> Any:
        return super().select(LONGEST if timeout is None else min(timeout / self.clock.pace, LONGEST))


if __name__ == "__main__":
    clock = Selector.clock = Clock(Path(sys.argv.pop(1)))
    threading.Thread(target=clock.follow, daemon=True).start()
    time.monotonic = clock  # before any part of the bot is loaded
    selectors.DefaultSelector = Selector  # type: ignore[misc]
    runpy.run_module("bot", run_name="__main__")
