"""The sample's own scripts against running hosts, as the engine runs them."""

import shutil
from pathlib import Path

import aiohttp

from bot.demo import sample
from bot.demo.hosts import Release
from tests.bot.demo.running import Demo


async def get(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.text()


async def test_install_switches_one_target_and_may_run_again(demo: Demo) -> None:
    first, second = demo.targets("staging")
    for _ in range(2):
        output = await demo.must("deploy/install.sh", "v1.4", target=first)
        assert f"api v1.4 is ready on {first}" in output
    assert await get(f"http://{first}/version") == (200, f"v1.4 {demo.commit('v1.4')}\n")
    assert await get(f"http://{second}/version") == (200, f"v1.3 {demo.commit('v1.3')}\n")


async def test_install_says_when_nobody_is_there(demo: Demo) -> None:
    status, output = await demo.verb("deploy/install.sh", "v1.4", target="127.0.0.1:1")
    assert status == 1
    assert "no answer from 127.0.0.1:2" in output


async def test_a_release_that_does_not_start_is_a_failure_with_its_last_lines(demo: Demo, tmp_path: Path) -> None:
    demo.trees["v1.4"] = broken = tmp_path / "broken"
    shutil.copytree(sample.CONFIG / "api", broken)
    (broken / "deploy" / "pace").write_text("0\n")
    (broken / "app" / "pages.py").write_text("raise SystemExit('no kettle')\n")
    target = demo.targets("staging")[0]
    status, output = await demo.verb("deploy/install.sh", "v1.4", target=target)
    assert status == 1
    assert "v1.4 did not come up on stg-1" in output
    assert "no kettle" in output
    assert f"is ready on {target}" not in output


async def test_smoke_is_fine_for_the_good_ones(demo: Demo) -> None:
    target = demo.targets("staging")[0]
    for tag in ("v1.0", "v1.1", "v1.2", "v1.3", "v1.4", "main"):
        await demo.must("deploy/install.sh", tag, target=target)
        assert "all pages are fine" in await demo.must("deploy/smoke.sh", tag, target=target)


async def test_v1_5_comes_up_and_fails_its_smoke_each_time(demo: Demo) -> None:
    target = demo.targets("staging")[0]
    await demo.must("deploy/install.sh", "v1.5", target=target)
    pages = [await get(f"http://{target}/") for _ in range(9)]
    assert [status for status, _ in pages].count(500) == 3
    for _ in range(3):
        assert await get(f"http://{target}/healthz") == (200, "ok\n")
        status, output = await demo.verb("deploy/smoke.sh", "v1.5", target=target)
        assert status == 1
        assert "2 of 6 pages failed" in output


async def test_a_page_names_version_and_host(demo: Demo) -> None:
    _, text = await get(f"{demo.info.routers['staging']}/cart")
    assert "api v1.3 on stg-" in text


async def test_checkout_is_what_v1_4_fixes(demo: Demo) -> None:
    target = demo.targets("staging")[0]
    await demo.must("deploy/install.sh", "v1.4", target=target)
    assert "To pay: 15.60" in (await get(f"http://{target}/checkout"))[1]


async def test_migrations_may_only_add(demo: Demo, tmp_path: Path) -> None:
    assert "3 migrations, nothing to do in staging" in await demo.must("deploy/migrate.sh", "v1.4")
    demo.trees["v1.3"] = tree = tmp_path / "tree"
    shutil.copytree(demo.tree("v1.4"), tree)
    (tree / "migrations").chmod(0o755)
    (tree / "migrations" / "004_gone.sql").write_text("DROP TABLE orders;\n")
    status, output = await demo.verb("deploy/migrate.sh", "v1.3")
    assert status == 1
    assert "004_gone.sql takes something away" in output


async def test_route_gives_the_table_to_its_own_environment(demo: Demo) -> None:
    first, second = demo.targets("staging")
    await demo.must("deploy/route.sh", "v1.4", stdin=f"{second} 1\n{first} 0\n")
    assert demo.world.routers["staging"].table == {second: 1, first: 0}
    assert set(demo.world.routers["production"].table.values()) == {1}


async def test_route_passes_on_why_a_table_is_refused(demo: Demo) -> None:
    first, second = demo.targets("staging")
    status, output = await demo.verb("deploy/route.sh", "v1.4", stdin=f"{first} 1\n")
    assert status == 1
    assert f"not in it: {second}" in output
    assert await demo.verb("deploy/route.sh", "v1.4") == (1, "the weight table on stdin is empty\n")


async def test_the_agent_takes_nothing_from_browsers_and_nothing_malformed(demo: Demo) -> None:
    host = demo.world.hosts["stg-1"]
    agent = f"http://{host.place.control_address}"
    known = demo.commit("v1.3")
    cases: list[tuple[str, bytes, dict[str, str], int]] = [
        ("/run", b"{}", {}, 400),
        ("/run", b"nonsense", {}, 400),
        ("/run", b'{"version": "v1.4", "commit": "%s"}' % (b"0" * 40), {}, 404),
        ("/run", b"{}", {"Origin": "https://example.com"}, 403),
        ("/run", b"{}", {"Host": f"example.com:{host.place.port + 1}"}, 403),
        (f"/releases/{known}", b"no tar", {}, 400),
        ("/releases/..%2F..%2Fetc", b"", {}, 400),
    ]
    async with aiohttp.ClientSession() as session:
        for path, body, headers, expected in cases:
            async with session.put(agent + path, data=body, headers=headers) as response:
                assert response.status == expected, (path, await response.text())
    assert host.current == Release(version="v1.3", commit=known)
    assert host.pid is not None
