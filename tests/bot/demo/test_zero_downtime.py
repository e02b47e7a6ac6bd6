"""No request fails while the real scripts replace every target, and without the drain some do."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from tests.bot.demo.running import Demo, until

RATE = 50  # requests a second, each sent in its own time whether the one before was answered or not


@asynccontextmanager
async def visitors(url: str, rate: int = RATE) -> AsyncIterator[Counter[str]]:
    """Asks while the block runs; counts answers by version, what failed as `failed …`."""
    seen: Counter[str] = Counter()
    over = asyncio.Event()

    async def one(session: aiohttp.ClientSession) -> None:
        try:
            async with session.get(f"{url}/cart") as response:
                await response.read()
                seen[response.headers["X-Version"] if response.status == 200 else f"failed {response.status}"] += 1
        except (aiohttp.ClientError, TimeoutError, KeyError) as error:
            seen[f"failed {error!r}"] += 1

    async def all_of_them() -> None:
        timeout = aiohttp.ClientTimeout(total=30)
        async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as group:
            while not over.is_set():
                group.create_task(one(session))
                await asyncio.sleep(1 / rate)

    visiting = asyncio.create_task(all_of_them())
    try:
        yield seen
    finally:
        over.set()
        await visiting


def failed(seen: Counter[str]) -> Counter[str]:
    return Counter({name: count for name, count in seen.items() if name.startswith("failed")})


async def answered(seen: Counter[str], count: int) -> None:
    """Waits until that many more were answered."""
    goal = seen.total() + count
    await until(lambda: seen.total() >= goal)


async def roll(demo: Demo, tag: str) -> None:
    """Target by target: out of traffic, installed, checked, back in traffic."""
    targets = demo.targets("staging")
    for target in targets:
        others = "".join(f"{other} 1\n" for other in targets if other != target)
        await demo.must("deploy/route.sh", tag, stdin=f"{others}{target} 0\n")
        await demo.must("deploy/install.sh", tag, target=target)
        status, output = await demo.verb("deploy/smoke.sh", tag, target=target)
        if status:
            raise AssertionError(output)
        await demo.must("deploy/route.sh", tag, stdin=f"{others}{target} 1\n")


async def test_rolling_forth_a_failed_one_and_back_fails_no_request(demo: Demo) -> None:
    first, second = demo.targets("staging")
    async with visitors(demo.info.routers["staging"]) as seen:
        await answered(seen, 50)
        await roll(demo, "v1.4")
        await answered(seen, 50)
        with pytest.raises(AssertionError, match="2 of 6 pages failed"):
            await roll(demo, "v1.5")
        assert demo.world.routers["staging"].table == {second: 1, first: 0}
        await answered(seen, 50)
        await roll(demo, "v1.3")
        await answered(seen, 50)
    assert not failed(seen), seen
    assert set(seen) == {"v1.3", "v1.4"}
    assert seen.total() >= 200


async def test_without_the_drain_requests_fail(demo: Demo) -> None:
    async with visitors(demo.info.routers["staging"], rate=4 * RATE) as seen:
        await answered(seen, 20)
        for tag in ("v1.4", "v1.3") * 3:
            for target in demo.targets("staging"):
                await demo.must("deploy/install.sh", tag, target=target)
            if failed(seen):
                break
    assert failed(seen)
