"""What goes and what stays: run folders, trees and output, on a real disk and in a real database."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pipelines import ids
from pipelines.domain.events import Progress
from pipelines.domain.plan import How
from pipelines.domain.stepwork import Work
from pipelines.execution.pruner import Keep, Pruner
from pipelines.execution.source import Source
from pipelines.storage import steps
from pipelines.storage.steps import KEPT_FIRST, Ending, StepKey
from tests.support.domain import commit_of
from tests.support.front import Front, now, opened
from tests.support.repository import Repository

DAY = timedelta(days=1)
WORK = Work(how=How.SCRIPT, what="x")


@dataclass
class Host:
    front: Front
    source: Source
    folder: Path
    later: timedelta = timedelta()

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    def clock(self) -> datetime:
        return now() + self.later

    async def prune(self, *, later: timedelta = timedelta()) -> None:
        self.later = later
        keep = Keep(runs=DAY, trees=14 * DAY, logs=90 * DAY)
        pruner = Pruner(database=self.front.database, source=self.source, runs=self.runs, keep=keep, clock=self.clock)
        await pruner.prune()

    async def step(self, deploy: str, *, ended: bool = True) -> Path:
        """A step that was claimed, and its run folder with a read-only folder in it."""
        key = StepKey(deploy=deploy, step="001-deploy", attempt=1)

        def work(session: object, _topics: set[str]) -> None:
            steps.claim(session, key, WORK, "test", now())  # type: ignore[arg-type]
            steps.append_output(session, key, 0, b"something", now())  # type: ignore[arg-type]
            if ended:
                steps.end(session, key, Ending(progress=Progress.OK), now())  # type: ignore[arg-type]

        await self.front.database.write(work)
        run_dir = self.runs / deploy / "001-deploy.1"
        (run_dir / "home" / "cache").mkdir(parents=True)
        (run_dir / "out").write_bytes(b"x" * (KEPT_FIRST + 1024 * 1024))
        (run_dir / "home" / "cache").chmod(0o500)
        return run_dir

    async def output(self, deploy: str) -> int:
        return len(await self.front.shipmate.output(deploy))


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Host]:
    async with opened(tmp_path) as front:
        source = Source(tmp_path / "trees")
        yield Host(front=front, source=source, folder=tmp_path)
        await source.close()


async def test_run_folders_go_when_the_deploy_is_over_and_a_while_has_passed(host: Host) -> None:
    await host.front.ship("v1.4", deploy="done")
    await host.front.plan("v1.5", deploy="runs")
    over = [await host.step("done"), await host.step("look-1")]
    stay = [await host.step("runs"), await host.step("look-2", ended=False)]
    (host.runs / "nobody-knows").mkdir()
    await host.prune()
    assert all(folder.exists() for folder in over)
    await host.prune(later=2 * DAY)
    assert not any(folder.parent.exists() for folder in over)
    assert all(folder.exists() for folder in stay) and (host.runs / "nobody-knows").exists()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="finds processes by /proc")
async def test_the_run_folder_of_a_service_that_was_left_running_stays_but_its_output_goes(host: Host) -> None:
    await host.front.ship("v1.4", deploy="done")
    run_dir = await host.step("done")
    env = {"TMPDIR": str(run_dir / "home"), "PATH": os.defpath}
    service = await asyncio.create_subprocess_exec("/bin/sleep", "300", env=env)
    await host.prune(later=2 * DAY)
    assert run_dir.exists()
    out = (run_dir / "out").stat()
    assert out.st_size == KEPT_FIRST + 1024 * 1024 and out.st_blocks * 512 <= KEPT_FIRST + 8192
    service.kill()
    await service.wait()
    await host.prune(later=2 * DAY)
    assert not run_dir.exists()


async def test_output_goes_after_its_time_and_the_history_stays(host: Host) -> None:
    old, new, running = (ids.first_id(now() - age * DAY) for age in (100, 1, 101))
    await host.front.ship("v1.3", deploy=old)
    await host.front.ship("v1.4", deploy=new)
    await host.front.plan("v1.5", deploy=running)
    looks = [f"look-{old}", f"look-{new}"]
    for deploy in (old, new, running, *looks):
        await host.step(deploy)
    await host.prune()
    assert [await host.output(deploy) for deploy in (old, new, running, *looks)] == [0, 1, 1, 0, 1]
    kept = await host.front.shipmate.deploy(old)
    assert kept is not None and kept.outcome is not None
    ending = await host.front.database.read(
        lambda session: steps.ending(session, StepKey(deploy=old, step="001-deploy", attempt=1))
    )
    assert ending is not None and ending.progress is Progress.OK


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="finds processes by /proc")
async def test_trees_go_that_nobody_used_for_a_while_and_nothing_needs(host: Host) -> None:
    repository = Repository(host.folder / "repository")
    names = ("old", "stood-in", "asked-for", "live", "running")
    commits = {name: repository.commit(name) for name in names}
    await host.source.refresh(repository.url)
    trees = {name: await host.source.tree(repository.url, commit) for name, commit in commits.items()}
    await host.front.ship("v1.4", deploy="d1")
    await host.front.plan("v1.5", deploy="d2")
    for name, version in (("live", "v1.4"), ("running", "v1.5")):
        trees[name].chmod(0o700)
        trees[name].rename(trees[name].with_name(commit_of(version)))
    aged = (now() - 20 * DAY).timestamp()
    for tree in trees["old"].parent.iterdir():
        os.utime(tree, (aged, aged))
    await host.source.tree(repository.url, commits["asked-for"])
    service = await asyncio.create_subprocess_exec("/bin/sleep", "300", cwd=trees["stood-in"])
    await host.prune()
    service.kill()
    await service.wait()
    left = {path.name for path in trees["old"].parent.iterdir()} - {".boot"}
    wanted = {commits["stood-in"], commits["asked-for"], *map(commit_of, ("v1.4", "v1.5"))}
    assert left == wanted
    assert await host.source.tree(repository.url, commits["old"])  # it is made anew when it is needed
