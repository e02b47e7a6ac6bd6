"""Postings: the messages of ours about a deploy, one a kind and surface, and what each was last painted to show."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, select

from pipelines.storage import rows
from pipelines.storage.tables import PostingRow


@dataclass(frozen=True, kw_only=True)
class Posting:
    """`ts` is empty while nobody knows whether it was posted; `painted` is the painter's own mark of what
    it shows, `seq` the number of the deploy's event it is painted up to."""

    deploy: str
    kind: str
    surface: str
    channel: str
    ts: str = ""
    painted: str = ""
    seq: int = 0
    claimed_at: datetime | None = None


def of(session: Session, deploy: str, surface: str) -> dict[str, Posting]:
    found = session.exec(select(PostingRow).where(PostingRow.deploy == deploy, PostingRow.surface == surface))
    return {row.kind: _posting(row) for row in found}


def claim(session: Session, posting: Posting, at: datetime) -> bool:
    """Say that this message is about to be posted; False when somebody said so before."""
    row = PostingRow(
        deploy=posting.deploy,
        kind=posting.kind,
        surface=posting.surface,
        channel=posting.channel,
        ts=posting.ts,
        painted=posting.painted,
        seq=posting.seq,
        claimed_at=at,
        posted_at=at if posting.ts else None,
    )
    return rows.insert(session, row)


def update(session: Session, posting: Posting, at: datetime) -> None:
    """Record where a message is and what it shows now."""
    row = session.get(PostingRow, (posting.deploy, posting.kind, posting.surface))
    if row is None:
        return
    if posting.ts and not row.ts:
        row.posted_at = at
    row.channel, row.ts, row.painted, row.seq = posting.channel, posting.ts, posting.painted, posting.seq


def drop(session: Session, deploy: str, kind: str, surface: str) -> None:
    row = session.get(PostingRow, (deploy, kind, surface))
    if row is not None:
        session.delete(row)


def by_message(session: Session, channel: str, ts: str) -> str | None:
    """The deploy whose message or thread this is."""
    row = session.exec(select(PostingRow).where(PostingRow.channel == channel, PostingRow.ts == ts)).first()
    return row.deploy if row is not None else None


def on_its_way(session: Session, channel: str, since: datetime) -> bool:
    """Whether some message of ours, claimed since then, may be in this channel and nobody knows which one it is."""
    unknown = select(PostingRow.deploy).where(PostingRow.channel == channel, PostingRow.ts == "")
    return session.exec(unknown.where(PostingRow.claimed_at >= since)).first() is not None


def _posting(row: PostingRow) -> Posting:
    return Posting(
        deploy=row.deploy,
        kind=row.kind,
        surface=row.surface,
        channel=row.channel,
        ts=row.ts,
        painted=row.painted,
        seq=row.seq,
        claimed_at=row.claimed_at,
    )
