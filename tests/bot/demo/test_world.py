"""The demo's world starts, ends with its process however that dies, and goes on where it was."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import aiohttp
import pytest
import yaml

from bot.demo.layout import listen, settle
from bot.demo.world import DemoWorld
from tests.bot.demo.running import Demo, until

HOLD = """
import asyncio, sys
from pathlib import Path
from bot.demo.world import DemoWorld

async def main():
    world = DemoWorld(Path(sys.argv[1]), pace=0)
    await world.start()
    print(*(host.pid for host in world.hosts.values()), flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def versions(world: DemoWorld) -> dict[str, str]:
    """What each host says that it runs."""
    async with aiohttp.ClientSession() as session:
        answers = {}
        for name, host in world.hosts.items():
            async with session.get(f"http://{host.place.address}/version") as response:
                answers[name] = (await response.text()).split()[0]
        return answers


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] not in "ZX"


async def test_first_start_runs_v1_3_everywhere(demo: Demo) -> None:
    assert await versions(demo.world) == dict.fromkeys(("stg-1", "stg-2", "prod-1", "prod-2", "prod-3"), "v1.3")
    async with aiohttp.ClientSession() as session:
        for url in demo.info.routers.values():
            async with session.get(f"{url}/version") as response:
                assert await response.text() == f"v1.3 {demo.commit('v1.3')}\n"


async def test_the_bots_configuration_names_what_runs(demo: Demo) -> None:
    config = yaml.safe_load(demo.info.config.read_text())
    api = config["services"]["api"]
    assert api["repo"] == str(demo.info.repository)
    assert api["targets"] == {name: demo.targets(name) for name in ("staging", "production")}
    assert config["groups"][api["owners"]] == ["ana", "raj"]
    assert config["environments"] == {"staging": {}, "production": {"protected": True}}


async def test_a_restart_goes_on_with_versions_ports_and_tables(demo: Demo) -> None:
    first, second = demo.targets("staging")
    await demo.must("deploy/install.sh", "v1.4", target=first)
    await demo.must("deploy/route.sh", "v1.4", stdin=f"{first} 2\n{second} 0\n")
    before = await versions(demo.world)
    await demo.world.stop()
    again = DemoWorld(demo.folder / "data", pace=0)
    try:
        info = await again.start()
        assert info == demo.info
        assert await versions(again) == before | {"stg-1": "v1.4"}
        assert again.routers["staging"].table == {first: 2, second: 0}
    finally:
        await again.stop()


async def test_a_port_that_was_taken_meanwhile_is_replaced(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.demo.layout.PATIENCE", 0.0)
    place = demo.world.hosts["stg-1"].place
    await demo.world.stop()
    taken = listen(place.port)
    assert taken
    layout = settle(demo.folder / "data" / "demo.json")
    layout.close()
    taken.close()
    assert layout.hosts["stg-1"].port != place.port
    assert layout.hosts["stg-2"].port == demo.world.hosts["stg-2"].place.port


async def test_stop_ends_every_process_soon(demo: Demo) -> None:
    pids = [host.pid for host in demo.world.hosts.values() if host.pid]
    assert len(pids) == 5
    async with asyncio.timeout(5):
        await demo.world.stop()
    assert not any(alive(pid) for pid in pids)


async def test_a_killed_demo_leaves_no_process_and_starts_again(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLD, str(tmp_path)), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    pids = [int(pid) for pid in (await asyncio.wait_for(process.stdout.readline(), 60)).split()]
    assert len(pids) == 5
    process.send_signal(signal.SIGKILL)
    await process.wait()
    world = DemoWorld(tmp_path, pace=0)
    try:
        await world.start()
        await until(lambda: not any(alive(pid) for pid in pids))
        assert set((await versions(world)).values()) == {"v1.3"}
    finally:
        await world.stop()
        for pid in filter(alive, pids):
            os.kill(pid, signal.SIGKILL)


async def test_reset_begins_anew_and_keeps_what_is_not_ours(demo: Demo) -> None:
    await demo.must("deploy/install.sh", "v1.4", target=demo.targets("staging")[0])
    await demo.world.stop()
    data = demo.folder / "data"
    (data / "shipmate.db").write_text("not ours")
    demo.world.reset()
    assert [file.name for file in data.iterdir()] == ["shipmate.db"]
    again = DemoWorld(data, pace=0)
    try:
        await again.start()
        assert set((await versions(again)).values()) == {"v1.3"}
    finally:
        await again.stop()


async def test_what_cannot_run_again_does_not_stop_the_others(demo: Demo, caplog: pytest.LogCaptureFixture) -> None:
    await demo.world.stop()
    for program in (demo.folder / "data" / "hosts" / "stg-1").rglob("server.py"):
        program.write_text("raise SystemExit('disk is full')\n")
    again = DemoWorld(demo.folder / "data", pace=0)
    try:
        await again.start()
        assert [host.place.name for host in again.hosts.values() if host.pid is None] == ["stg-1"]
        assert "disk is full" in caplog.text
        assert "v1.3 does not come up on stg-1 again" in caplog.text
    finally:
        await again.stop()
