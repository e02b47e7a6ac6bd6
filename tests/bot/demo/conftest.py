"""A demo world for one test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.demo.world import DemoWorld
from tests.bot.demo.running import Demo


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Demo]:
    world = DemoWorld(tmp_path / "data", pace=0)
    info = await world.start()
    try:
        yield Demo(world=world, info=info, folder=tmp_path)
    finally:
        await world.stop()
