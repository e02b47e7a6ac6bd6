"""The ledger that the scripts of a torture write themselves, and what it tells alone. Imports nothing of ours.

A line is `start`, `end` or `stopped`, then the script, its target, the version, deploy, fence and process, the room
(service/environment), and the second. One line is not a script's: `crash`, when the whole host is made to die.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

CRASH = "crash"


@dataclass(frozen=True, kw_only=True)
class Line:
    what: str
    script: str = ""
    target: str = ""
    version: str = ""
    deploy: str = ""
    fence: int = 0
    pid: int = 0
    room: str = ""
    at: float = 0.0

    @property
    def run(self) -> tuple[str, str, str, int]:
        """One run of a script."""
        return (self.deploy, self.script, self.target, self.pid)

    @property
    def step(self) -> tuple[str, str, str]:
        return (self.deploy, self.script, self.target)

    def __str__(self) -> str:
        return f"{self.what} {self.script} on {self.target} of {self.version} ({self.deploy}) in {self.room}"


def read(path: Path) -> list[Line]:
    return [_line(text.split()) for text in path.read_text().splitlines()] if path.exists() else []


def _line(words: list[str]) -> Line:
    if words[0] == CRASH:
        return Line(what=CRASH)
    what, script, target, version, deploy, fence, pid, room, at = words
    return Line(
        what=what,
        script=script,
        target=target,
        version=version,
        deploy=deploy,
        fence=int(fence),
        pid=int(pid),
        room=room,
        at=float(at),
    )


def mark_crash(path: Path) -> None:
    """Every script that is open now is dead."""
    with path.open("a") as ledger:
        ledger.write(f"{CRASH}\n")


def spans(lines: Sequence[Line]) -> list[tuple[Line, Line | None]]:
    """Each run of a script by its first line, with the line that it was over by: its own last one, or a crash."""
    open_: dict[tuple[str, str, str, int], Line] = {}
    found: list[tuple[Line, Line | None]] = []
    for line in lines:
        if line.what == "start":
            open_[line.run] = line
        elif line.what == CRASH:
            found += [(begun, line) for begun in open_.values()]
            open_.clear()
        elif line.run in open_:
            found.append((open_.pop(line.run), line))
    return found + [(begun, None) for begun in open_.values()]


def starts(lines: Iterable[Line]) -> Counter[tuple[str, str, str]]:
    """How often each script of each deploy began on each target."""
    return Counter(line.step for line in lines if line.what == "start")


def ended(lines: Iterable[Line]) -> Counter[tuple[str, str, str]]:
    return Counter(line.step for line in lines if line.what == "end")


def serving(lines: Iterable[Line], deploy: str, script: str) -> dict[str, str]:
    """What each target of a room ran before a deploy began there, by the script that installs; "" where it was cut."""
    found: dict[str, str] = {}
    for line in lines:
        if line.deploy == deploy:
            break
        if line.script == script:
            found[line.target] = line.version if line.what == "end" else ""
    return found


def overlaps(lines: Iterable[Line]) -> list[str]:
    """Scripts that began while a script of another deploy was open in the same room."""
    open_: dict[str, dict[tuple[str, str, str, int], Line]] = defaultdict(dict)
    found = []
    for line in lines:
        if line.what == CRASH:
            open_.clear()
            continue
        there = open_[line.room]
        if line.what == "start":
            found += [f"{line} while {other}" for other in there.values() if other.deploy != line.deploy]
            there[line.run] = line
        else:
            there.pop(line.run, None)
    return found


def not_rising(lines: Iterable[Line]) -> list[str]:
    """Deploys that began with a fence not above that of the room's deploy before, or that changed it."""
    highest: dict[str, Line] = {}
    found = []
    for line in lines:
        if line.what != "start":
            continue
        before = highest.get(line.room)
        same = before is not None and before.deploy == line.deploy
        if before is not None and (line.fence != before.fence if same else line.fence <= before.fence):
            found.append(f"{line}: fence {line.fence} after {before.fence} of {before.deploy}")
        highest[line.room] = line
    return found


def hurt(lines: Sequence[Line], stopped: Iterable[str]) -> list[str]:
    """Scripts that began and never ended, though nobody stopped the deploy and no host died."""
    allowed = set(stopped)
    return [
        f"{begun}: hurt"
        for begun, over in spans(lines)
        if begun.deploy not in allowed and (over is None or over.what == "stopped")
    ]


def taken_up(lines: Sequence[Line], restarts: Sequence[float]) -> Iterator[float]:
    """Seconds from the end of each script, or from the start of the bot if that was later, to the deploy's next one."""
    last: dict[str, float] = {}
    for line in lines:
        if line.what == "start" and line.deploy in last:
            before = [at for at in restarts if last[line.deploy] < at <= line.at]
            yield line.at - max([last[line.deploy], *before])
        if line.what == "end":
            last[line.deploy] = line.at
        else:
            last.pop(line.deploy, None)
