"""Step claims and output: what the engine asks of the agent, and what came of it."""

import zlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select

from pipelines.domain.events import Progress, Report
from pipelines.domain.stepwork import Work
from pipelines.storage import codec, rows
from pipelines.storage.tables import OutputRow, StepRow

ANY_HOST = ""  # a claim that any host may take for its own
KEPT_FIRST = 2 * 1024 * 1024
KEPT_LAST = 18 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class StepKey:
    deploy: str
    step: str
    attempt: int


@dataclass(frozen=True, kw_only=True)
class Claim:
    """An attempt that somebody must carry out, or does, on `host` and since `at`; `stop`: it shall be ended. `progress`
    None: it never began."""

    key: StepKey
    host: str
    work: Work
    stop: bool
    progress: Progress | None
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Ending:
    """`at` is when it really ended; None: just now."""

    progress: Progress
    detail: str = ""
    report: Report | None = None
    at: datetime | None = None


def claim(session: Session, key: StepKey, work: Work, host: str, at: datetime) -> None:
    """Claim the attempt for the agent of `host`, or for whichever agent takes it first; claimed already is fine."""
    if session.get(StepRow, (key.deploy, key.step, key.attempt)) is None:
        row = StepRow(
            deploy=key.deploy, step=key.step, attempt=key.attempt, host=host, work=codec.dump(work), claimed_at=at
        )
        session.add(row)


def begin(session: Session, key: StepKey) -> bool:
    """Record that the attempt is about to begin: from now on a run folder that is gone means that nobody can know.
    False: somebody said meanwhile that it is over."""
    row = session.get(StepRow, (key.deploy, key.step, key.attempt), with_for_update=True)
    if row is not None and not row.progress:
        row.progress = Progress.RUNNING.value
    return row is None or row.ended_at is None


def stop(session: Session, key: StepKey) -> None:
    row = session.get(StepRow, (key.deploy, key.step, key.attempt))
    if row is not None and not row.stop:
        row.stop = True


def stop_all(session: Session, deploy: str) -> None:
    going = update(StepRow).where(col(StepRow.deploy) == deploy, col(StepRow.ended_at).is_(None))
    session.execute(going.values(stop=True))


def end(session: Session, key: StepKey, ending: Ending, at: datetime) -> None:
    """Record how an attempt ended, once. Unsupervised is not an end: it may still be followed by one."""
    row = session.get(StepRow, (key.deploy, key.step, key.attempt), with_for_update=True)
    if row is None or row.ended_at is not None:
        return
    row.progress, row.detail = ending.progress.value, ending.detail.replace("\0", "\ufffd")  # no text has a NUL there
    row.report = codec.dump(ending.report) if ending.report else ""
    if ending.progress is not Progress.UNSUPERVISED:
        row.ended_at = ending.at or at


def ending(session: Session, key: StepKey) -> Ending | None:
    """How the attempt ended, None while it has not."""
    row = session.get(StepRow, (key.deploy, key.step, key.attempt))
    if row is None or row.progress in ("", Progress.RUNNING.value):
        return None
    report = codec.load(Report, row.report) if row.report else None
    return Ending(progress=Progress(row.progress), detail=row.detail, report=report, at=row.ended_at)


def open_claims(session: Session, host: str) -> list[Claim]:
    """What the agent of a host has to do, and what it may take."""
    theirs = col(StepRow.host).in_((host, ANY_HOST))
    found = session.exec(select(StepRow).where(theirs, col(StepRow.ended_at).is_(None)))
    return list(codec.each("the claim of", found, _claim, lambda row: f"{row.deploy} {row.step}"))


def open_elsewhere(session: Session, host: str) -> dict[StepKey, str]:
    """What other hosts have to do, and which."""
    found = select(StepRow.deploy, StepRow.step, StepRow.attempt, StepRow.host).where(
        col(StepRow.host).not_in((host, ANY_HOST)), col(StepRow.ended_at).is_(None)
    )
    return {StepKey(deploy=deploy, step=step, attempt=n): whose for deploy, step, n, whose in session.exec(found)}


def _claim(row: StepRow) -> Claim:
    return Claim(
        key=StepKey(deploy=row.deploy, step=row.step, attempt=row.attempt),
        host=row.host,
        work=codec.load(Work, row.work),
        stop=row.stop,
        progress=Progress(row.progress) if row.progress else None,
        at=row.claimed_at,
    )


def take(session: Session, host: str) -> None:
    """Make a host's own what any host may take; of two that do so at once each claim is one's."""
    free = update(StepRow).where(col(StepRow.host) == ANY_HOST, col(StepRow.ended_at).is_(None))
    session.execute(free.values(host=host))


def _of(key: StepKey) -> tuple[object, ...]:
    return (OutputRow.deploy == key.deploy, OutputRow.step == key.step, OutputRow.attempt == key.attempt)


def append_output(session: Session, key: StepKey, offset: int, data: bytes, at: datetime) -> None:
    """Keep a piece of output that begins at `offset`; a piece that is there already is left alone. Of each step the
    first 2 MB and the last 18 are kept."""
    row = OutputRow(
        deploy=key.deploy,
        step=key.step,
        attempt=key.attempt,
        offset=offset,
        size=len(data),
        at=at,
        data=zlib.compress(data, 1),
    )
    if not rows.insert(session, row):
        return
    end = offset + len(data)
    if end > KEPT_FIRST + KEPT_LAST:
        middle = (col(OutputRow.offset) >= KEPT_FIRST, col(OutputRow.offset) + col(OutputRow.size) <= end - KEPT_LAST)
        session.execute(delete(OutputRow).where(*_of(key), *middle))  # type: ignore[arg-type]


def output_end(session: Session, key: StepKey) -> int:
    """How many bytes of output were recorded so far."""
    row = session.exec(
        select(func.max(OutputRow.offset + OutputRow.size)).where(*_of(key))  # type: ignore[arg-type]
    ).first()
    return row or 0


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Output from `offset` on; a gap before it was cut."""

    key: StepKey
    offset: int
    data: bytes


def pieces(session: Session, deploy: str) -> list[Piece]:
    """All the output of a deploy that is kept, in the order in which its steps were claimed."""
    found = session.exec(
        select(OutputRow, StepRow.claimed_at)
        .where(
            OutputRow.deploy == deploy,
            StepRow.deploy == OutputRow.deploy,
            StepRow.step == OutputRow.step,
            StepRow.attempt == OutputRow.attempt,
        )
        .order_by(col(StepRow.claimed_at), col(OutputRow.step), col(OutputRow.attempt), col(OutputRow.offset))
    )
    return [_piece(row) for row, _ in found]


def last_pieces(session: Session, deploy: str, size: int) -> list[Piece]:
    """The newest output of a deploy, at least `size` bytes where there is so much, oldest first."""
    newest = select(OutputRow).where(OutputRow.deploy == deploy).order_by(col(OutputRow.at).desc())
    found: list[Piece] = []
    for row in session.exec(newest.execution_options(yield_per=8)):
        found.append(_piece(row))
        if sum(len(piece.data) for piece in found) >= size:
            break
    return found[::-1]


def _piece(row: OutputRow) -> Piece:
    key = StepKey(deploy=row.deploy, step=row.step, attempt=row.attempt)
    return Piece(key=key, offset=row.offset, data=zlib.decompress(row.data))
