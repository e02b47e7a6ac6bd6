"""The journal and its snapshots inside one transaction: append an event, and room and deploys are what it makes them.

A `Book` lives as long as its transaction. Taking a room locks its row, so two deciders never see the same one; it
shares its environment's, so that whoever changes that waits for those who decide by it.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col, select

from pipelines.domain.deploy import Deploy
from pipelines.domain.events import FRONT, Event, Planned
from pipelines.domain.fold import State, fold
from pipelines.domain.model import environment_name, room_name
from pipelines.domain.room import Room
from pipelines.storage import codec, deploys, rows
from pipelines.storage.journal import Entry, entered
from pipelines.storage.tables import DeployRow, EventRow, StreamRow

Enqueue = Callable[[Session, str], None]


class Book:
    """`enqueue` starts the workflow of a planned deploy, inside this very transaction."""

    def __init__(self, session: Session, topics: set[str], enqueue: Enqueue) -> None:
        self.session = session
        self.topics = topics
        self._enqueue = enqueue
        self._held: dict[str, StreamRow] = {}

    def front(self, event: Event, at: datetime, *, by: str, via: str) -> None:
        """An event that is no room's."""
        seq = self._next(FRONT)
        self._insert(FRONT, seq, event, at, by=by, via=via)
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
        before = state
        for event in events:
            row.seq += 1
            seq = row.seq
            self._insert(name, seq, event, at, by=by, via=via)
            state = fold(state, event, at, seq)
            deploy = state.deploys.get(getattr(event, "deploy", ""))
            entered(self.session, Entry(stream=name, seq=seq, at=at, by=by, via=via, event=event, deploy=deploy))
            if isinstance(event, Planned):
                self._enqueue(self.session, event.deploy)
        row.body = codec.dump(state.room)
        for deploy in state.deploys.values():
            if before.deploys.get(deploy.id) is not deploy:
                self._save(deploy)
        self.topics |= {"journal", f"room:{name}"}
        return state

    def _stream(self, name: str, *, share: bool = False) -> StreamRow:
        """The stream's row as it is once nobody else has it, and nobody else's until the end of the transaction;
        `share`: others may share it too."""
        if name not in self._held:
            self._held[name] = self._locked(name, share=share)
        return self._held[name]

    def _locked(self, name: str, *, share: bool) -> StreamRow:
        query = select(StreamRow).where(StreamRow.name == name).with_for_update(read=share)
        locked = query.execution_options(populate_existing=True)
        row = self.session.exec(locked).first()
        if row is not None:
            return row
        rows.insert(self.session, StreamRow(name=name, seq=0, body=""))
        return self.session.exec(locked).one()

    def _next(self, name: str) -> int:
        """The stream's next number: nobody else gets one before the end of the transaction."""
        count = update(StreamRow).where(col(StreamRow.name) == name).values(seq=StreamRow.seq + 1)
        counted = count.returning(col(StreamRow.seq)).execution_options(synchronize_session=False)
        seq: int | None = self.session.execute(counted).scalar()
        if seq is None:
            rows.insert(self.session, StreamRow(name=name, seq=0, body=""))
            return int(self.session.execute(counted).scalar_one())
        return seq

    def _insert(self, stream: str, seq: int, event: Event, at: datetime, *, by: str, via: str) -> None:
        body = codec.dump(event)
        self.session.add(
            EventRow(stream=stream, seq=seq, at=at, by=by, via=via, kind=event.kind, v=codec.VERSION, body=body)
        )

    def _save(self, deploy: Deploy) -> None:
        state = deploy.outcome.value if deploy.outcome else "running"
        row = self.session.get(DeployRow, deploy.id)
        body = codec.dump(deploy)
        if row is None:
            row = DeployRow(
                id=deploy.id, room=deploy.room, state=state, by=deploy.by.id, at=deploy.at, seq=deploy.seq, body=body
            )
            self.session.add(row)
        row.state, row.seq, row.body = state, deploy.seq, body
        self.topics.add(f"deploy:{deploy.id}")
