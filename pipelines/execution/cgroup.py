"""A cgroup of a run's own, below the one this process is in, where one may be made there: its kill reaches every
process of a script at once, whatever session or parent it fled to, also when the supervisor is gone.

Version 2 alone. Loaded by every supervisor, so of the standard library only what loads fast. Where there is none to be
had, every function does nothing: the process tree does the work.
"""

# pathlib alone would add half to the supervisor's time to start:
# ruff: noqa: PTH102, PTH106, PTH110, PTH119, PTH123, PTH208

from __future__ import annotations

import os

MOUNTS = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")
PREFIX = "shipmate-"


def ours() -> str:
    """The folder of the cgroup that this process is in; empty where there are none of version 2."""
    try:
        with open("/proc/self/cgroup") as file:
            own = next((line[3:].strip().rstrip("/") for line in file if line.startswith("0::/")), None)
    except OSError:
        return ""
    there = [f"{mount}{own}" for mount in MOUNTS if os.path.exists(f"{mount}{own}/cgroup.procs")]
    return there[0] if there and own is not None else ""


def make(name: str) -> str:
    """The folder of a new cgroup; empty where there is none to be had."""
    above = ours()
    group = f"{above}/{PREFIX}{name}"
    try:
        if above:
            os.mkdir(group)
    except OSError:
        return ""
    if above and os.path.exists(f"{group}/cgroup.kill"):
        return group
    if above:
        remove(group)  # a kernel before 5.14
    return ""


def enter(group: str) -> None:
    """Puts this process into the cgroup, and with it all that will come from it."""
    _write(f"{group}/cgroup.procs", "0")


def members(group: str) -> frozenset[int]:
    """The ids of the processes in it."""
    try:
        with open(f"{group}/cgroup.procs") as file:
            return frozenset(map(int, file.read().split()))
    except OSError:
        return frozenset()


def kill(group: str) -> None:
    """SIGKILL for every process in it, at once."""
    if os.path.basename(group).startswith(PREFIX):
        _write(f"{group}/cgroup.kill", "1")


def remove(group: str) -> None:
    """Takes an empty cgroup away; one that is in use stays."""
    try:
        os.rmdir(group)
    except OSError:
        return


def sweep() -> None:
    """Takes away what supervisors left that were killed; what is in use stays."""
    above = ours()
    for name in os.listdir(above) if above else ():
        if name.startswith(PREFIX):
            remove(f"{above}/{name}")


def _write(path: str, text: str) -> None:
    try:
        with open(path, "w") as file:
            file.write(text)
    except OSError:
        return
