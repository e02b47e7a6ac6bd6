"""The processes of this machine: which there are, which came from us, which one an id means, how to signal that one.

Standard library only, and of that only what loads fast: the supervisor starts with it. Without /proc (macOS) the table
is empty, start times are None and ids are trusted. What a script or a run is, is not known here.
"""

# pathlib alone would add half to the supervisor's time to start:
# ruff: noqa: PTH115, PTH123, PTH208

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
else:
    import _signal as signal  # its C half: the enums around it cost 3 ms and half a megabyte of every supervisor

PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 36, 38


class Process:
    """One line of the process table; `start` is in clock ticks since boot, and a zombie is not `alive`."""

    def __init__(self, pid: int, stat: bytes) -> None:
        fields = stat[stat.rindex(b")") + 2 :].split()
        self.pid = pid
        self.alive = fields[0] not in b"ZX"
        self.parent = int(fields[1])
        self.session = int(fields[3])
        self.start = int(fields[19])


def process(pid: int) -> Process | None:
    """The process of that id; None when it is gone or where there is no /proc."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return Process(pid, file.read())
    except (OSError, ValueError):
        return None


def processes() -> list[Process]:
    """Every process there is; empty where there is no /proc."""
    try:
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []
    return [found for pid in pids if (found := process(pid))]


def environment(pid: int) -> bytes:
    """What the process was started with, `NAME=value` by NUL; empty when it is gone or not to be looked at."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return file.read()
    except OSError:
        return b""


def start_time(pid: int) -> int | None:
    found = process(pid)
    return found.start if found else None


def boot_id() -> str | None:
    """Names this boot and this process namespace, within which a process id and its start time mean one process."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            return f"{file.read().strip()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return None


def send(pid: int, start: int | None, number: int) -> bool:
    """Signals the process that began at `start`, never another that got its id since; False: gone, or not allowed."""
    handle = -1
    try:
        if sys.platform == "linux":
            handle = os.pidfd_open(pid)
        if start_time(pid) != start:
            return False
        if sys.platform == "linux":
            signal.pidfd_send_signal(handle, number)
        else:
            os.kill(pid, number)
    except OSError:
        return False
    finally:
        if handle >= 0:
            os.close(handle)
    return True


def children() -> list[Process]:
    """The living children of this process, by a list that is read in no time; empty where the kernel has none."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", "rb") as file:
            pids = [int(pid) for pid in file.read().split()]
    except OSError:
        return []
    return [found for pid in pids if (found := process(pid)) and found.alive]


def descendants() -> list[Process]:
    """The living processes that came from this one, children first."""
    children: dict[int, list[Process]] = {}
    for found in processes():
        children.setdefault(found.parent, []).append(found)
    tree = children.get(os.getpid(), [])
    for member in tree:  # grows while it is walked
        tree.extend(children.get(member.pid, []))
    return [member for member in tree if member.alive]


def adopt_orphans() -> bool:
    """Makes orphaned descendants children of this process, whatever session they fled to; False where it cannot."""
    return _prctl(PR_SET_CHILD_SUBREAPER)


def renounce_privileges() -> bool:
    """From here on no program that this process becomes gives it rights it has not, so no sudo; False: it cannot."""
    return _prctl(PR_SET_NO_NEW_PRIVS)


def _prctl(option: int) -> bool:
    if sys.platform != "linux":
        return False
    import _ctypes  # its C half: the package around it costs 2 ms and 0.4 MB of every supervisor

    prctl = _ctypes.dlsym(_ctypes.dlopen(None, 0), "prctl")  # type: ignore[arg-type]
    return bool(_ctypes.call_function(prctl, (option, 1, 0, 0, 0)) == 0)
