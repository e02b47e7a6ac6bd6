"""What people look at: rooms as they are now, what happened, what would be. Values for whoever shows them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pipelines.domain.commands import Pin
from pipelines.domain.decide import Ahead
from pipelines.domain.deploy import Deploy
from pipelines.domain.refs import Commits, RefKind
from pipelines.domain.room import Live, TargetState


@dataclass(frozen=True, kw_only=True)
class RoomView:
    """A room: `live` is None while its targets disagree or nothing is known; `by` is who made live what is live. One
    that is not `configured` is there for the deploy that runs in it."""

    service: str
    environment: str
    protected: bool = False
    live: Live | None = None
    by: str = ""
    targets: Mapping[str, TargetState] = field(default_factory=dict)
    running: Deploy | None = None
    configured: bool = True


@dataclass(frozen=True, kw_only=True)
class StatusView:
    """`problems` are those of a configuration file that was changed and does not hold."""

    rooms: tuple[RoomView, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PreviewView:
    """What a deploy would do; `asked` is what was typed."""

    service: str
    environment: str
    asked: str
    ahead: Ahead


@dataclass(frozen=True, kw_only=True)
class HistoryView:
    """The newest deploys of a room, or of a service (`environment` None), newest first; `more` are not in the list."""

    service: str
    environment: str | None
    deploys: tuple[Deploy, ...]
    more: bool = False


@dataclass(frozen=True, kw_only=True)
class DiffView:
    """The commits and the number of files between what is live (None: nobody knows) and a version. `stale` is when the
    repository was last reached, where it cannot be now."""

    service: str
    environment: str
    version: str
    live: Live | None
    commits: Commits | None = None
    files: int = 0
    stale: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """Who may deploy to an environment: None is any full member. `groups` are those among `who`, with their members
    (None: nobody can tell now)."""

    environment: str
    who: tuple[str, ...] | None
    groups: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    running: Deploy | None = None


@dataclass(frozen=True, kw_only=True)
class Deployer:
    """Somebody who deployed a service lately: how often, of the newest deploys that were looked at, and when last."""

    name: str
    deploys: int
    last: datetime


@dataclass(frozen=True, kw_only=True)
class ServiceWho:
    service: str
    allowed: tuple[Allowed, ...]
    lately: tuple[Deployer, ...]


@dataclass(frozen=True, kw_only=True)
class WhoView:
    services: tuple[ServiceWho, ...]


@dataclass(frozen=True, kw_only=True)
class WayBack:
    """A deploy that can be gone back from, and to what."""

    deploy: Deploy
    to: Pin


@dataclass(frozen=True, kw_only=True)
class RecentView:
    ways: tuple[WayBack, ...]


@dataclass(frozen=True, kw_only=True)
class Name:
    """A name of a version to choose: a tag or a branch. `used` says how often it was deployed lately."""

    text: str
    kind: RefKind
    used: int = 0


@dataclass(frozen=True, kw_only=True)
class ChoicesView:
    """What there is to choose from: for one service, with the versions most used first, or (`service` None) for all."""

    service: str | None
    services: tuple[str, ...]
    environments: tuple[str, ...]
    versions: tuple[Name, ...] = ()


View = StatusView | PreviewView | HistoryView | DiffView | WhoView | RecentView | ChoicesView
