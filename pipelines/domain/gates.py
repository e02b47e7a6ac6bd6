"""Gates: one named predicate a rule. A gate that stands open answers None, a closed one its reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pipelines.domain.commands import SAID, Answer
from pipelines.domain.deploy import Deploy, question
from pipelines.domain.events import Changes, Progress
from pipelines.domain.fold import State
from pipelines.domain.model import Config, Person, PersonKind
from pipelines.domain.recipe import Recipe
from pipelines.domain.refs import Resolved
from pipelines.domain.refusals import Code, Gate
from pipelines.domain.room import Room


@dataclass(frozen=True, kw_only=True)
class Cooked:
    """A recipe that was read at a commit, and the id of the commit's tree."""

    recipe: Recipe
    digest: str


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What was gathered outside the transaction. `groups` maps a group to its members' names (None: nobody could
    tell). `version` is what the typed one means, or why it means nothing. `recipes` are by commit. `secrets` are those
    that were looked for in this room, each with what is wrong with it, as a clause, or an empty text; `unset` are names
    that `pass_env` hands on there and the bot does not have."""

    config: Config
    person: Person
    now: datetime
    new_id: str
    groups: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    version: Resolved | Gate | None = None
    recipes: Mapping[str, Cooked | Gate] = field(default_factory=dict)
    changes: Changes = field(default_factory=Changes)
    cannot_post: str | None = None
    disk_short: int | None = None  # bytes that are left, where they are too few to start something
    secrets: Mapping[str, str] = field(default_factory=dict)
    unset: tuple[str, ...] = ()


def closed(*gates: Gate | None) -> tuple[Gate, ...]:
    return tuple(gate for gate in gates if gate is not None)


def known_room(service: str | None, environment: str | None, config: Config) -> tuple[Gate, ...]:
    """The gates for names that nobody knows; None names nothing."""
    unknown_service = Gate(
        code=Code.UNKNOWN_SERVICE, evidence={"given": service or "", "known": tuple(sorted(config.services))}
    )
    unknown_environment = Gate(
        code=Code.UNKNOWN_ENVIRONMENT, evidence={"given": environment or "", "known": tuple(config.environments)}
    )
    return closed(
        None if service is None or service in config.services else unknown_service,
        None if environment is None or environment in config.environments else unknown_environment,
    )


def member(person: Person) -> Gate | None:
    """Only full members of this workspace may do anything at all."""
    if person.kind is PersonKind.MEMBER:
        return None
    return Gate(code=Code.NOT_A_MEMBER, evidence={"kind": person.kind.value, "by": person.name})


def allowed(service: str, environment: str, facts: Facts) -> Gate | None:
    """The person is one of those who may deploy this service there; doubt is a no."""
    who = facts.config.who_may_deploy(service, environment)
    if who is None:
        return None
    names = {facts.person.name, facts.person.id} | ({facts.person.slack} if facts.person.slack else set())
    for entry in who:
        members = facts.groups.get(entry) if entry.startswith("@") else frozenset({entry})
        if members is not None and names & members:
            return None
    silent = tuple(entry for entry in who if entry.startswith("@") and facts.groups.get(entry) is None)
    if silent:
        return Gate(code=Code.GROUP_UNKNOWN, evidence={"group": silent, "where": environment}, lifted_by=who)
    told = tuple(_told(entry, facts.groups.get(entry)) for entry in who)
    return Gate(code=Code.NOT_ALLOWED, evidence={"who": told, "where": environment, "service": service}, lifted_by=who)


def _told(entry: str, members: frozenset[str] | None) -> str:
    return f"{entry} ({', '.join(sorted(members))})" if members else entry


def running(state: State) -> Deploy | None:
    room = state.room
    return state.deploys[room.running] if room.running is not None else None


def room_free(state: State) -> Gate | None:
    """Nothing runs in this room. Who holds it, and since when, is the evidence."""
    holder = running(state)
    if holder is None:
        return None
    evidence = {
        "by": holder.by.name,
        "since": holder.at.isoformat(),
        "version": holder.plan.version,
        "deploy": holder.id,
        "where": holder.plan.environment,
        "service": holder.plan.service,
    }
    if (lost := holder.lost()) is not None and lost[1].progress is Progress.LOST:
        room = f"{holder.plan.service} {holder.plan.environment}"
        says = tuple(f"{SAID[choice]} {room}" for choice in holder.choices(*lost))
        return Gate(code=Code.ROOM_UNKNOWN, evidence={**evidence, "step": lost[0].label, "says": says})
    code = Code.ROOM_LATE if holder.waits() and holder.held is not None else Code.ROOM_BUSY
    return Gate(code=code, evidence=evidence, lifted_by=(holder.by.name,))


def version_known(given: str, facts: Facts) -> Gate | None:
    if isinstance(facts.version, Gate):
        return facts.version
    return None if facts.version else Gate(code=Code.UNKNOWN_VERSION, evidence={"given": given})


def recipe_good(commit: str | None, facts: Facts) -> Gate | None:
    found = facts.recipes.get(commit) if commit else None
    return found if isinstance(found, Gate) else None


def values_there(room: Room, recipe: Recipe, facts: Facts) -> tuple[Gate, ...]:
    """Everything that scripts of this recipe ask for can be given to them in this room."""
    environment = facts.config.environment(room.service, room.environment)
    where = {"where": room.environment, "service": room.service}
    found: list[Gate] = []
    if recipe.secrets and environment.secrets_from is None:
        found.append(Gate(code=Code.NO_SECRETS_FROM, evidence={**where, "names": recipe.secrets}))
    missing = tuple(f"{name}: {facts.secrets[name]}" for name in recipe.secrets if facts.secrets.get(name))
    if missing:
        found.append(Gate(code=Code.SECRETS_MISSING, evidence={**where, "problems": missing}))
    unusable = [f"{name} is not set in the bot's own environment" for name in facts.unset]
    unusable += [f"{name} is a secret of deploy.yml too" for name in recipe.secrets if name in environment.pass_env]
    if unusable:
        found.append(Gate(code=Code.NOT_PASSED, evidence={**where, "problems": tuple(unusable)}))
    return tuple(found)


def secrets_unread(room: Room, recipe: Recipe, facts: Facts) -> frozenset[str]:
    """The secrets of this recipe that nobody has looked for yet."""
    if facts.config.environment(room.service, room.environment).secrets_from is None:
        return frozenset()
    return frozenset(recipe.secrets) - facts.secrets.keys()


def can_post(facts: Facts) -> Gate | None:
    """The bot can post where the deploy's message belongs."""
    if facts.cannot_post is None:
        return None
    return Gate(code=Code.CANNOT_POST, evidence={"channel": facts.cannot_post})


def unanswered(deploy: Deploy, answer: Answer) -> Gate | None:
    """What a button answers was not answered before, by another button or a word."""
    if answer.step is None or answer.attempt is None:
        return None
    used = deploy.used.get(question(answer.step, answer.attempt, answer.choice))
    if used is None:
        return None
    said = SAID[used.choice] if used.choice else ""
    return Gate(code=Code.ALREADY_ANSWERED, evidence={"by": used.by.name, "choice": said, "at": used.at.isoformat()})


def disk_has_room(facts: Facts) -> Gate | None:
    """The disk of the host has room for what a deploy writes."""
    if facts.disk_short is None:
        return None
    return Gate(code=Code.DISK_FULL, evidence={"left": f"{facts.disk_short // (1 << 20):,} MB"})


def button_fresh(state: State, deploy: str, action: str) -> Gate | None:
    """A button's effect happens once: who clicks second is told who did it."""
    source = state.deploys.get(deploy)
    used = source.used.get(action) if source else None
    if used is None:
        return None
    return Gate(code=Code.ALREADY_DONE, evidence={"by": used.by.name, "action": action, "at": used.at.isoformat()})
