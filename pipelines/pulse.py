"""When loops last turned, for whoever asks whether they still do."""

import time


class Pulse:
    def __init__(self) -> None:
        self._turned: dict[str, float] = {}

    def beat(self, name: str) -> None:
        """This loop turned."""
        self._turned[name] = time.monotonic()

    def end(self, name: str) -> None:
        """This loop has ended, as it should."""
        self._turned.pop(name, None)

    def longest(self) -> float:
        """Seconds since the loop that turned least lately did; 0 where there is none."""
        now = time.monotonic()
        return now - min(self._turned.values(), default=now)
