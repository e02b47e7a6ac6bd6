"""Gathering facts: what a decision needs to know of the world outside the database. Slow, and done before the
transaction. Here: git, recipes, people, groups. Not here: any rule."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pipelines.catalog import RecipeErrors, parse_recipe
from pipelines.domain.commands import Command, Deploy, Rollback
from pipelines.domain.events import Changes
from pipelines.domain.gates import Cooked, Facts
from pipelines.domain.model import Config, Person, Service
from pipelines.domain.ref_problems import (
    AmbiguousRef,
    BadRef,
    RemoteAway,
    SourceError,
    UnknownRef,
    Unreachable,
)
from pipelines.domain.refs import Freshness, Resolved, is_commit
from pipelines.domain.refusals import Code, Gate
from pipelines.domain.room import Room
from pipelines.execution.source import Source

log = logging.getLogger(__name__)

SUBJECTS_SHOWN = 5


class Doorman(Protocol):
    """What the doors know of people and places; the handlers' side of gathering."""

    async def person(self, by: Person) -> Person:
        """Who this is: their name in the configuration and what kind of user they are."""
        ...

    async def members(self, group: str) -> frozenset[str] | None:
        """The people in a group that configuration does not list, by name and id; None when nobody can tell."""
        ...

    async def cannot_post(self, channel: str) -> str | None:
        """The channel's name when the bot cannot post there."""
        ...


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One command about one room, by somebody: what facts are gathered for. `config` knows the room."""

    config: Config
    command: Command
    person: Person
    room: Room
    channel: str | None
    new_id: str


class Gatherer:
    def __init__(self, *, source: Source, doorman: Doorman, clock: Callable[[], datetime]) -> None:
        self._source = source
        self._doorman = doorman
        self._clock = clock

    async def gather(self, wish: Wish, needed: frozenset[str]) -> Facts:
        """The facts for a wish; `needed` are commits whose recipes a decision was found to lack."""
        service = wish.config.services[wish.room.service]
        groups = await self._groups(wish.config, wish.room)
        version: Resolved | Gate | None = None
        stale: datetime | None = None
        if isinstance(wish.command, Deploy):
            version, stale = await self.version(service, wish.command, wish.room)
            if isinstance(version, Resolved):
                needed |= {version.commit}
        return Facts(
            config=wish.config,
            person=wish.person,
            now=self._clock(),
            new_id=wish.new_id,
            groups=groups,
            version=version,
            recipes={commit: await self.recipe(service, commit) for commit in needed},
            changes=await self._changes(service, wish.room, version, stale),
            cannot_post=await self._posting(wish),
        )

    async def _groups(self, config: Config, room: Room) -> dict[str, frozenset[str] | None]:
        who = config.who_may_deploy(room.service, room.environment) or ()
        return {
            entry: frozenset(config.groups[entry]) if entry in config.groups else await self._doorman.members(entry)
            for entry in who
            if entry.startswith("@")
        }

    async def _posting(self, wish: Wish) -> str | None:
        if wish.channel is None or isinstance(wish.command, Rollback):
            return None
        return await self._doorman.cannot_post(wish.channel)

    async def version(self, service: Service, command: Deploy, room: Room) -> tuple[Resolved | Gate, datetime | None]:
        """What the asked version means, or why it means nothing; and since when the repository is out of reach."""
        wanted = command.commit or command.version
        if wanted == "previous":
            good = room.last_good()
            if good is None:
                where = {"service": room.service, "where": room.environment}
                return Gate(code=Code.NOTHING_TO_ROLL_BACK_TO, evidence=where), None
            wanted = good.commit
        try:
            fresh = await self._fresh(service, wanted)
            found = await self._source.resolve(service.repo, wanted, service.tags)
            await self._source.keep(service.repo, found.commit)
            return found, None if fresh is None or fresh.fresh else fresh.as_of
        except SourceError as error:
            return gate_of(error), None

    async def _fresh(self, service: Service, wanted: str) -> Freshness | None:
        if is_commit(wanted) and await self._source.has(service.repo, wanted):
            return None
        return await self._source.refresh(service.repo)

    async def recipe(self, service: Service, commit: str) -> Cooked | Gate:
        """deploy.yml at a commit, checked against the files that are there."""
        folder = "" if service.path in ("", ".") else service.path.strip("/") + "/"
        file = f"{folder}deploy.yml"
        try:
            if not await self._source.has(service.repo, commit):
                await self._source.refresh(service.repo)
            text = await self._source.read_file(service.repo, commit, file)
            if text is None:
                return Gate(code=Code.BAD_RECIPE, evidence={"errors": (f"{file}: there is no such file",)})
            entries = await self._source.ls(service.repo, commit)
            recipe = parse_recipe(text, file=file, folder=folder.rstrip("/"), entries=entries)
            await self._source.keep(service.repo, commit)
            return Cooked(recipe=recipe, digest=f"git-tree:{await self._source.tree_id(service.repo, commit)}")
        except RecipeErrors as errors:
            return Gate(code=Code.BAD_RECIPE, evidence={"errors": tuple(str(problem) for problem in errors.problems)})
        except SourceError as error:
            return gate_of(error)

    async def _changes(
        self, service: Service, room: Room, version: Resolved | Gate | None, stale: datetime | None
    ) -> Changes:
        live = room.live(target.name for target in service.targets_in(room.environment))
        if live is None or not isinstance(version, Resolved):
            return Changes(stale=stale)
        try:
            found = await self._source.commits_between(service.repo, live.commit, version.commit)
        except SourceError as error:
            log.info("no list of commits for %s: %s", service.name, error)
            return Changes(stale=stale)
        return Changes(
            count=found.ahead,
            behind=found.behind,
            authors=tuple(dict.fromkeys(line.author for line in found.lines)),
            subjects=tuple(line.subject for line in found.lines[:SUBJECTS_SHOWN]),
            stale=stale,
        )

    async def default_commit(self, service: Service) -> str | None:
        """A commit to ask for its recipe when none was named: the newest release, else a main branch."""
        async with asyncio.timeout(15):
            await self._source.refresh(service.repo)
            for name in ("latest", "main", "master"):
                try:
                    return (await self._source.resolve(service.repo, name, service.tags)).commit
                except SourceError:
                    continue
        return None

    async def named(self, service: Service, word: str) -> tuple[str, str] | None:
        """The version and commit that a word of a target's answer means in the repository."""
        try:
            found = await self._source.resolve(service.repo, word, service.tags)
        except SourceError:
            return None
        return found.version, found.commit


def gate_of(error: SourceError) -> Gate:
    """A problem of the repository as a closed gate."""
    match error.problem:
        case BadRef(text=text, reason=reason):
            return Gate(code=Code.BAD_VERSION, evidence={"given": text, "reason": reason})
        case UnknownRef(text=text, near=near):
            return Gate(code=Code.UNKNOWN_VERSION, evidence={"given": text, "near": near})
        case AmbiguousRef(text=text, candidates=found):
            names = tuple(f"{one.kind.value} {one.name} ({one.commit[:12]})" for one in found)
            return Gate(code=Code.AMBIGUOUS_VERSION, evidence={"given": text, "candidates": names})
        case Unreachable(commit=commit):
            return Gate(code=Code.UNREACHABLE_COMMIT, evidence={"given": commit})
        case RemoteAway():
            return Gate(code=Code.REPOSITORY_AWAY, evidence={"detail": str(error)})
        case _:
            return Gate(code=Code.REPOSITORY_AWAY, evidence={"detail": str(error)})
