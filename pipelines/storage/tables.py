"""The rows. They are never the domain: `codec` turns their bodies into values and back."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel


class EventRow(SQLModel, table=True):
    """The journal, append-only. `seq` has no gaps within a stream."""

    __tablename__ = "event"
    __table_args__ = (UniqueConstraint("stream", "seq"),)

    id: int | None = Field(default=None, primary_key=True)
    stream: str
    seq: int
    at: datetime
    by: str
    via: str
    kind: str
    v: int
    body: str


class StreamRow(SQLModel, table=True):
    """A stream's last number; for a room also its snapshot. This row is the room's lock."""

    __tablename__ = "stream"

    name: str = Field(primary_key=True)
    seq: int
    body: str


BEHIND = text("painted != seq")  # as it stands in the query, else the index is not used

OPEN = text("ended_at IS NULL")


class DeployRow(SQLModel, table=True):
    """A deploy's snapshot. `state` is running, live, failed or aborted; `painted`: what Slack shows is true up to this
    event."""

    __tablename__ = "deploy"
    __table_args__ = (
        Index("deploy_by_room", "room", "at"),
        Index("deploy_by_state", "state"),
        Index("deploy_by_person", "by", "at"),
        Index("deploy_behind", "at", sqlite_where=BEHIND, postgresql_where=BEHIND),
    )

    id: str = Field(primary_key=True)
    room: str
    state: str
    by: str
    at: datetime
    seq: int
    body: str
    painted: int = Field(default=0, sa_column_kwargs={"server_default": "0"})


class AskRow(SQLModel, table=True):
    """What was asked, until it is decided and the answer has been given. `outcome` is the answer."""

    __tablename__ = "ask"
    __table_args__ = (Index("ask_open", "decided_at"), Index("ask_unanswered", "surface", "answered_at"))

    id: str = Field(primary_key=True)
    key: str = Field(unique=True)
    at: datetime
    surface: str
    body: str
    decided_at: datetime | None = None
    outcome: str = ""
    answered_at: datetime | None = None


class StepRow(SQLModel, table=True):
    """The claim of one attempt of a step: inserted once, carried out by the agent of the host it names."""

    __tablename__ = "step"
    __table_args__ = (Index("step_open", "host", sqlite_where=OPEN, postgresql_where=OPEN),)

    deploy: str = Field(primary_key=True)
    step: str = Field(primary_key=True)
    attempt: int = Field(primary_key=True)
    host: str
    work: str
    stop: bool = False
    claimed_at: datetime
    ended_at: datetime | None = None
    progress: str = ""
    detail: str = ""
    report: str = ""


class OutputRow(SQLModel, table=True):
    """A piece of a step's output, compressed. `offset` counts the masked bytes before it; `size` is its own length."""

    __tablename__ = "output"

    deploy: str = Field(primary_key=True)
    step: str = Field(primary_key=True)
    attempt: int = Field(primary_key=True)
    offset: int = Field(primary_key=True)
    size: int
    at: datetime
    data: bytes = Field(sa_type=LargeBinary)


class PostingRow(SQLModel, table=True):
    """A message of ours about a deploy: where it is, what it shows, and who paints it until when."""

    __tablename__ = "posting"
    __table_args__ = (Index("posting_by_ts", "channel", "ts"),)

    deploy: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    surface: str = Field(primary_key=True)
    channel: str
    ts: str = ""
    painted: str = ""
    seq: int = 0
    claimed_at: datetime
    posted_at: datetime | None = None
