"""Values for tests: a service, a recipe, a person, and facts that hold nothing against a deploy."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pipelines.domain.commands import Command, Deploy
from pipelines.domain.events import Place
from pipelines.domain.gates import Cooked, Facts
from pipelines.domain.model import Config, Environment, Person, Service, Target
from pipelines.domain.planning import Ask
from pipelines.domain.recipe import Recipe, Script
from pipelines.domain.refs import RefKind, Resolved

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ANA = Person(id="U1", name="ana", slack="U1")
RAJ = Person(id="U2", name="raj", slack="U2")
MIA = Person(id="U3", name="mia", slack="U3")
LEAST = Recipe(deploy=Script(run="deploy/install.sh"))


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def commit_of(version: str) -> str:
    """A commit id that is always the same for a version."""
    return version.encode().hex().ljust(40, "0")[:40]


def config(**targets: tuple[str, ...]) -> Config:
    where = {name: tuple(Target(name=one) for one in names) for name, names in targets.items()}
    service = Service(name="api", repo="/repo", owners=("ana", "raj"), targets=where)
    environments = {
        "staging": Environment(name="staging"),
        "production": Environment(name="production", protected=True),
    }
    return Config(services={"api": service}, environments=environments)


def facts(
    version: str = "v1.4",
    *,
    recipe: Recipe = LEAST,
    person: Person = ANA,
    new_id: str = "d1",
    now: datetime = NOON,
    **targets: tuple[str, ...],
) -> Facts:
    commit = commit_of(version)
    resolved = Resolved(
        commit=commit, version=version, ref_kind=RefKind.TAG, shown=version, committed_at=NOON, tree="t" * 40
    )
    return Facts(
        config=config(**targets),
        person=person,
        now=now,
        new_id=new_id,
        version=resolved,
        recipes={commit: Cooked(recipe=recipe, digest="git-tree:" + "t" * 40)},
    )


def ask(command: Command | None = None, *, by: Person = ANA, ask_id: str = "a1") -> Ask:
    wish = command or Deploy(service="api", version="v1.4", environment="staging")
    return Ask(id=ask_id, command=wish, by=by, place=Place(surface="slack", channel="C1"))


def knowing(some: Facts, *versions: str, recipe: Recipe = LEAST) -> Facts:
    """The same facts, with the recipes of more versions."""
    more = {commit_of(v): Cooked(recipe=recipe, digest="git-tree:" + "t" * 40) for v in versions}
    return replace(some, recipes={**some.recipes, **more})
