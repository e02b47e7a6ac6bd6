"""Looking: what is, what was, what would be. Reads only; decides nothing, and writes at most what `status` found."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import islice
from typing import assert_never

from sqlmodel import Session

from pipelines.deciding import Decider
from pipelines.domain.choosing import fitting, ranked
from pipelines.domain.commands import Choose, Diff, History, Look, Preview, Recent, Status, Who
from pipelines.domain.deploy import Deploy
from pipelines.domain.gates import known_room, member
from pipelines.domain.model import Config, Person, Service, room_name
from pipelines.domain.refusals import Refusal
from pipelines.domain.remembered import with_room_of
from pipelines.domain.room import Room, TargetState
from pipelines.domain.views import (
    Allowed,
    ChoicesView,
    Deployer,
    DiffView,
    HistoryView,
    Name,
    PreviewView,
    RecentView,
    RoomView,
    ServiceWho,
    StatusView,
    View,
    WayBack,
    WhoView,
)
from pipelines.domain.ways_back import way_back
from pipelines.facts import Gatherer
from pipelines.probing import Prober
from pipelines.storage import deploys
from pipelines.storage.database import Database
from pipelines.storage.deploys import Asker, Place

log = logging.getLogger(__name__)

HISTORY = 10
LATELY = 50
RECENT, RECENT_READ = 5, 50
CHOICES, FEW = 100, 8


class Looker:
    """`problems` are those of a configuration file that was changed and does not hold."""

    def __init__(
        self,
        *,
        database: Database,
        gatherer: Gatherer,
        prober: Prober,
        decider: Decider,
        config: Callable[[], Config],
        problems: Callable[[], tuple[str, ...]] = tuple,
    ) -> None:
        self._database = database
        self._gatherer = gatherer
        self._prober = prober
        self._decider = decider
        self._config = config
        self._problems = problems

    async def look(self, query: Look, *, by: Person, channel: str | None) -> View | Refusal:
        """What `by` wants to see; `channel` is where the message of a deploy asked for there would go."""
        if isinstance(query, Status) and (status := await self._status(query)).rooms:
            return status
        if isinstance(query, Preview) and (stranger := member(by)):
            return Refusal(gates=(stranger,))  # nothing was looked up for somebody who may do nothing
        if unknown := self._unknown(query):
            return unknown
        match query:
            case Preview(deploy=deploy):
                ahead = await self._decider.look_ahead(deploy, by, channel)
                return PreviewView(
                    service=deploy.service, environment=deploy.environment, asked=deploy.version, ahead=ahead
                )
            case Status():
                return await self._status(query)
            case History():
                return await self._history(query)
            case Diff():
                return await self._diff(query)
            case Who(service=service):
                return await self._who([service] if service else list(self._config().services))
            case Recent():
                return await self._recent()
            case Choose(service=service):
                return await self._choices(service)
            case _:
                assert_never(query)

    def _unknown(self, query: Look) -> Refusal | None:
        """A service or environment that nobody knows."""
        asked = query.deploy if isinstance(query, Preview) else query
        gates = known_room(getattr(asked, "service", None), getattr(asked, "environment", None), self._config())
        return Refusal(gates=gates) if gates else None

    async def _status(self, query: Status) -> StatusView:
        """A room that left the configuration is there while a deploy runs in it."""
        config = self._config()
        known = {(s, e): config for s in config.services for e in config.environments}

        def read(session: Session) -> tuple[dict[str, Deploy], dict[Place, Room]]:
            running = {deploy.id: deploy for deploy in deploys.running(session)}
            for deploy in running.values():
                known.setdefault((deploy.plan.service, deploy.plan.environment), with_room_of(config, deploy))
            wanted = [(s, e) for s, e in known if query.service in (None, s) and query.environment in (None, e)]
            return running, deploys.rooms(session, wanted)

        running, rooms = await self._database.read(read)
        found = await asyncio.gather(*(self._asked_first(known[place], room) for place, room in rooms.items()))
        shown = [
            self._room(known[place], room, running.get(room.running or ""))
            for place, room in zip(rooms, found, strict=True)
        ]
        return StatusView(
            rooms=tuple(replace(room, configured=known[room.service, room.environment] is config) for room in shown),
            problems=self._problems(),
        )

    async def _asked_first(self, config: Config, room: Room) -> Room:
        """The room; one that nothing is known of is asked."""
        if room.probed:
            return room
        return await self._prober.room(
            config.services[room.service], config.environment(room.service, room.environment)
        )

    def _room(self, config: Config, room: Room, running: Deploy | None) -> RoomView:
        names = [target.name for target in config.services[room.service].targets_in(room.environment)]
        return RoomView(
            service=room.service,
            environment=room.environment,
            live=room.live(names),
            targets={name: room.targets.get(name, TargetState()) for name in names},
            running=running,
            by=room.live_by,
            protected=config.environment(room.service, room.environment).protected,
        )

    async def _history(self, query: History) -> HistoryView:
        places = self._places(query.service, query.environment)
        found = await self._database.read(lambda session: deploys.of_rooms(session, places, HISTORY + 1))
        return HistoryView(
            service=query.service,
            environment=query.environment,
            deploys=tuple(found[:HISTORY]),
            more=len(found) > HISTORY,
        )

    def _places(self, service: str, environment: str | None = None) -> list[Place]:
        """A room, or all of a service's rooms."""
        return [(service, one) for one in ([environment] if environment else self._config().environments)]

    async def _diff(self, query: Diff) -> DiffView | Refusal:
        service = self._config().services[query.service]
        room = await self._prober.room(service, self._config().environment(query.service, query.environment))
        live = room.live(target.name for target in service.targets_in(query.environment))
        return await self._gatherer.difference(service, query, room, live)

    async def _who(self, services: list[str]) -> WhoView:
        def read(session: Session) -> tuple[dict[str, Deploy], list[list[Asker]]]:
            running = {one.room: one for one in deploys.running(session)}
            return running, [deploys.askers(session, self._places(name), LATELY) for name in services]

        running, lately = await self._database.read(read)
        found = [
            await self._who_of(self._config().services[name], running, askers)
            for name, askers in zip(services, lately, strict=True)
        ]
        return WhoView(services=tuple(found))

    async def _who_of(self, service: Service, running: Mapping[str, Deploy], lately: list[Asker]) -> ServiceWho:
        places = self._places(service.name)
        allowed = [await self._allowed(*place, running.get(room_name(*place))) for place in places]
        counts = Counter(one.by.name for one in lately)
        last = {one.by.name: one.at for one in reversed(lately)}
        people = [Deployer(name=name, deploys=n, last=last[name]) for name, n in counts.most_common()]
        return ServiceWho(service=service.name, allowed=tuple(allowed), lately=tuple(people))

    async def _allowed(self, service: str, environment: str, running: Deploy | None) -> Allowed:
        who = self._config().who_may_deploy(service, environment)
        groups = await self._gatherer.groups(self._config(), service, environment)
        return Allowed(
            environment=environment,
            who=who,
            groups={name: tuple(sorted(found)) if found is not None else None for name, found in groups.items()},
            running=running,
        )

    async def _recent(self) -> RecentView:
        def ways(session: Session) -> Iterator[WayBack]:
            room = cache(lambda *place: deploys.room(session, *place))
            for one in deploys.newest(session, RECENT_READ):
                place = (one.plan.service, one.plan.environment)
                if not known_room(*place, self._config()) and (to := way_back(one, room(*place))) is not None:
                    yield WayBack(deploy=one, to=to)

        return RecentView(ways=await self._database.read(lambda session: tuple(islice(ways(session), RECENT))))

    async def _choices(self, service: str | None) -> ChoicesView:
        config = self._config()
        service = service or (next(iter(config.services)) if len(config.services) == 1 else None)
        if service:
            await self.refresh(service)
        return ChoicesView(
            service=service,
            services=tuple(config.services),
            environments=tuple(config.environments),
            versions=await self.versions(service, limit=FEW) if service else (),
        )

    async def versions(self, service: str, typed: str = "", *, limit: int = CHOICES) -> tuple[Name, ...]:
        """The tags and branches of a service in which `typed` stands, the most used first; none for a service that
        nobody knows or a repository that was never fetched."""
        if service not in self._config().services:
            return ()
        names = await self._gatherer.names(self._config().services[service])
        places = self._places(service)
        used = await self._database.read(lambda session: deploys.of_rooms(session, places, LATELY))
        return fitting(ranked(names, used), typed)[:limit]

    async def services(self) -> tuple[str, ...]:
        """Every service, the most used first."""
        newest = await self._database.read(lambda session: list(deploys.newest(session, RECENT_READ)))
        counts = Counter(one.plan.service for one in newest)
        return tuple(sorted(self._config().services, key=lambda name: -counts[name]))

    async def refresh(self, service: str) -> None:
        """Fetch a service's branches and tags, so that what is chosen from is new. What goes wrong is logged."""
        if service in self._config().services:
            await self._gatherer.refresh(self._config().services[service])
