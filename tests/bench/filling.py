"""A database that remembers a million deploys: some that the real bot carried out, and the rest written after them.

Each row is a real one with other names and times in it, so what the real code reads is what the real code wrote. That
is not taken on trust: a copy with the real one's own values must be the real one, to the letter.
"""

import random
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import psycopg

from pipelines import ids
from pipelines.domain.deploy import Deploy
from pipelines.domain.model import room_name
from pipelines.domain.room import Good, Room
from pipelines.storage import codec
from pipelines.storage.database import sqlite_path

SERVICES, ENVIRONMENTS = 25, 4
PEOPLE = 20
YEARS = 5
BUSIEST = 0.2  # of all deploys are in one room
COLUMNS = ("id", "room", "state", "by", "at", "seq", "body", "painted")
AT = "%Y-%m-%d %H:%M:%S.%f"
TIME = r'"\d{4}-\d\d-\d\dT[\d:.]+Z"'
GOOD = 100
# What else is kept of each deploy, after the first row there is: the table, and the columns that are the deploy's own.
ALSO: Mapping[str, Mapping[str, str | None]] = {
    "ask": {"id": "'ask-' || d.id", "key": "d.id", "at": "d.at", "surface": "'slack'", "answered_at": "d.at"},
    "step": {"deploy": "d.id", "claimed_at": "d.at", "ended_at": "d.at"},
    "posting": {"deploy": "d.id", "ts": "d.id"},
    "workflow_status": {"workflow_uuid": "d.id"},
    "event": {
        "id": None,
        "stream": "d.room",
        "seq": "row_number() OVER (PARTITION BY d.room ORDER BY d.id) + 1000",
        "at": "d.at",
    },
}
LAST_SEQ = 10_000_000

Value = str | int


def service_name(number: int) -> str:
    return f"service-{number:02d}" if number else "api"


def environment_name(number: int) -> str:
    return f"place-{number}" if number else "staging"


ROOMS = tuple((service_name(s), environment_name(e)) for s in range(SERVICES) for e in range(ENVIRONMENTS))


@dataclass(frozen=True, kw_only=True)
class Mould:
    """A real row, cut where a name or a time stands in its body."""

    row: tuple[Value, ...]
    deploy: Deploy
    parts: tuple[str, ...]
    holes: tuple[str | timedelta, ...]

    @classmethod
    def of(cls, row: tuple[Value, ...]) -> "Mould":
        body = str(row[COLUMNS.index("body")])
        deploy = codec.load(Deploy, body)
        own = (deploy.plan.service, deploy.plan.environment)
        names = _names(deploy.id, deploy.ask, own, (deploy.by.id, deploy.by.name))
        found = re.split("(" + "|".join([*map(re.escape, names.values()), TIME]) + ")", body)
        kinds = {text: name for name, text in names.items()}
        holes = [kinds.get(text) or datetime.fromisoformat(text.strip('"')) - deploy.at for text in found[1::2]]
        return cls(row=row, deploy=deploy, parts=tuple(found[::2]), holes=tuple(holes))

    def made(
        self, *, name: str, ask: str, room: tuple[str, str], by: tuple[str, str], at: datetime
    ) -> tuple[Value, ...]:
        names = _names(name, ask, room, by)
        filled = [names[hole] if isinstance(hole, str) else codec.dump(at + hole) for hole in self.holes]
        body = "".join(part for pair in zip(self.parts, [*filled, ""], strict=True) for part in pair)
        _, _, state, _, _, seq, _, _ = self.row
        return (name, room_name(*room), state, by[0], at.strftime(AT), seq, body, seq)

    def check(self) -> None:
        """Raises RuntimeError when a copy with its own values is not the real row."""
        deploy = self.deploy
        own = self.made(
            name=deploy.id,
            ask=deploy.ask,
            room=(deploy.plan.service, deploy.plan.environment),
            by=(deploy.by.id, deploy.by.name),
            at=deploy.at,
        )
        if own[:-1] != self.row[:-1]:  # `painted` is how far a message was, at that moment
            raise RuntimeError(f"the copy is not what was written:\n{own}\nbut\n{self.row}")


def _names(name: str, ask: str, room: tuple[str, str], by: tuple[str, str]) -> dict[str, str]:
    """What is written of a deploy wherever one of its names stands."""
    return {
        "id": f'"{name}"',
        "ask": f'"{ask}"',
        "service": f'"service":"{room[0]}"',
        "environment": f'"environment":"{room[1]}"',
        "by": f'"id":"{by[0]}","name":"{by[1]}"',
    }


class Past:
    """Deploys of many rooms over years, oldest first; `newest` has each room's after they were made."""

    def __init__(self, moulds: Sequence[Mould], count: int) -> None:
        self._moulds = moulds
        self._count = count
        self.newest: dict[tuple[str, str], tuple[str, datetime]] = {}

    def rows(self) -> Iterator[tuple[Value, ...]]:
        chance = random.Random(5)
        rest = [1 / number for number in range(2, len(ROOMS) + 1)]
        rooms = chance.choices(ROOMS, [sum(rest) * BUSIEST / (1 - BUSIEST), *rest], k=self._count)
        first = min(mould.deploy.at for mould in self._moulds) - timedelta(days=365 * YEARS)
        step = timedelta(days=365 * YEARS - 1) / self._count
        for number, room in enumerate(rooms):
            at, person = first + number * step, f"person-{number % PEOPLE}"
            name = f"{ids.first_id(at)[:10]}{number:016d}"
            mould = self._moulds[number % len(self._moulds)]
            self.newest[room] = name, at
            yield mould.made(name=name, ask=f"ask-{name}", room=room, by=(f"U{person}", person), at=at)


def fill(url: str, count: int) -> None:
    """Add so many deploys, and what else is kept of them, to a database in which the real bot carried out some, all
    over by now, in the first of the rooms. Raises RuntimeError when they cannot be copied."""
    path = sqlite_path(url)
    with closing(_Sqlite(str(path)) if path else _Postgres(url)) as database:
        real = database.ask(f"SELECT {_columns(COLUMNS)} FROM deploy ORDER BY id")
        moulds = [Mould.of(row) for row in real]
        for mould in moulds:
            mould.check()
        past = Past(moulds, count)
        database.bulk("deploy", COLUMNS, past.rows())
        for table, own in ALSO.items():
            database.copy(table, own, [str(row[0]) for row in real])
        (text,) = next(iter(database.ask(f"SELECT body FROM stream WHERE name = '{room_name(*ROOMS[0])}'")))
        database.bulk("stream", ("name", "seq", "body"), _rooms(codec.load(Room, str(text)), past.newest))
        database.finish(f"UPDATE stream SET seq = {LAST_SEQ} WHERE name = '{room_name(*ROOMS[0])}'")


def _rooms(real: Room, newest: dict[tuple[str, str], tuple[str, datetime]]) -> Iterator[tuple[Value, ...]]:
    """Each room's snapshot but the first's, with as many good versions as are kept."""
    for (service, environment), (last, at) in newest.items():
        if (service, environment) != ROOMS[0]:
            good = [
                Good(version=f"v0.{n}", commit=f"{n:040x}", at=at - timedelta(hours=GOOD - n), deploy=last)
                for n in range(GOOD - len(real.good))
            ]
            room = replace(
                real,
                service=service,
                environment=environment,
                last=last,
                live_deploy=last,
                live_at=at,
                good=(*good, *real.good),
            )
            yield room_name(service, environment), LAST_SEQ, codec.dump(room)


def _columns(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


class _Sqlite:
    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path)
        for pragma in ("synchronous=OFF", "cache_size=-500000"):
            self._connection.execute(f"PRAGMA {pragma}")

    def ask(self, question: str) -> list[tuple[Value, ...]]:
        return self._connection.execute(question).fetchall()

    def bulk(self, table: str, columns: Sequence[str], rows: Iterator[tuple[Value, ...]]) -> None:
        marks = ", ".join("?" * len(columns))
        self._connection.executemany(f"INSERT INTO {table} ({_columns(columns)}) VALUES ({marks})", rows)

    def copy(self, table: str, own: Mapping[str, str | None], real: Sequence[str]) -> None:
        columns = [str(row[1]) for row in self.ask(f"PRAGMA table_info({table})")]
        self._connection.execute(_copying(table, columns, own, real))

    def finish(self, statement: str) -> None:
        self._connection.execute(statement)
        self._connection.commit()
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        self._connection.close()


class _Postgres:
    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url)
        self._connection.execute("SET search_path TO public, dbos")
        self._connection.execute("SET timezone TO 'UTC'")

    def ask(self, question: str) -> list[tuple[Value, ...]]:
        found = self._connection.execute(question.encode()).fetchall()
        return [tuple(one.strftime(AT) if isinstance(one, datetime) else one for one in row) for row in found]

    def bulk(self, table: str, columns: Sequence[str], rows: Iterator[tuple[Value, ...]]) -> None:
        into = f"COPY {table} ({_columns(columns)}) FROM STDIN"
        with self._connection.cursor() as cursor, cursor.copy(into.encode()) as copying:
            for row in rows:
                copying.write_row(row)

    def copy(self, table: str, own: Mapping[str, str | None], real: Sequence[str]) -> None:
        found = f"SELECT attname FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0"
        columns = [str(row[0]) for row in self.ask(f"{found} AND NOT attisdropped ORDER BY attnum")]
        self._connection.execute(_copying(table, columns, own, real).encode())

    def finish(self, statement: str) -> None:
        self._connection.execute(statement.encode())
        self._connection.commit()
        self._connection.autocommit = True
        self._connection.execute("VACUUM ANALYZE")  # what the server does by itself, where it is not kept from it

    def close(self) -> None:
        self._connection.close()


def _copying(table: str, columns: Sequence[str], own: Mapping[str, str | None], real: Sequence[str]) -> str:
    """A row for each deploy that is not a real one, like the newest row of a real one but for what is its own."""
    taken = [name for name in columns if own.get(name, "") is not None]
    values = ", ".join(own.get(name) or f't."{name}"' for name in taken)
    order = "ORDER BY id DESC" if table == "event" else "ORDER BY 1"
    names = ", ".join(f"'{name}'" for name in real)
    one = f"(SELECT * FROM {table} {order} LIMIT 1)"
    return f"INSERT INTO {table} ({_columns(taken)}) SELECT {values} FROM deploy d, {one} t WHERE d.id NOT IN ({names})"
