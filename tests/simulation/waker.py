"""The database's waker, in an order that does not depend on where Python puts things: the same seed, the same trace."""

import asyncio
import contextlib
from collections.abc import Iterator

from pipelines.storage.database import Waker


class SteadyWaker(Waker):
    def __init__(self) -> None:
        super().__init__()
        self._told: dict[str, dict[int, asyncio.Event]] = {}
        self._number = 0

    @contextlib.contextmanager
    def listening(self, *topics: str) -> Iterator[asyncio.Event]:
        told = asyncio.Event()
        self._number += 1
        mine = self._number
        for topic in topics:
            self._told.setdefault(topic, {})[mine] = told
        try:
            yield told
        finally:
            for topic in topics:
                self._told[topic].pop(mine, None)

    def tell(self, topics: set[str]) -> None:
        for topic in sorted(topics):
            for told in list(self._told.get(topic, {}).values()):
                told.set()
