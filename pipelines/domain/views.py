"""What people look at: rooms as they are now, for whoever shows them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipelines.domain.deploy import Deploy
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
    last: Deploy | None = None
    configured: bool = True
