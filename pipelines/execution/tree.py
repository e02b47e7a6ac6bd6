"""The process tree of one script as its supervisor holds it: collecting the dead, waiting, ending all that is left.

Loaded by every supervisor, so of the standard library only what loads fast. What a run is, and what its end means, is
not known here.
"""

from __future__ import annotations

import os
import select
import time

from pipelines.execution import cgroup
from pipelines.execution.processes import adopt_orphans, children, descendants, send, start_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
else:
    import _signal as signal  # its C half: the enums around it cost 3 ms and half a megabyte of every supervisor

A_DAY = 86400.0
CROWD = 20  # processes; so many may be more in a moment
HOPS = 200
KILL_LIMIT = 5.0  # seconds of repeated SIGKILL before a process counts as one that cannot be ended


class Tree:
    """The script and all that came from it. Its orphans become our children: no children means that nothing is left."""

    def __init__(self) -> None:
        self.script = 0
        self.status: int | None = None
        self.aborted = False
        self.ended: set[tuple[int, int]] = set()
        self.adopts = adopt_orphans()
        self.group = cgroup.make(f"{os.getpid()}-{start_time(os.getpid())}")
        self.wake, wakes = os.pipe()
        os.set_blocking(self.wake, False)
        os.set_blocking(wakes, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "aborted", True))
        signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)

    def reap(self) -> bool:
        """Collects the dead; False when nothing is left."""
        try:
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                if found[0] == self.script:
                    self.status = found[1]
        except ChildProcessError:
            return not self.adopts and self.signal_group(0)
        return True

    def sleep(self, until: float) -> None:
        """Until a signal or the time has come; where orphans do not become ours their end sends none, so look soon."""
        longest = A_DAY if self.adopts or self.status is None else 0.1
        select.select([self.wake], [], [], max(0.0, min(until - time.monotonic(), longest)))
        try:
            os.read(self.wake, 65536)
        except BlockingIOError:
            return

    def gone(self, within: float) -> bool:
        until = time.monotonic() + within
        while (left := self.reap()) and time.monotonic() < until:
            self.sleep(until)
        return not left

    def signal_group(self, number: int) -> bool:
        try:
            os.killpg(self.script, number)
        except OSError:
            return False
        return True

    def kill(self, *numbers: int) -> int:
        """Signals all that is there now; how many there were."""
        members = descendants()
        self.ended.update((member.pid, member.start) for member in members if member.pid != self.script)
        if signal.SIGKILL in numbers:
            cgroup.kill(self.group)
        for number in numbers:
            for member in members:
                send(member.pid, member.start, number)
            if not self.adopts:
                self.signal_group(number)
        return len(members)

    def chase(self) -> None:
        """SIGKILL for what hops from process to process faster than the process table is read: each hop is our child as
        soon as the one before it is dead."""
        for _ in range(HOPS):
            left = children()
            for child in left:
                send(child.pid, child.start, signal.SIGKILL)
            if not left or not self.reap():
                return

    def end(self, grace: float) -> bool:
        """TERM (CONT for what is stopped), the grace, then KILL until nothing is left; False when something stays.

        What forks faster than one look at the process table is looked at again at once, not after a pause."""
        self.kill(signal.SIGTERM, signal.SIGCONT)
        limit = time.monotonic() + grace + KILL_LIMIT
        gone = self.gone(grace)
        while not gone and time.monotonic() < limit:
            left = self.kill(signal.SIGKILL)
            self.chase()
            gone = self.gone(0.0 if left > CROWD else 0.05)
        return gone

    def follow(self, timeout: float, silence: float, out: int) -> str:
        """Waits for the script's end, or for a reason to end it. Silence is looked at ten times in its limit."""
        late, grew, size = time.monotonic() + timeout, time.monotonic(), -1
        while True:
            self.reap()
            now, before, size = time.monotonic(), size, os.fstat(out).st_size
            grew = now if size != before else grew
            if self.status is not None:
                return "exit"
            if self.aborted:
                return "abort"
            if now >= late:
                return "timeout"
            if now >= grew + silence:
                return "silence"
            self.sleep(min(late, now + silence / 10))

    def outcome(self) -> tuple[int | None, int | None]:
        """The script's exit code or the signal that ended it; neither while it lives."""
        if self.status is None:
            return None, None
        code = os.waitstatus_to_exitcode(self.status)
        return (code, None) if code >= 0 else (None, -code)
