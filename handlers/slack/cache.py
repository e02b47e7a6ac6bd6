"""Answers of Slack that hold for a minute."""

import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")

SECONDS = 60.0
ENTRIES = 5_000


class Cache(Generic[T]):
    """What `ask` answers for a key, asked again after a minute. What it raises is raised, and not kept."""

    def __init__(self, ask: Callable[[str], Awaitable[T]], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._kept: dict[str, tuple[float, T]] = {}

    async def get(self, key: str) -> T:
        kept = self._kept.get(key)
        if kept is not None and kept[0] > self._clock():
            return kept[1]
        answer = await self._ask(key)
        if len(self._kept) >= ENTRIES:
            self._kept.clear()
        self._kept[key] = (self._clock() + SECONDS, answer)
        return answer

    def forget(self, key: str) -> None:
        self._kept.pop(key, None)
