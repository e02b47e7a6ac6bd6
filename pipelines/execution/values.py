"""What a script is given beside Shipmate's own variables: secrets, and what `pass_env` hands on. Read when it begins.

    RUN_DIR/hidden   the values that are masked in this run, and whether it leaves processes behind

That copy, for our eyes only, lives until the end of the run is recorded: a follower that begins again after a restart
masks to the same bytes, whatever became of the secrets meanwhile. It tells nobody more than the script's own
environment in /proc does. With it goes everything in the run folder that a value may have got into.
"""

import asyncio
import json
import logging
import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipelines.domain.stepwork import Work
from pipelines.execution import supervisor
from pipelines.execution.masking import Masker
from pipelines.providers import secrets
from pipelines.storage.steps import Ending

log = logging.getLogger(__name__)

PATIENCE = 10.0  # seconds; a secret may lie on a file system of the network
SHORTEST_PASSED = 8  # characters of a value of `pass_env`; shorter ones are words such as `production`


class ValuesError(Exception):
    """Values that a script needs are not there: every one of them, as clauses."""


@dataclass(frozen=True, kw_only=True)
class Values:
    """`passed` are the bot's own variables that are handed on. No value is in its repr."""

    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    passed: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def env(self) -> dict[str, str]:
        return {**self.passed, **self.secrets}

    @property
    def hidden(self) -> tuple[str, ...]:
        """What is masked: every secret, and what is passed unless it is short or, like SSH_AUTH_SOCK, the path of
        something that is there. A token cannot be told from a word by its looks; a word masked in vain harms less."""
        passed = (value for value in self.passed.values() if len(value) >= SHORTEST_PASSED and not _is_path(value))
        return (*self.secrets.values(), *passed)


def _is_path(value: str) -> bool:
    with suppress(OSError, ValueError):
        return value.startswith("/") and Path(value).exists()
    return False


async def read(work: Work, environ: Mapping[str, str] = os.environ) -> Values:
    """The values for a piece of work, as they are now. Raises ValuesError."""
    if not work.secrets and not work.pass_env:
        return Values()
    try:
        async with asyncio.timeout(PATIENCE):
            return await asyncio.to_thread(_read, work, environ)
    except TimeoutError:
        raise ValuesError(f"its secrets were not read within {PATIENCE:g} s") from None


def _read(work: Work, environ: Mapping[str, str]) -> Values:
    found, wrong = secrets.read_all(work.secrets)
    problems = [f"{name}: {flaw}" for name, flaw in wrong.items()]
    problems += [f"{name} is not set in the bot's own environment" for name in work.pass_env if name not in environ]
    if problems:
        raise ValuesError("; ".join(problems))
    return Values(secrets=found, passed={name: environ[name] for name in work.pass_env})


def masked(ending: Ending, masker: Masker) -> Ending:
    """An ending in whose words no value stands."""
    report = ending.report
    if report is not None:
        report = replace(report, line=masker.text(report.line), detail=masker.text(report.detail))
    return replace(ending, detail=masker.text(ending.detail), report=report)


def keep(run_dir: Path, values: Values, *, detach: bool) -> None:
    """Write the copy, before anything of the run begins. Without values there is none."""
    if values.env:
        supervisor.record(str(run_dir), "hidden", json.dumps({"values": values.hidden, "detach": detach}))


def kept(run_dir: Path) -> tuple[str, ...]:
    """What is masked in this run."""
    try:
        return tuple(json.loads((run_dir / "hidden").read_bytes())["values"])
    except FileNotFoundError:
        return ()


def forget(run_dir: Path) -> None:
    """Take away what may hold values, once the end of the run is recorded: its output, which is recorded masked, and
    its folders, unless it left processes behind. What tells that it ran stays: nobody starts it again."""
    for path in (run_dir / "spec.json", *run_dir.glob("*.tmp")):  # a process that ended as it wrote them left the last
        path.unlink(missing_ok=True)
    hidden = run_dir / "hidden"
    if not hidden.exists():
        return
    with suppress(FileNotFoundError):
        os.truncate(run_dir / "out", 0)
    if not json.loads(hidden.read_bytes())["detach"]:
        for name in ("home", "tmp"):
            _remove(run_dir / name)
    hidden.unlink()


def _remove(folder: Path) -> None:
    """A script's folder, read-only ones in it too; of a link the link alone."""
    if folder.is_symlink():
        folder.unlink()
        return
    for inner, _, _ in os.walk(folder):
        Path(inner).chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def left(runs: Path) -> list[Path]:
    """Run folders in which values lie."""
    return [path.parent for path in runs.glob("*/*/hidden")]


def forget_all(left: Iterable[Path], but: Iterable[Path] = ()) -> None:
    """What cannot be taken away is told and stays until the next time."""
    for run_dir in set(left) - set(but):
        try:
            forget(run_dir)
        except (OSError, ValueError) as error:
            log.warning("values stay in %s until the next start: %s", run_dir, error)
