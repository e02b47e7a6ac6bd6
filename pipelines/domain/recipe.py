"""How a service is deployed: a checked `deploy.yml` as values. Reading and checking the file is `catalog`'s."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

STEP_TIMEOUT = 15 * 60.0
CHECK_TIMEOUT = 30.0
CHECK_RETRIES = 2
CHECK_PAUSE = 2.0
STATUS_TIMEOUT = 30.0


class OnLost(StrEnum):
    """What to do when nobody can know how a step ended."""

    ASK = "ask"
    RERUN = "rerun"


@dataclass(frozen=True, kw_only=True)
class Script:
    """An executable of the service's repository; `run` is its path from the root of the tree. Times in seconds;
    `silence` is how long it may print nothing, 0 for as long as it likes."""

    run: str
    timeout: float = STEP_TIMEOUT
    silence: float = 0.0
    on_lost: OnLost = OnLost.ASK
    detach: bool = False


class CheckKind(StrEnum):
    HTTP = "http"
    TCP = "tcp"
    RUN = "run"


@dataclass(frozen=True, kw_only=True)
class Check:
    """`what` is a URL, an address `host:port`, or a script's path; `$NAME` in it is replaced."""

    kind: CheckKind
    what: str
    timeout: float = CHECK_TIMEOUT
    silence: float = 0.0
    retries: int = CHECK_RETRIES
    on_lost: OnLost = OnLost.RERUN
    detach: bool = False


@dataclass(frozen=True, kw_only=True)
class StatusUrl:
    url: str
    timeout: float = STATUS_TIMEOUT


@dataclass(frozen=True, kw_only=True)
class Rolling:
    """`batch` targets at a time, or `percent` of them (at least one); `bake` seconds of patience after each batch."""

    kind: Literal["rolling"] = "rolling"
    batch: int = 1
    percent: float | None = None
    bake: float = 0.0

    def size(self, targets: int) -> int:
        return self.batch if self.percent is None else max(1, int(targets * self.percent / 100))


@dataclass(frozen=True, kw_only=True)
class Recreate:
    kind: Literal["recreate"] = "recreate"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    deploy: Script
    route: Script | None = None
    status: Script | StatusUrl | None = None
    stop: Script | None = None
    before: tuple[Script, ...] = ()
    after: tuple[Script, ...] = ()
    checks: tuple[Check, ...] = ()
    strategy: Rolling | Recreate = Rolling()
    timeout: float | None = None
    secrets: tuple[str, ...] = ()  # names alone
