"""The journal and its snapshots inside one transaction: append an event, and room and deploys are what it makes them.

A `Book` lives as long as its transaction. Taking a room locks its row, so two deciders never see the same one; it
shares its environment's, so that whoever changes that waits for those who decide by it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sql
from sqlmodel import Session

from pipelines.domain.deploy import Deploy
from pipelines.domain.events import FRONT, Event, Planned
from pipelines.domain.fold import State, fold
from pipelines.domain.model import environment_name, room_name
from pipelines.domain.room import Room
from pipelines.storage import codec, deploys, rows
from pipelines.storage.journal import Entry, entered
from pipelines.storage.tables import DeployRow, EventRow, StreamRow

Enqueue = Callable[[Session, str], None]
Written = dict[str, Any]

_STREAM, _DEPLOY = rows.table(StreamRow), rows.table(DeployRow)
_THIS = _STREAM.c.name == sql.bindparam("this")
_LOCKED = sql.select(_STREAM.c.seq, _STREAM.c.body).where(_THIS)
_ALONE, _SHARED = _LOCKED.with_for_update(), _LOCKED.with_for_update(read=True)
_COUNT = sql.update(_STREAM).where(_THIS).values(seq=_STREAM.c.seq + 1).returning(_STREAM.c.seq)
_ROOM = sql.update(_STREAM).where(_THIS).values(seq=sql.bindparam("last"), body=sql.bindparam("now"))
_SAVE = (
    sql.update(_DEPLOY)
    .where(_DEPLOY.c.id == sql.bindparam("this"))
    .values(state=sql.bindparam("is_now"), seq=sql.bindparam("last"), body=sql.bindparam("now"))
)
_EVENT = sql.insert(rows.table(EventRow))


@dataclass(kw_only=True)
class Held:
    """A stream's row, as it is in this transaction."""

    seq: int
    body: str


class Book:
    """`enqueue` starts the workflow of a planned deploy, inside this very transaction."""

    def __init__(self, session: Session, topics: set[str], enqueue: Enqueue) -> None:
        self.session = session
        self.topics = topics
        self._enqueue = enqueue
        self._held: dict[str, Held] = {}

    def front(self, event: Event, at: datetime, *, by: str, via: str) -> None:
        """An event that is no room's."""
        seq = self._next(FRONT)
        rows.write(self.session, _EVENT, _written(FRONT, seq, event, at, by=by, via=via))
        entered(self.session, Entry(stream=FRONT, seq=seq, at=at, by=by, via=via, event=event))

    def state(self, service: str, environment: str, *more: str | None) -> State:
        """The room, locked, with its last, running and live deploys and those named in `more`. Its environment stays
        as it is meanwhile."""
        self._stream(environment_name(environment), share=True)
        row = self._stream(room_name(service, environment))
        room = codec.load(Room, row.body) if row.body else Room(service=service, environment=environment)
        wanted = (room.last, room.running, room.live_deploy, *more)
        return State(room=room, deploys=deploys.named(self.session, wanted))

    def append(self, state: State, events: Iterable[Event], at: datetime, *, by: str, via: str) -> State:
        """The state after the events, which are in the journal then; deploys they plan are enqueued."""
        name = room_name(state.room.service, state.room.environment)
        row = self._stream(name)
        before, written = state, list[Written]()
        for event in events:
            row.seq += 1
            state = fold(state, event, at, row.seq)
            written.append(_written(name, row.seq, event, at, by=by, via=via))
            deploy = state.deploys.get(getattr(event, "deploy", ""))
            entered(self.session, Entry(stream=name, seq=row.seq, at=at, by=by, via=via, event=event, deploy=deploy))
            if isinstance(event, Planned):
                self._enqueue(self.session, event.deploy)
        if not written:
            return state
        row.body = codec.dump(state.room)
        rows.write(self.session, _EVENT, *written)
        rows.write(self.session, _ROOM, {"this": name, "last": row.seq, "now": row.body})
        for deploy in state.deploys.values():
            if before.deploys.get(deploy.id) is not deploy:
                self._save(deploy)
        self.topics |= {"journal", f"room:{name}"}
        return state

    def _stream(self, name: str, *, share: bool = False) -> Held:
        """The stream's row as it is once nobody else has it, and nobody else's until the end of the transaction;
        `share`: others may share it too."""
        if name not in self._held:
            self._held[name] = self._locked(name, _SHARED if share else _ALONE)
        return self._held[name]

    def _locked(self, name: str, lock: sql.Select[Any]) -> Held:
        found = rows.ask(self.session, lock, this=name)
        if not found:
            rows.insert(self.session, StreamRow(name=name, seq=0, body=""))
            found = rows.ask(self.session, lock, this=name)
        [(seq, body)] = found
        return Held(seq=seq, body=body)

    def _next(self, name: str) -> int:
        """The stream's next number: nobody else gets one before the end of the transaction."""
        found = rows.ask(self.session, _COUNT, this=name)
        if not found:
            rows.insert(self.session, StreamRow(name=name, seq=0, body=""))
            found = rows.ask(self.session, _COUNT, this=name)
        return int(found[0].seq)

    def _save(self, deploy: Deploy) -> None:
        state, body = deploy.outcome.value if deploy.outcome else "running", codec.dump(deploy)
        given = {"this": deploy.id, "is_now": state, "last": deploy.seq, "now": body}
        if not rows.write(self.session, _SAVE, given):
            row = DeployRow(
                id=deploy.id, room=deploy.room, state=state, by=deploy.by.id, at=deploy.at, seq=deploy.seq, body=body
            )
            rows.insert(self.session, row)
        self.topics.add(f"deploy:{deploy.id}")


def _written(stream: str, seq: int, event: Event, at: datetime, *, by: str, via: str) -> Written:
    """An event as a row of the journal."""
    kept = {"kind": event.kind, "v": codec.VERSION, "body": codec.dump(event)}
    return {"stream": stream, "seq": seq, "at": at, "by": by, "via": via, **kept}
