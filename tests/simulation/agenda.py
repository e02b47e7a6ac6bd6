"""Simulated time: what is going to happen, in order, and nothing happens but that."""

import heapq
import itertools
from collections.abc import Callable

Action = Callable[[], object]


class Agenda:
    """`now` in seconds. What is for the same moment happens in the order in which it was entered."""

    def __init__(self) -> None:
        self.now = 0.0
        self._entries: list[tuple[float, int, Action]] = []
        self._numbers = itertools.count()

    def at(self, when: float, action: Action) -> None:
        heapq.heappush(self._entries, (max(when, self.now), next(self._numbers), action))

    def after(self, seconds: float, action: Action) -> None:
        self.at(self.now + seconds, action)

    def step(self) -> bool:
        """Let the next thing happen; False when nothing is left."""
        if not self._entries:
            return False
        self.now, _, action = heapq.heappop(self._entries)
        action()
        return True
