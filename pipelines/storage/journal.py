"""The journal for its other readers: what a commit added to it, told to the log, the figures and the traces; and what
it says of one deploy."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from pipelines.domain.deploy import Deploy
from pipelines.domain.events import Event, Planned
from pipelines.domain.model import room_name
from pipelines.storage import codec
from pipelines.storage.tables import EventRow

_KEY = "entered"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """`deploy` is the one that the event touched, as it is after it."""

    stream: str
    seq: int
    at: datetime
    by: str
    via: str
    event: Event
    deploy: Deploy | None = None


Listener = Callable[[Entry], None]


def entered(session: Session, entry: Entry) -> None:
    """Tell of this entry when the transaction is committed, if it is."""
    session.info.setdefault(_KEY, []).append(entry)


def entries(session: Session) -> list[Entry]:
    """What this transaction entered."""
    found: list[Entry] = session.info.get(_KEY, [])
    return found


def of_deploy(session: Session, deploy: Deploy) -> list[tuple[datetime, Event]]:
    """What the journal says of a deploy, from its plan on, oldest first."""
    newest = select(EventRow).where(EventRow.stream == room_name(deploy.plan.service, deploy.plan.environment))
    found: list[tuple[datetime, Event]] = []
    for row in session.exec(newest.order_by(col(EventRow.seq).desc()).execution_options(yield_per=50)):
        event = codec.load_event(row.body)
        if getattr(event, "deploy", None) == deploy.id:
            found.append((row.at, event))
            if isinstance(event, Planned):
                break
    return found[::-1]
