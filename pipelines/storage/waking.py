"""Waking those who wait for what a commit changed, in this process."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterator


class Waker:
    """Tells those who wait on a topic that it changed. They also wake by themselves: a missed call costs only time."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)

    @contextlib.contextmanager
    def listening(self, *topics: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever one of the topics is told; the listener clears it before it looks."""
        told = asyncio.Event()
        for topic in topics:
            self._waiting[topic].add(told)
        try:
            yield told
        finally:
            for topic in topics:
                self._waiting[topic].discard(told)
                if not self._waiting[topic]:
                    del self._waiting[topic]

    def tell(self, topics: set[str]) -> None:
        for topic in topics:
            for told in self._waiting.get(topic, ()):
                told.set()

    def tell_all(self) -> None:
        """Anything may have changed."""
        self.tell(set(self._waiting))


async def heard(told: asyncio.Event, seconds: float) -> None:
    """Wait until told, or until the time is over."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await told.wait()
