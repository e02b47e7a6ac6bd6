"""Visitors of a service: so many requests a second, each sent in its own time whether the one before was answered."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

RATE = 50
PAGES = ("/", "/tea", "/cart", "/help")


@dataclass
class Visits:
    """`answers` counts good answers by version; `failed` says what went wrong otherwise."""

    answers: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def total(self) -> int:
        return self.answers.total() + len(self.failed)


@asynccontextmanager
async def visitors(url: str, rate: int = RATE) -> AsyncIterator[Visits]:
    """Visits while the block runs, and until the last one is answered."""
    visits = Visits()
    over = asyncio.Event()
    visiting = asyncio.create_task(_visit(url, rate, visits, over))
    try:
        yield visits
    finally:
        over.set()
        await visiting


async def _visit(url: str, rate: int, visits: Visits, over: asyncio.Event) -> None:
    began = time.monotonic()
    number = 0
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as group:
        while not over.is_set():
            group.create_task(_one(session, url + PAGES[number % len(PAGES)], visits))
            number += 1
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
    visits.seconds = time.monotonic() - began


async def _one(session: aiohttp.ClientSession, url: str, visits: Visits) -> None:
    try:
        async with session.get(url) as response:
            await response.read()
            if response.status == 200:
                visits.answers[response.headers["X-Version"]] += 1
            else:
                visits.failed.append(f"{response.status} from {response.headers.get('X-Version', 'the router')}")
    except (aiohttp.ClientError, TimeoutError) as error:
        visits.failed.append(repr(error))
