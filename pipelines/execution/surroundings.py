"""What a host gives its scripts: a run folder each, the tree of their commit, variables, limits."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.domain.stepwork import Work
from pipelines.execution import values
from pipelines.execution.rundir import Limits, Spec
from pipelines.execution.source import Source
from pipelines.storage.steps import StepKey


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """`runs` is where run folders are; `path` is the PATH that scripts get; `environ` is what `pass_env` hands on,
    `limits` what each script may take, `grace` how many seconds it has after it was told to end."""

    source: Source
    runs: Path
    path: str
    environ: Mapping[str, str]
    limits: Limits
    grace: float

    def run_dir(self, key: StepKey) -> Path:
        return self.runs / key.deploy / f"{key.step}.{key.attempt}"

    async def spec(self, work: Work, run_dir: Path) -> Spec:
        """What the supervisor is told; makes the folders that the script may use, and keeps what is to be masked."""
        given = await values.read(work, self.environ)
        tree = await self.source.tree(work.repo, work.commit)
        run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("home", "tmp"):
            (run_dir / name).mkdir(mode=0o700, exist_ok=True)
        await asyncio.to_thread(values.keep, run_dir, given, detach=work.detach)
        stdin = run_dir / "stdin"
        if work.stdin:
            stdin.write_text(work.stdin)
        ours = {
            "PATH": self.path,
            "LANG": "C.UTF-8",
            "HOME": str((run_dir / "home").absolute()),
            "TMPDIR": str((run_dir / "tmp").absolute()),
        }
        return Spec(
            argv=[str(tree / work.what)],
            cwd=str(tree),
            env={**given.env, **work.env, **ours},
            stdin=str(stdin.absolute()) if work.stdin else None,
            timeout=work.timeout or None,
            silence=work.silence or None,
            grace=self.grace,
            detach=work.detach,
            limits=self.limits,
        )
