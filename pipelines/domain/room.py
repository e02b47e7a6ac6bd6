"""A room: one service in one environment, as last known. What is live, what runs, what was good here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Traffic(StrEnum):
    UNKNOWN = "unknown"  # nobody said: taken to be in
    IN = "in"
    OUT = "out"
    UNSURE = "unsure"  # a table was being applied when that ended otherwise than well: in or out, nobody knows


@dataclass(frozen=True, kw_only=True)
class TargetState:
    """What a target was last seen to run; `version` None: nobody knows (`changing`: a deploy was on it)."""

    version: str | None = None
    commit: str | None = None
    at: datetime | None = None
    traffic: Traffic = Traffic.UNKNOWN
    changing: bool = False
    reported: bool = False  # its `status` said so; else it rests on an exit code


@dataclass(frozen=True, kw_only=True)
class Good:
    """A version that ended green here or was found live. `deploy` is empty where it was found."""

    version: str
    commit: str
    at: datetime
    deploy: str = ""
    rolled_back: bool = False


@dataclass(frozen=True, kw_only=True)
class Live:
    version: str
    commit: str
    since: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Room:
    """`last` is the newest deploy planned here, `live_deploy` the newest that went live (empty: found by `status`)."""

    service: str
    environment: str
    fence: int = 0
    running: str | None = None
    last: str | None = None
    last_commit: str | None = None
    live_deploy: str = ""
    live_at: datetime | None = None
    live_by: str = ""
    targets: Mapping[str, TargetState] = field(default_factory=dict)
    good: tuple[Good, ...] = ()
    probed: bool = False

    def live(self, names: Iterable[str]) -> Live | None:
        """What is live when the targets named agree on it, else None."""
        states = [self.targets.get(name, TargetState()) for name in names]
        commits = {state.commit for state in states}
        if len(commits) != 1 or not states or states[0].commit is None or states[0].version is None:
            return None
        since = max((state.at for state in states if state.at), default=None)
        return Live(version=states[0].version, commit=states[0].commit, since=since)

    def was_good(self, commit: str) -> bool:
        """Whether this commit ended green here once, or was found live."""
        return any(good.commit == commit for good in self.good)

    def last_good(self) -> Good | None:
        """Where a rollback would go: the most recent good version, by time, that is neither the room's last or
        running deploy's nor one that was rolled back from since. Before the first deploy there is no way back."""
        if self.last is None:
            return None
        fit = [g for g in self.good if not g.rolled_back and g.commit != self.last_commit]
        return max(fit, key=lambda good: good.at, default=None)
