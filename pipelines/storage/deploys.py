"""Reading snapshots: deploys and rooms as they were at the last commit."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sql
from sqlalchemy import bindparam
from sqlmodel import Session, select

from pipelines.domain.deploy import Deploy
from pipelines.domain.fold import State
from pipelines.domain.model import Person, room_name
from pipelines.domain.room import Room
from pipelines.storage import codec, rows
from pipelines.storage.tables import BEHIND, DeployRow, StreamRow

Place = tuple[str, str]  # a service and an environment
AT_ONCE = 100  # rooms of one question: SQLite takes no more than 500

_DEPLOY, _STREAM = rows.table(DeployRow).c, rows.table(StreamRow).c
_BODIES = sql.select(_DEPLOY.id, _DEPLOY.body).where(_DEPLOY.id.in_(bindparam("names", expanding=True)))
_NEWEST = sql.select(_DEPLOY.id, _DEPLOY.body).order_by(_DEPLOY.id.desc()).limit(bindparam("limit"))
_RUNNING = sql.select(_DEPLOY.id, _DEPLOY.body).where(_DEPLOY.state == "running").order_by(_DEPLOY.at)
_BEHIND = sql.select(_DEPLOY.id, _DEPLOY.body).where(BEHIND, _DEPLOY.state != "running")
_THEIRS = (
    sql.select(_DEPLOY.id, _DEPLOY.body)
    .where(_DEPLOY.by == bindparam("person"))
    .order_by(_DEPLOY.at.desc())
    .limit(bindparam("limit"))
)
_ROOMS = sql.select(_STREAM.name, _STREAM.body).where(_STREAM.name.in_(bindparam("names", expanding=True)))


@cache
def _newest_of(rooms: int) -> sql.CompoundSelect[Any]:
    """The newest of some rooms: an index has those of each."""
    one = [
        sql.select(_DEPLOY.at, _DEPLOY.id)
        .where(_DEPLOY.room == bindparam(f"room{number}"))
        .order_by(_DEPLOY.at.desc())
        .limit(bindparam("limit"))
        .subquery()
        .select()
        for number in range(rooms)
    ]
    return sql.union_all(*one).order_by(sql.desc("at"), sql.desc("id")).limit(bindparam("limit"))


@dataclass(frozen=True, kw_only=True)
class Asker:
    """Who asked for a deploy, and when: the part of its snapshot that is quickly read."""

    by: Person
    at: datetime


def deploy(session: Session, deploy_id: str) -> Deploy | None:
    return named(session, [deploy_id]).get(deploy_id)


def room(session: Session, service: str, environment: str) -> Room:
    return rooms(session, [(service, environment)])[service, environment]


def rooms(session: Session, places: Iterable[Place]) -> dict[Place, Room]:
    """The rooms of these services and environments, in one look."""
    names = {room_name(*place): place for place in places}
    bodies = {name: body for name, body in rows.ask(session, _ROOMS, names=list(names)) if body}
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
    return list(codec.load_each(Deploy, rows.ask(session, _RUNNING)))


def running_ids(session: Session) -> list[str]:
    return list(session.exec(select(DeployRow.id).where(DeployRow.state == "running")))


def unpainted(session: Session) -> list[Deploy]:
    """The deploys that run, and those that changed since they were painted; oldest first."""
    found = [*running(session), *codec.load_each(Deploy, rows.ask(session, _BEHIND))]
    return sorted(found, key=lambda one: one.at)


def painted(session: Session, deploy_id: str, seq: int) -> None:
    """What is shown of a deploy is true up to its event `seq`."""
    row = session.get(DeployRow, deploy_id)
    if row is not None:
        row.painted = seq


def latest_of(session: Session, person: str, limit: int = 20) -> list[Deploy]:
    """The newest deploys that a person asked for, newest first."""
    return list(codec.load_each(Deploy, rows.ask(session, _THEIRS, person=person, limit=limit)))


def of_rooms(session: Session, places: Iterable[Place], limit: int) -> list[Deploy]:
    """The newest deploys of some rooms, newest first."""
    return list(codec.load_each(Deploy, _newest(session, places, limit)))


def askers(session: Session, places: Iterable[Place], limit: int) -> list[Asker]:
    """Who asked for the newest deploys of some rooms, newest first."""
    return list(codec.load_each(Asker, _newest(session, places, limit)))


def _newest(session: Session, places: Iterable[Place], limit: int) -> list[tuple[str, str]]:
    """Ids and bodies; a body is read only of what is among the newest of all."""
    names = [room_name(*place) for place in places]
    found: list[tuple[datetime, str]] = []
    for start in range(0, len(names), AT_ONCE):
        some = {f"room{number}": name for number, name in enumerate(names[start : start + AT_ONCE])}
        found += [(at, name) for at, name in rows.ask(session, _newest_of(len(some)), **some, limit=limit)]
    order = [name for _, name in sorted(found, reverse=True)[:limit]]
    bodies = dict(rows.ask(session, _BODIES, names=order)) if order else {}
    return [(name, bodies[name]) for name in order]


def newest(session: Session, limit: int) -> Iterator[Deploy]:
    """The newest deploys of all, newest first: ids rise with time."""
    return codec.load_each(Deploy, rows.ask(session, _NEWEST, limit=limit))


def named(session: Session, wanted: Iterable[str | None]) -> dict[str, Deploy]:
    """The deploys of these ids, as far as there are any."""
    names = sorted({name for name in wanted if name})
    found = rows.ask(session, _BODIES, names=names) if names else ()
    return {name: codec.load(Deploy, body) for name, body in found}


def state(session: Session, service: str, environment: str) -> State:
    """A room with its last, running and live deploys, as they were at the last commit: to look, not to decide."""
    there = room(session, service, environment)
    return State(room=there, deploys=named(session, (there.last, there.running, there.live_deploy)))
