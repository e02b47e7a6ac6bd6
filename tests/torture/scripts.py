"""Scripts that do not want to end, and run folders that name strangers: nothing of ours survives, nothing else is hurt.

Aborts, timeouts and ends of scripts that fork, daemonise, ignore TERM, stop themselves, close their output or forget
their environment, judged by the process table alone."""

import asyncio
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from pipelines.domain.events import Progress
from pipelines.execution import processes, supervisor
from pipelines.storage.steps import StepKey
from tests.support.repository import until
from tests.support.rig import Rig, rigged
from tests.support.runs import end_all, of_runs
from tests.torture.rows import NEITHER, Fault, Place, Verdict

GRACE = 0.3
AT_ONCE = 20
PATIENCE = 30.0  # for how long process 1 may leave its dead
TOLD = 10

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


@dataclass(frozen=True, kw_only=True)
class Ended:
    """`seconds`: from the order to end to the end. `wrong`: what is not as it must be."""

    seconds: float
    wrong: str = ""


async def one(rig: Rig, commit: str, number: int, dice: random.Random) -> Ended:
    """One script from its start to its end."""
    name = list(BODIES)[number % len(BODIES)]
    by_time = dice.random() < 0.3
    key = await rig.claim(commit, number % len(BODIES), timeout=dice.uniform(0.2, 0.8) if by_time else 600.0)
    await until((rig.run_dir(key) / "started").exists)
    await asyncio.sleep(dice.uniform(0.0, 0.8))  # the moment is what is random here
    ordered = time.monotonic()
    if not by_time and name not in ENDS:
        await rig.stop(key)
    ending = await rig.ending(key)
    fitting = {ENDS.get(name), Progress.TIMED_OUT if by_time else Progress.ABORTED}
    fits = ending.progress in fitting and not ending.detail.endswith("could not be ended")
    return Ended(seconds=time.monotonic() - ordered, wrong="" if fits else f"{name}: {ending}")


def descriptors() -> int:
    """Those of this process, but for the database's: its pool grows to its bound."""
    links = [path for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    return len([path for path in links if ".db" not in os.path.realpath(path)])


def zombies(since: int) -> list[int]:
    """The dead that nobody collects."""
    return [p.pid for p in processes.processes() if not p.alive and p.parent in (1, os.getpid()) and p.start >= since]


async def settled(left: Callable[[], Sequence[object]], seconds: float, looks: int = 1) -> int:
    """How much is left of something after this time, or 0 as soon as so many looks in a row find nothing."""
    end, found = time.monotonic() + seconds, [1]
    while any(found[-looks:]) or len(found) <= looks:
        found.append(len(left()))
        if found[-1] and time.monotonic() > end:
            return found[-1]
        await asyncio.sleep(0.05)
    return 0


async def unwilling(folder: Path, tries: int, dice: random.Random) -> Verdict:
    since = processes.start_time(os.getpid()) or 0
    async with rigged(folder, grace=GRACE) as rig:
        commit = await rig.commit(*BODIES.values())
        rig.begin()
        await one(rig, commit, 0, dice)  # threads and connections that stay are there from now on
        before, turn = descriptors(), asyncio.Semaphore(AT_ONCE)

        async def in_turn(number: int) -> Ended:
            async with turn:
                return await one(rig, commit, number, dice)

        ended = await asyncio.gather(*(in_turn(number) for number in range(tries)))
        others = {
            "survivors": await settled(lambda: of_runs(rig.runs), 5.0, looks=20),
            "zombies": await settled(lambda: zombies(since), PATIENCE),
            "leaked descriptors": await settled(lambda: range(before, descriptors()), 5.0),
            "late": len([one for one in ended if one.seconds > GRACE + 5]),
            "wrong ends": len([one for one in ended if one.wrong]),
        }
    slowest = f"{max(one.seconds for one in ended):.1f} s at most"
    return Verdict(tries=tries, others=others, seen=slowest, wrong=[one.wrong for one in ended if one.wrong][:TOLD])


def without_cgroups(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """The same supervisor, on a machine that has no cgroups of version 2."""
    packages = Path(supervisor.__file__).parents[1]
    shutil.copytree(packages / "execution", folder / "pipelines" / "execution")
    (folder / "pipelines" / "__init__.py").touch()
    module = folder / "pipelines" / "execution" / "cgroup.py"
    text = module.read_text()
    assert "\nMOUNTS = (" in text
    module.write_text(text.replace("\nMOUNTS = (", "\nMOUNTS = ()\n_WERE = ("))
    patch.setattr(supervisor, "__file__", str(module.with_name("supervisor.py")))


def ending(place: Place, tries: int, *, cgroups: bool) -> Verdict:
    if sys.platform != "linux":
        pytest.skip("judged by /proc")
    with pytest.MonkeyPatch.context() as patch:
        if not cgroups:
            without_cgroups(place.folder / "without", patch)
        return asyncio.run(unwilling(place.folder, tries, place.dice()))


STALE: tuple[tuple[dict[str, object], str], ...] = (
    ({"start": 1, "script_start": 1}, "its supervisor was killed"),
    ({"boot_id": "another boot"}, "the machine or container was restarted"),
)


class Stranger:
    """A process that is none of ours, and has the ids that a run folder names."""

    def __init__(self) -> None:
        argv = ["/bin/sh", "-c", "trap 'exit 7' TERM HUP INT; read _"]
        self.process = subprocess.Popen(argv, start_new_session=True, stdin=subprocess.PIPE)

    def named_in(self, run_dir: Path, change: dict[str, object]) -> None:
        start = processes.start_time(self.process.pid)
        facts = json.loads((run_dir / "started").read_text())
        facts |= {"pid": self.process.pid, "start": start, "session": self.process.pid, "script_start": start}
        supervisor.record(str(run_dir), "started", json.dumps(facts | {"cgroup": ""} | change))

    def touched(self) -> bool:
        """Whether anything was done to it; it is over then."""
        found = processes.process(self.process.pid)
        untouched = self.process.poll() is None and found is not None and found.alive
        if untouched:
            self.process.communicate(b"\n", timeout=20)  # a signal on its way would come before the line
        return not untouched or self.process.returncode != 0


async def renamed(rig: Rig, commit: str, number: int, dice: random.Random) -> tuple[bool, str]:
    """The machine dies under a script, and the ids of its run belong to a stranger afterwards. Whether that was
    touched, and what is wrong with how the run is said to have ended."""
    change, told = STALE[number % len(STALE)]
    rig.begin()
    key = await rig.claim(commit)
    await until(lambda: on(rig, key))
    await rig.die()
    end_all(rig.runs)
    stranger = Stranger()
    stranger.named_in(rig.run_dir(key), change)
    stopped = dice.random() < 0.5
    if stopped:
        await rig.stop(key)
    rig.begin()
    ending = await rig.ending(key)
    await rig.die()
    fits = (Progress.ABORTED, "was ended") if stopped else (Progress.LOST, told)
    return stranger.touched(), "" if (ending.progress, ending.detail) == fits else f"{change}: {ending}"


def on(rig: Rig, key: StepKey) -> bool:
    out = rig.run_dir(key) / "out"
    return out.exists() and b"on" in out.read_bytes()


async def reused(folder: Path, tries: int, dice: random.Random) -> Verdict:
    async with rigged(folder) as rig:
        commit = await rig.commit("echo on; sleep 300")
        found = [await renamed(rig, commit, number, dice) for number in range(tries)]
    wrong = [what for _, what in found if what]
    others = {"strangers touched": sum(touched for touched, _ in found), "wrong ends": len(wrong)}
    return Verdict(tries=tries, others=others, wrong=wrong[:TOLD])


def strangers(place: Place, tries: int) -> Verdict:
    if sys.platform != "linux":
        pytest.skip("without /proc ids are trusted")
    return asyncio.run(reused(place.folder, tries, place.dice()))


FAULTS = (
    *(
        Fault(
            name=name,
            what=f"scripts that fork, daemonise, ignore TERM, close stdout: aborts, timeouts ({which})",
            run=partial(ending, cgroups=cgroups),
            tries=500,
            quick=len(BODIES),
            on=(NEITHER,),
        )
        for name, which, cgroups in (("ends", "cgroups", True), ("ends-bare", "no cgroups", False))
    ),
    Fault(
        name="strangers",
        what="the ids in a run folder are a stranger's by now: other start time, other boot",
        run=strangers,
        tries=100,
        quick=4,
        on=(NEITHER,),
    ),
)
