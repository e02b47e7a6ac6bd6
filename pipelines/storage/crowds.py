"""Writing together what comes in crowds: all that came while the one before was written is one transaction, so a disk
that is slow to say that it has it makes nobody wait for more than two."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from sqlmodel import Session

from pipelines.storage.errors import DatabaseAwayError

T = TypeVar("T")
Work = Callable[[Session, set[str]], Any]

TOGETHER = 16
LONGEST_REST = 0.5  # seconds: a write that waited for a database that was away took long, and was no work


class Crowd:
    """`write` carries one transaction out. After each there is a rest, `rest` times as long as it took, and no longer
    than `LONGEST_REST`."""

    def __init__(self, write: Callable[[Work], Awaitable[Any]], *, rest: float = 0.0) -> None:
        self._write = write
        self._rest = rest
        self._waiting: list[tuple[Work, asyncio.Future[Any]]] = []
        self._emptying: asyncio.Task[None] | None = None

    async def join(self, work: Callable[[Session, set[str]], T]) -> T:
        """What `work` gives, once it is committed; raises what it raises, and nothing that another of them does."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, done))
        if self._emptying is None or self._emptying.done():
            self._emptying = asyncio.create_task(self._empty())
        return await done

    def close(self) -> None:
        if self._emptying is not None:
            self._emptying.cancel()

    async def _empty(self) -> None:
        clock = asyncio.get_running_loop().time
        while self._waiting:
            began, together = clock(), self._waiting[:TOGETHER]
            del self._waiting[:TOGETHER]
            await self._together([one for one in together if not one[1].done()])  # whoever is gone asks no more
            await asyncio.sleep(min(self._rest * (clock() - began), LONGEST_REST))

    async def _together(self, crowd: list[tuple[Work, asyncio.Future[Any]]]) -> None:
        if not crowd:
            return
        try:
            values = await self._write(lambda session, topics: [work(session, topics) for work, _ in crowd])
        except DatabaseAwayError as error:
            for _, done in crowd:
                _fail(done, error)
        except Exception as error:
            if len(crowd) == 1:
                _fail(crowd[0][1], error)
            else:  # each by itself, so that none fails for another
                for one in crowd:
                    await self._together([one])
        else:
            for (_, done), value in zip(crowd, values, strict=True):
                if not done.done():
                    done.set_result(value)


def _fail(done: asyncio.Future[Any], error: Exception) -> None:
    if not done.done():
        done.set_exception(error)
