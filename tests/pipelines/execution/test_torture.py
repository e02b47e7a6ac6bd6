"""Aborts, timeouts and ends of scripts that fork, daemonise, ignore TERM, stop themselves, close their output or forget
their environment: nothing survives, nothing is left over. Judged by the process table alone."""

import asyncio
import os
import random
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.domain.events import Progress
from pipelines.execution import agent as agents
from pipelines.execution import processes, supervisor
from tests.support.repository import until
from tests.support.rig import Rig, rigged
from tests.support.runs import of_runs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="judged by /proc")

DEAF = "trap '' TERM HUP"
NEVER = "while :; do sleep 0.2; done"
BODIES = {
    "plain": "sleep 300",
    "deaf": f"{DEAF}; {NEVER}",
    "deaf children": f"for i in 1 2 3; do ({DEAF}; {NEVER}) & done; wait",
    "other sessions": f'for i in 1 2 3; do setsid bash -c "{DEAF}; {NEVER}" & done; wait',
    "daemons": f'(setsid bash -c "{DEAF}; (exec <&- >&- 2>&-; {NEVER}) & exit" &); sleep 300',
    "no output": f"exec <&- >&- 2>&-; {DEAF}; {NEVER}",
    "stopped": "sleep 300 & kill -STOP $!; kill -STOP $$; wait",
    "deaf and stopped": f"({DEAF}; kill -STOP $BASHPID; {NEVER}) & wait",
    "reviving": "again() { setsid bash -c \"trap '' TERM; sleep 300\" & }; trap again TERM; "
    f"for i in 1 2 3; do sleep 300 & done; {NEVER}",
    "without its environment": f"env -i setsid bash -c '{DEAF}; sleep 300; :' \"$TMPDIR\" & wait",
    "a crowd": "split() { [ $1 -eq 0 ] && exec sleep 300; split $(($1 - 1)) & split $(($1 - 1)) & wait; }; "
    f"{DEAF}; split 6",
    "hopping": f"{DEAF}; python3 -c $'import os\\nwhile True: os.fork() and os._exit(0)' & sleep 300",
    "leaves and ends": f'(setsid bash -c "{DEAF}; {NEVER}" &); exit 0',
    "leaves and fails": f'(setsid bash -c "{DEAF}; {NEVER}" &); exit 1',
}
ENDS = {"leaves and ends": Progress.OK, "leaves and fails": Progress.FAILED}


@dataclass(kw_only=True)
class Verdict:
    """`late`: it took longer than the grace and five seconds to end."""

    tries: int
    survivors: int
    zombies: int
    leaks: int
    late: int

    @property
    def met(self) -> bool:
        return not (self.survivors or self.zombies or self.leaks or self.late)

    def __str__(self) -> str:
        return (
            f"| scripts that fork, daemonise, ignore TERM, close stdout: aborts, timeouts | {self.tries} tries | "
            f"{self.survivors} survivors | {self.zombies} zombies | {self.leaks} leaked descriptors | "
            f"{self.late} late | {'met' if self.met else 'NOT MET'} |"
        )


async def one(rig: Rig, commit: str, number: int, dice: random.Random) -> float:
    """One script from its start to its end; the seconds from the order to end to the end."""
    name = list(BODIES)[number % len(BODIES)]
    by_time = dice.random() < 0.3
    key = await rig.claim(commit, number % len(BODIES), timeout=dice.uniform(0.2, 0.8) if by_time else 600.0)
    await until((rig.run_dir(key) / "started").exists)
    await asyncio.sleep(dice.uniform(0.0, 0.8))  # the moment is what is random here
    ordered = time.monotonic()
    if not by_time and name not in ENDS:
        await rig.stop(key)
    ending = await rig.ending(key)
    stopped = {Progress.TIMED_OUT} if by_time else {Progress.ABORTED}
    assert ending.progress in {ENDS.get(name), *stopped}, (name, ending)
    assert not ending.detail.endswith("could not be ended"), (name, ending)
    return time.monotonic() - ordered


def descriptors() -> int:
    """Those of this process, but for the database's: its pool grows to its bound."""
    links = [path for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    return len([path for path in links if ".db" not in os.path.realpath(path)])


def zombies(since: int, *parents: int) -> list[int]:
    """The dead that nobody collects."""
    return [p.pid for p in processes.processes() if not p.alive and p.parent in parents and p.start >= since]


async def settled(left: Callable[[], Sequence[object]], seconds: float) -> int:
    """How much is left of something after this time, or 0 as soon as nothing is."""
    end = time.monotonic() + seconds
    while left() and time.monotonic() < end:  # noqa: ASYNC110 (what is waited for happens in other processes)
        await asyncio.sleep(0.05)
    return len(left())


async def tortured(folder: Path, *, tries: int, at_once: int, seed: int, patience: float) -> Verdict:
    """`patience` is how long, in seconds, process 1 may take to collect its dead; 0: it is not looked at."""
    dice = random.Random(seed)
    since, parents = processes.start_time(os.getpid()) or 0, (1, os.getpid()) if patience else (os.getpid(),)
    async with rigged(folder) as rig:
        commit = await rig.commit(*BODIES.values())
        rig.begin()
        await one(rig, commit, 0, dice)  # threads and connections that stay are there from now on
        before, turn = descriptors(), asyncio.Semaphore(at_once)

        async def in_turn(number: int) -> float:
            async with turn:
                return await one(rig, commit, number, dice)

        took = await asyncio.gather(*(in_turn(number) for number in range(tries)))
        return Verdict(
            tries=tries,
            survivors=await settled(lambda: of_runs(rig.runs), 5.0),
            zombies=await settled(lambda: zombies(since, *parents), 1.0 + patience),
            leaks=await settled(lambda: range(before, descriptors()), 5.0),
            late=len([seconds for seconds in took if seconds > agents.GRACE + 5]),
        )


def without_cgroups(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same supervisor, on a machine that has no cgroups of version 2."""
    packages = Path(supervisor.__file__).parents[1]
    shutil.copytree(packages / "execution", folder / "pipelines" / "execution")
    (folder / "pipelines" / "__init__.py").touch()
    module = folder / "pipelines" / "execution" / "cgroup.py"
    text = module.read_text()
    assert "\nMOUNTS = (" in text
    module.write_text(text.replace("\nMOUNTS = (", "\nMOUNTS = ()\n_WERE = ("))
    monkeypatch.setattr(supervisor, "__file__", str(module.with_name("supervisor.py")))


@pytest.mark.parametrize("cgroups", [True, False], ids=["cgroups", "no cgroups"])
async def test_nothing_survives(cgroups: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents, "GRACE", 0.3)
    if not cgroups:
        without_cgroups(tmp_path / "without", monkeypatch)
    seed = random.randrange(1 << 32)
    verdict = await tortured(tmp_path, tries=len(BODIES), at_once=len(BODIES), seed=seed, patience=0)
    assert verdict.met, f"{verdict} seed {seed}"


@pytest.mark.torture
@pytest.mark.parametrize("cgroups", [True, False], ids=["cgroups", "no cgroups"])
async def test_nothing_survives_five_hundred_times(
    cgroups: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if not cgroups:
        without_cgroups(tmp_path / "without", monkeypatch)
    seed = random.randrange(1 << 32)
    verdict = await tortured(tmp_path, tries=500, at_once=40, seed=seed, patience=30)
    with capsys.disabled():
        print(f"\n{verdict} seed {seed}, {'with' if cgroups else 'without'} cgroups")
    assert verdict.met
