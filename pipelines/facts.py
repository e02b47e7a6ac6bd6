"""Gathering facts: what a decision needs to know of the world outside the database. Slow, and done before the
transaction. Here: git, recipes, people, groups. Not here: any rule."""

import asyncio
import logging
import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from pipelines.catalog import RecipeErrors, parse_recipe
from pipelines.catalog.whole_tree import LINK, tree_problems
from pipelines.domain.commands import Command, Deploy, Diff, Rollback
from pipelines.domain.events import Changes
from pipelines.domain.gates import Cooked, Facts
from pipelines.domain.model import Config, Environment, Person, Service
from pipelines.domain.ref_problems import (
    AmbiguousRef,
    BadRef,
    RemoteAway,
    SourceError,
    UnknownRef,
    Unreachable,
)
from pipelines.domain.refs import PREVIOUS, Freshness, Resolved, is_commit
from pipelines.domain.refusals import Code, Gate, Refusal
from pipelines.domain.room import Live, Room
from pipelines.domain.views import DiffView, Name
from pipelines.execution.source import Source
from pipelines.providers.secrets import read_all

log = logging.getLogger(__name__)

SUBJECTS_SHOWN = 5
COMMITS_SHOWN = 20
SECRETS_PATIENCE = 10.0
RECIPES_KEPT = 200


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
    """`environ` is what `pass_env` hands on; `disk_short` the bytes that are left where they are too few."""

    def __init__(
        self,
        *,
        source: Source,
        doorman: Doorman,
        clock: Callable[[], datetime],
        environ: Mapping[str, str] = os.environ,
        disk_short: Callable[[], int | None] = lambda: None,
    ) -> None:
        self._source = source
        self._environ = environ
        self._doorman = doorman
        self._clock = clock
        self._disk_short = disk_short
        self._recipes: OrderedDict[tuple[str, str, str], Cooked] = OrderedDict()

    async def gather(self, wish: Wish, needed: frozenset[str], secrets: frozenset[str] = frozenset()) -> Facts:
        """The facts for a wish; `needed` are commits whose recipes a decision was found to lack, `secrets` are names of
        which it was found not to know whether they are there."""
        config = wish.config
        service = config.services[wish.room.service]
        groups = await self.groups(config, wish.room.service, wish.room.environment)
        version: Resolved | Gate | None = None
        stale: datetime | None = None
        if isinstance(wish.command, Deploy):
            version, stale = await self.version(service, wish.command, wish.room)
            if isinstance(version, Resolved):
                needed |= {version.commit}
        recipes = {commit: await self.recipe(service, commit) for commit in needed}
        environment = config.environment(wish.room.service, wish.room.environment)
        named = {name for one in recipes.values() if isinstance(one, Cooked) for name in one.recipe.secrets}
        return Facts(
            config=config,
            person=wish.person,
            now=self._clock(),
            new_id=wish.new_id,
            groups=groups,
            version=version,
            recipes=recipes,
            changes=await self._changes(service, wish.room, version, stale),
            cannot_post=await self._posting(wish),
            disk_short=self._disk_short(),
            secrets=await self._secrets(service, environment, named | secrets),
            unset=tuple(name for name in environment.pass_env if name not in self._environ),
        )

    async def _secrets(self, service: Service, environment: Environment, names: Iterable[str]) -> dict[str, str]:
        """What is wrong with each of these secrets, an empty text when it can be read."""
        references = {name: environment.reference(service.name, name) for name in names if environment.secrets_from}
        try:
            async with asyncio.timeout(SECRETS_PATIENCE):
                _, wrong = await asyncio.to_thread(read_all, references)
        except TimeoutError:
            wrong = dict.fromkeys(references, f"it was not read within {SECRETS_PATIENCE:g} s")
        return {name: wrong.get(name, "") for name in references}

    async def groups(self, config: Config, service: str, environment: str) -> dict[str, frozenset[str] | None]:
        """The groups among those who may deploy there, with their members; None where nobody can tell."""
        who = config.who_may_deploy(service, environment) or ()
        return {
            entry: frozenset(config.groups[entry]) if entry in config.groups else await self._doorman.members(entry)
            for entry in who
            if entry.startswith("@")
        }

    async def _posting(self, wish: Wish) -> str | None:
        if wish.channel is None or isinstance(wish.command, Rollback):
            return None
        return await self._doorman.cannot_post(wish.channel)

    async def version(
        self, service: Service, command: Deploy | Diff, room: Room
    ) -> tuple[Resolved | Gate, datetime | None]:
        """What the asked version means, or why it means nothing; and since when the repository is out of reach."""
        wanted = (command.commit if isinstance(command, Deploy) else None) or command.version
        if wanted == PREVIOUS:
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
            gate = gate_of(error)
            where = {"service": room.service, "where": room.environment}
            return replace(gate, evidence={**gate.evidence, **where}), None

    async def _fresh(self, service: Service, wanted: str) -> Freshness | None:
        if is_commit(wanted) and await self._source.has(service.repo, wanted):
            return None
        return await self._source.refresh(service.repo)

    async def recipe(self, service: Service, commit: str) -> Cooked | Gate:
        """deploy.yml at a commit, checked against the files that are there. What was good once stays so."""
        key = (service.repo, service.path, commit)
        if (known := self._recipes.get(key)) is not None:
            self._recipes.move_to_end(key)
            with suppress(SourceError):  # else it has gone from the copy meanwhile
                await self._source.keep(service.repo, commit)
                return known
        found = await self._recipe(service, commit)
        if isinstance(found, Cooked):
            self._recipes[key] = found
            if len(self._recipes) > RECIPES_KEPT:
                self._recipes.popitem(last=False)
        return found

    async def _recipe(self, service: Service, commit: str) -> Cooked | Gate:
        folder = "" if service.path in ("", ".") else service.path.strip("/") + "/"
        file = f"{folder}deploy.yml"
        try:
            await self._source.bring(service.repo, commit)
            text = await self._source.read_file(service.repo, commit, file)
            if text is None:
                return Gate(code=Code.BAD_RECIPE, evidence={"errors": (f"{file}: there is no such file",)})
            entries = await self._source.ls(service.repo, commit)
            recipe = await asyncio.to_thread(parse_recipe, text, file=file, folder=folder.rstrip("/"), entries=entries)
            links = [path for path, mode in entries.items() if mode == LINK]
            ways_out = await self._source.ways_out(service.repo, commit, links)
            if problems := list(tree_problems(entries, ways_out)):
                raise RecipeErrors(problems)
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

    async def difference(self, service: Service, query: Diff, room: Room, live: Live | None) -> DiffView | Refusal:
        """What a version would change of what is live."""
        version, stale = await self.version(service, query, room)
        if isinstance(version, Gate):
            return Refusal(gates=(version,))
        assert version is not None
        view = DiffView(
            service=service.name, environment=query.environment, version=version.shown, live=live, stale=stale
        )
        if live is None:
            return view
        try:
            commits = await self._source.commits_between(service.repo, live.commit, version.commit, COMMITS_SHOWN)
            files = await self._source.changed_paths(service.repo, live.commit, version.commit)
        except SourceError as error:
            return Refusal(gates=(gate_of(error),))
        return replace(view, commits=commits, files=len(files))

    async def names(self, service: Service) -> tuple[Name, ...]:
        """The tags and branches of the copy that is here, newest first; none where there is no copy yet."""
        try:
            return tuple(Name(text=text, kind=kind) for kind, text in await self._source.names(service.repo))
        except SourceError as error:
            log.info("no names of %s: %s", service.name, error)
            return ()

    async def refresh(self, service: Service) -> None:
        """Fetch. What goes wrong is logged: whoever needs it new finds out again."""
        try:
            await self._source.refresh(service.repo)
        except SourceError as error:
            log.info("%s was not fetched: %s", service.name, error)

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
            commits = tuple(one.commit[:12] for one in found)
            return Gate(code=Code.AMBIGUOUS_VERSION, evidence={"given": text, "candidates": names, "commits": commits})
        case Unreachable(commit=commit):
            return Gate(code=Code.UNREACHABLE_COMMIT, evidence={"given": commit})
        case RemoteAway():
            return Gate(code=Code.REPOSITORY_AWAY, evidence={"detail": str(error)})
        case _:
            return Gate(code=Code.REPOSITORY_AWAY, evidence={"detail": str(error)})
