"""A running demo world, and the sample's scripts run by hand as the engine runs them."""

import asyncio
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from bot.demo import sample
from bot.demo.layout import ENVIRONMENTS
from bot.demo.world import DemoWorld, World

PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
EMPTY = ("REGION", "DIGEST", "ARTIFACT", "PREVIOUS_VERSION", "PREVIOUS_COMMIT", "DEPLOY_ID", "DEPLOY_FENCE")


@dataclass(kw_only=True)
class Demo:
    """A started world; `routers` are URLs by environment."""

    world: DemoWorld
    info: World
    folder: Path
    trees: dict[str, Path] = field(default_factory=dict)

    def targets(self, environment: str) -> list[str]:
        return [self.world.hosts[name].place.address for name in ENVIRONMENTS[environment]]

    def commit(self, tag: str) -> str:
        return sample.git(self.info.repository, "rev-parse", f"{tag}^{{commit}}").decode().strip()

    def tree(self, tag: str) -> Path:
        if tag not in self.trees:
            self.trees[tag] = read_only_tree(self.info.repository, tag, self.folder / "trees" / tag)
        return self.trees[tag]

    async def verb(
        self, script: str, tag: str, *, environment: str = "staging", target: str = "", stdin: str = ""
    ) -> tuple[int, str]:
        """Exit status and output of one script of the tagged commit, in a clean environment."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        env = dict.fromkeys(EMPTY, "") | {
            **{
                "SERVICE": "api",
                "ENVIRONMENT": environment,
                "TARGET": target,
                "VERSION": tag,
                "COMMIT": self.commit(tag),
            },
            **{"PATH": PATH, "LANG": "C.UTF-8", "HOME": str(home), "TMPDIR": str(home)},
        }
        process = await asyncio.create_subprocess_exec(
            *(str(self.tree(tag) / script),),
            cwd=self.tree(tag),
            env=env,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await asyncio.wait_for(process.communicate(stdin.encode()), 60)
        assert process.returncode is not None
        return process.returncode, output.decode()

    async def must(self, script: str, tag: str, *, target: str = "", stdin: str = "") -> str:
        status, output = await self.verb(script, tag, target=target, stdin=stdin)
        assert status == 0, output
        return output


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 (other processes set no event of ours)
            await asyncio.sleep(0.01)


def read_only_tree(repository: Path, tag: str, folder: Path) -> Path:
    packed = sample.git(repository, "archive", "--format=tar", tag)
    with tarfile.open(fileobj=BytesIO(packed)) as tar:
        tar.extractall(folder, filter="fully_trusted")
    subprocess.run(["chmod", "-R", "a-w", str(folder)], check=True, timeout=10)
    return folder
