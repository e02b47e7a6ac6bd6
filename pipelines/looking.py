"""Looking: what is, what was, what would be. Reads only; decides nothing, and writes at most what `status` found."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from pipelines.deciding import Decider
from pipelines.domain.choosing import fitting, ranked
from pipelines.domain.commands import Choose, Diff, History, Look, Preview, Recent, Status, Who
from pipelines.domain.deploy import Deploy
from pipelines.domain.gates import known_room, member
from pipelines.domain.model import Config, Person, Service
from pipelines.domain.refusals import Refusal
from pipelines.domain.remembered import with_room_of
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
        for deploy in await self._database.read(deploys.running):
            known.setdefault((deploy.plan.service, deploy.plan.environment), with_room_of(config, deploy))
        wanted = {
            (s, e): c for (s, e), c in known.items() if query.service in (None, s) and query.environment in (None, e)
        }
        rooms = await asyncio.gather(*(self._room(c, s, e) for (s, e), c in wanted.items()))
        shown = [replace(room, configured=c is config) for room, c in zip(rooms, wanted.values(), strict=True)]
        return StatusView(rooms=tuple(shown), problems=self._problems())

    async def _room(self, config: Config, service: str, environment: str) -> RoomView:
        room = await self._prober.room(config.services[service], config.environment(service, environment))
        names = [target.name for target in config.services[service].targets_in(environment)]
        ids = (room.running, room.live_deploy, room.last)
        running, live, last = await self._database.read(
            lambda session: tuple(deploys.deploy(session, one) if one else None for one in ids)
        )
        return RoomView(
            service=service,
            environment=environment,
            live=room.live(names),
            targets={name: room.targets[name] for name in names if name in room.targets},
            running=running,
            last=last,
            by=live.by.name if live else "",
            protected=config.environment(service, environment).protected,
        )

    async def _history(self, query: History) -> HistoryView:
        found = await self._of_service(query.service, query.environment, HISTORY + 1)
        return HistoryView(
            service=query.service,
            environment=query.environment,
            deploys=tuple(found[:HISTORY]),
            more=len(found) > HISTORY,
        )

    async def _of_service(self, service: str, environment: str | None, limit: int) -> list[Deploy]:
        """The newest deploys of a room, or of all of a service's rooms, newest first."""
        environments = [environment] if environment else list(self._config().environments)
        found = await self._database.read(
            lambda session: [one for e in environments for one in deploys.of_room(session, service, e, limit)]
        )
        return sorted(found, key=lambda one: one.at, reverse=True)[:limit]

    async def _diff(self, query: Diff) -> DiffView | Refusal:
        service = self._config().services[query.service]
        room = await self._prober.room(service, self._config().environment(query.service, query.environment))
        live = room.live(target.name for target in service.targets_in(query.environment))
        return await self._gatherer.difference(service, query, room, live)

    async def _who(self, services: list[str]) -> WhoView:
        return WhoView(services=tuple([await self._who_of(self._config().services[name]) for name in services]))

    async def _who_of(self, service: Service) -> ServiceWho:
        config = self._config()
        allowed = [await self._allowed(service.name, environment) for environment in config.environments]
        lately = await self._of_service(service.name, None, LATELY)
        counts = Counter(one.by.name for one in lately)
        last = {one.by.name: one.at for one in reversed(lately)}
        people = [Deployer(name=name, deploys=n, last=last[name]) for name, n in counts.most_common()]
        return ServiceWho(service=service.name, allowed=tuple(allowed), lately=tuple(people))

    async def _allowed(self, service: str, environment: str) -> Allowed:
        who = self._config().who_may_deploy(service, environment)
        groups = await self._gatherer.groups(self._config(), service, environment)
        running = await self._database.read(lambda session: deploys.running_in(session, service, environment))
        return Allowed(
            environment=environment,
            who=who,
            groups={name: tuple(sorted(found)) if found is not None else None for name, found in groups.items()},
            running=running,
        )

    async def _recent(self) -> RecentView:
        newest = await self._database.read(lambda session: deploys.newest(session, RECENT_READ))
        known = [one for one in newest if not known_room(one.plan.service, one.plan.environment, self._config())]
        rooms = {one.room: (one.plan.service, one.plan.environment) for one in known}
        states = await self._database.read(
            lambda session: {name: deploys.room(session, *place) for name, place in rooms.items()}
        )
        ways = [WayBack(deploy=one, to=to) for one in known if (to := way_back(one, states[one.room])) is not None]
        return RecentView(ways=tuple(ways[:RECENT]))

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
        used = await self._of_service(service, None, LATELY)
        return fitting(ranked(names, used), typed)[:limit]

    async def services(self) -> tuple[str, ...]:
        """Every service, the most used first."""
        newest = await self._database.read(lambda session: deploys.newest(session, RECENT_READ))
        counts = Counter(one.plan.service for one in newest)
        return tuple(sorted(self._config().services, key=lambda name: -counts[name]))

    async def refresh(self, service: str) -> None:
        """Fetch a service's branches and tags, so that what is chosen from is new. What goes wrong is logged."""
        if service in self._config().services:
            await self._gatherer.refresh(self._config().services[service])
