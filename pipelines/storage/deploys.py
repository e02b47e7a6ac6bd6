"""Reading snapshots: deploys and rooms as they were at the last commit."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from pipelines.domain.deploy import Deploy
from pipelines.domain.fold import State
from pipelines.domain.model import Person, room_name
from pipelines.domain.room import Room
from pipelines.storage import codec
from pipelines.storage.tables import BEHIND, DeployRow, StreamRow

Place = tuple[str, str]  # a service and an environment

# Made once: making a statement takes longer than answering it.
_NEWEST_OF_ROOM = (
    select(DeployRow.at, DeployRow.id)
    .where(DeployRow.room == bindparam("room"))
    .order_by(col(DeployRow.at).desc())
    .limit(bindparam("limit"))
)
_BODIES = select(DeployRow.id, DeployRow.body).where(col(DeployRow.id).in_(bindparam("names", expanding=True)))


@dataclass(frozen=True, kw_only=True)
class Asker:
    """Who asked for a deploy, and when: the part of its snapshot that is quickly read."""

    by: Person
    at: datetime


def deploy(session: Session, deploy_id: str) -> Deploy | None:
    row = session.get(DeployRow, deploy_id)
    return codec.load(Deploy, row.body) if row is not None else None


def room(session: Session, service: str, environment: str) -> Room:
    row = session.get(StreamRow, room_name(service, environment))
    if row is None or not row.body:
        return Room(service=service, environment=environment)
    return codec.load(Room, row.body)


def rooms(session: Session, places: Iterable[Place]) -> dict[Place, Room]:
    """The rooms of these services and environments, in one look."""
    names = {room_name(*place): place for place in places}
    found = session.exec(select(StreamRow.name, StreamRow.body).where(col(StreamRow.name).in_(names)))
    bodies = {name: body for name, body in found if body}
    return {
        (service, environment): codec.load(Room, bodies[name])
        if name in bodies
        else Room(service=service, environment=environment)
        for name, (service, environment) in names.items()
    }


def last(session: Session, service: str, environment: str) -> Deploy | None:
    """The newest deploy that was planned in a room."""
    newest = room(session, service, environment).last
    return deploy(session, newest) if newest else None


def running(session: Session) -> list[Deploy]:
    """The deploys that are not over, oldest first."""
    rows = session.exec(select(DeployRow).where(DeployRow.state == "running").order_by(col(DeployRow.at)))
    return list(codec.load_each(Deploy, ((row.id, row.body) for row in rows)))


def running_ids(session: Session) -> list[str]:
    return list(session.exec(select(DeployRow.id).where(DeployRow.state == "running")))


def unpainted(session: Session) -> list[Deploy]:
    """The deploys that run, and those that changed since they were painted; oldest first."""
    behind = select(DeployRow).where(BEHIND, DeployRow.state != "running")
    found = [*running(session), *codec.load_each(Deploy, ((row.id, row.body) for row in session.exec(behind)))]
    return sorted(found, key=lambda one: one.at)


def painted(session: Session, deploy_id: str, seq: int) -> None:
    """What is shown of a deploy is true up to its event `seq`."""
    row = session.get(DeployRow, deploy_id)
    if row is not None:
        row.painted = seq


def latest_of(session: Session, person: str, limit: int = 20) -> list[Deploy]:
    """The newest deploys that a person asked for, newest first."""
    rows = session.exec(select(DeployRow).where(DeployRow.by == person).order_by(col(DeployRow.at).desc()).limit(limit))
    return list(codec.load_each(Deploy, ((row.id, row.body) for row in rows)))


def of_rooms(session: Session, places: Iterable[Place], limit: int) -> list[Deploy]:
    """The newest deploys of some rooms, newest first."""
    return list(codec.load_each(Deploy, _newest(session, places, limit)))


def askers(session: Session, places: Iterable[Place], limit: int) -> list[Asker]:
    """Who asked for the newest deploys of some rooms, newest first."""
    return list(codec.load_each(Asker, _newest(session, places, limit)))


def _newest(session: Session, places: Iterable[Place], limit: int) -> list[tuple[str, str]]:
    """Ids and bodies. Of each room an index has the newest; a body is read only of what is among the newest of all."""
    found: list[tuple[datetime, str]] = []
    for place in places:
        rows = session.exec(_NEWEST_OF_ROOM, params={"room": room_name(*place), "limit": limit})
        found += [(at, name) for at, name in rows]
    if not found:
        return []
    order = [name for _, name in sorted(found, reverse=True)[:limit]]
    bodies = dict(session.exec(_BODIES, params={"names": order}).all())
    return [(name, bodies[name]) for name in order]


def newest(session: Session, limit: int) -> Iterator[Deploy]:
    """The newest deploys of all, newest first: ids rise with time."""
    rows = session.exec(select(DeployRow.id, DeployRow.body).order_by(col(DeployRow.id).desc()).limit(limit))
    return codec.load_each(Deploy, rows)


def named(session: Session, wanted: Iterable[str | None]) -> dict[str, Deploy]:
    """The deploys of these ids, as far as there are any."""
    names = sorted({name for name in wanted if name})
    found = session.execute(_BODIES, {"names": names}) if names else ()
    return {name: codec.load(Deploy, body) for name, body in found}


def state(session: Session, service: str, environment: str) -> State:
    """A room with its last, running and live deploys, as they were at the last commit: to look, not to decide."""
    there = room(session, service, environment)
    return State(room=there, deploys=named(session, (there.last, there.running, there.live_deploy)))
