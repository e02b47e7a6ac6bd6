"""What a commit added to the journal, told to those who note it elsewhere: the log, the figures, the traces."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from pipelines.domain.deploy import Deploy
from pipelines.domain.events import Event

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
