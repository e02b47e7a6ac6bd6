"""`check`: a service's deploy.yml, read and compiled for every environment before anybody deploys it; for its own CI.

Exit status: 0 it can be deployed, 1 it cannot (what is wrong is on stderr, each with its line). Secrets that are not
there are warnings: a CI has none. No bot, no database, no Slack.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from bot import worktree
from bot.settings import CONFIG
from handlers.chat import words
from handlers.chat.plan_lines import plan_lines
from pipelines.catalog import Problem, RecipeErrors, load_config, parse_recipe
from pipelines.catalog.names import service_problem
from pipelines.catalog.problems import CatalogErrors, nearest
from pipelines.catalog.recipes import BEGINNING, LINK
from pipelines.catalog.whole_tree import tree_problems
from pipelines.domain import gates
from pipelines.domain.gates import Facts
from pipelines.domain.model import Config, Environment, Person, Service, Target
from pipelines.domain.plan import Plan
from pipelines.domain.recipe import Recipe
from pipelines.domain.refusals import Code
from pipelines.domain.room import Room
from pipelines.domain.strategies import Wanted, compile_plan
from pipelines.providers.secrets import read_all

T = TypeVar("T")

FILE = "deploy.yml"
EXAMPLE = Config(environments={name: Environment(name=name) for name in ("staging", "production")})
EXAMPLE_TARGETS = {
    "staging": (Target(name="stg-1:8080"), Target(name="stg-2:8080")),
    "production": (Target(name="prod-1:8080"), Target(name="prod-2:8080")),
}
NOBODY = Person(id="check", name="check")


@dataclass(frozen=True, kw_only=True)
class Checking:
    """`path` is a deploy.yml or its folder; `config` the bot's configuration, when one was named."""

    path: Path
    config: str | None = None
    service: str | None = None


class CheckError(Exception):
    """Why nothing could be checked, as a sentence with the way on."""


@dataclass(frozen=True, kw_only=True)
class Read:
    """A deploy.yml that can be used: `file` and `folder` are from `root`, the repository's or the folder's own."""

    root: Path
    file: str
    folder: str
    recipe: Recipe


def check(checking: Checking) -> int:
    """Print the plans, or what is wrong; the exit status."""
    wrong: list[object] = []
    config = _tried(lambda: _config(checking.config), wrong)
    read = _tried(lambda: read_recipe(checking.path), wrong)
    service = _tried(lambda: _service(checking.service, config, read), wrong) if read and not wrong else None
    for problem in wrong:
        print(problem, file=sys.stderr)
    if read is None or service is None:
        return 1
    whole = config or EXAMPLE
    whole = replace(whole, services={**whole.services, service.name: service})
    print(f"{read.file} is good.{_caveat(config, service)}")
    for environment in whole.environments:
        print()
        for line in _shown(_plan(read.recipe, whole, service, environment)):
            print(line)
    return _doubts(read.recipe, whole, service) if config else 0


def _tried(work: Callable[[], T], wrong: list[object]) -> T | None:
    """What the work gives; where it fails, why is added to what is wrong."""
    try:
        return work()
    except CatalogErrors as errors:
        wrong += errors.problems
    except (CheckError, OSError) as error:
        wrong.append(error)
    return None


def _caveat(config: Config | None, service: Service) -> str:
    if config is None:
        return " These environments and targets are examples; name the bot's configuration with --config FILE."
    if service.name not in config.services:
        return " No service of the configuration lives here, so targets are unknown; name it with --service NAME."
    return ""


def _config(named: str | None) -> Config | None:
    """The configuration that was named, else the default one, where it is there and knows an environment."""
    if named:
        return load_config(Path(named))
    config = load_config(Path(CONFIG)) if Path(CONFIG).exists() else None
    return config if config and config.environments else None


def read_recipe(path: Path) -> Read:
    """Read and check a deploy.yml on disk. Raises RecipeErrors with every problem, CheckError, OSError."""
    if not path.exists():
        raise CheckError(f"There is no {path}. Name a folder with a {FILE}, or the file itself.")
    file = (path / FILE if path.is_dir() else path).absolute()
    place = file.parent.resolve()
    root = worktree.repository(place) or place
    name = str((place / file.name).relative_to(root))
    if not file.exists() and not file.is_symlink():
        raise CheckError(f"There is no {path / FILE}. Write one with: shipmate init {path}")
    entries = worktree.entries(root)
    if entries.get(name) in (None, LINK):
        why = "a symbolic link; the bot reads a file" if name in entries else "no file that git would commit"
        raise RecipeErrors([Problem(file=name, line=1, message=f"this is {why}")])
    folder = "" if place == root else str(place.relative_to(root))
    recipe = parse_recipe(
        (place / file.name).read_bytes(),
        file=name,
        folder=folder,
        entries=entries,
        beginning=lambda path: worktree.beginning(root / path, BEGINNING),
    )
    if problems := list(tree_problems(entries, worktree.ways_out(root, entries))):
        raise RecipeErrors(problems)
    return Read(root=root, file=name, folder=folder, recipe=recipe)


def _service(name: str | None, config: Config | None, read: Read) -> Service:
    """The service that was named, else the one of the configuration that lives here, else one without targets."""
    if config is not None and name is not None:
        if name not in config.services:
            raise CheckError(
                f"There is no service `{name}` in the configuration.{nearest(name, config.services or ['none'])}"
            )
        return config.services[name]
    fit = [one for one in config.services.values() if _lives_here(one, read)] if config is not None else []
    if len(fit) == 1:
        return fit[0]
    unnamed = read.root.name if service_problem(read.root.name) is None else "service"
    if name is None and config is not None and unnamed in config.services:
        unnamed = "service"  # another repository's, that only has the name of this folder
    return Service(name=name or unnamed, repo="", targets={} if config else EXAMPLE_TARGETS)


def _lives_here(service: Service, read: Read) -> bool:
    here = {worktree.address(place) for place in (str(read.root), *worktree.remotes(read.root))}
    return service.path == (read.folder or ".") and worktree.address(service.repo) in here


def _plan(recipe: Recipe, config: Config, service: Service, environment: str) -> Plan:
    """The plan of a first deploy there; what only a deploy knows stays a name."""
    wanted = Wanted(
        service=service.name,
        environment=environment,
        version="$VERSION",
        repo=service.repo,
        commit="$COMMIT",
        digest="",
        recipe=recipe,
        targets=service.targets_in(environment),
        previous_version="$PREVIOUS_VERSION",
        previous_commit="$PREVIOUS_COMMIT",
        protected=config.environment(service.name, environment).protected,
    )
    return compile_plan(wanted, {})


def _shown(plan: Plan) -> Iterator[str]:
    yield f"{plan.service} → {plan.environment}: {', '.join(plan.targets)}"
    yield from (f"  {line}" for line in plan_lines(plan))
    if plan.recipe.secrets:
        yield f"  with the secrets {', '.join(plan.recipe.secrets)}"


def _doubts(recipe: Recipe, config: Config, service: Service) -> int:
    """Tell what scripts could not be given by a bot on this machine; the exit status."""
    now, status = datetime.now(UTC), 0
    for name in config.environments:
        environment = config.environment(service.name, name)
        references = {secret: environment.reference(service.name, secret) for secret in recipe.secrets}
        _, wrong = read_all(references if environment.secrets_from else {})
        facts = Facts(config=config, person=NOBODY, now=now, new_id="", secrets=wrong)
        for gate in gates.values_there(Room(service=service.name, environment=name), recipe, facts):
            certain = gate.code is Code.NOT_PASSED  # the same on every machine
            status = 1 if certain else status
            print(f"{'' if certain else 'warning: '}{words.sentence(gate, now)}", file=sys.stderr)
    return status
