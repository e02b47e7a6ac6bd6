"""The nouns that configuration is made of: people, services, environments, targets.

How a service is deployed is in `recipe`; what happens to it is in `events`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pipelines.domain import variables


class PersonKind(StrEnum):
    MEMBER = "member"
    GUEST = "guest"
    BOT = "bot"
    DELETED = "deleted"
    STRANGER = "stranger"  # a user of another workspace
    UNKNOWN = "unknown"  # nobody knows such a one
    UNSURE = "unsure"  # nobody answers at the moment who this is


@dataclass(frozen=True, kw_only=True)
class Person:
    """Who asks. `id` is what the door calls them (a Slack user id, or the name given to `say`); `name` is the name
    that configuration uses, and what is shown. `slack` is their Slack user id where there is one: it is mentioned."""

    id: str
    name: str
    kind: PersonKind = PersonKind.MEMBER
    slack: str | None = None


@dataclass(frozen=True, kw_only=True)
class Target:
    name: str
    region: str = ""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Who may deploy there, and what scripts are given there: `pass_env` names variables of the bot's own environment,
    `secrets_from` is the URL of a secret, with `{service}`, `{environment}` and `{name}` in it."""

    name: str
    protected: bool = False
    deployers: tuple[str, ...] | None = None
    pass_env: tuple[str, ...] = ()
    secrets_from: str | None = None

    def reference(self, service: str, secret: str) -> str:
        """Where the value of a service's secret is; an empty text where nothing says so."""
        return variables.reference(self.secrets_from or "", service=service, environment=self.name, name=secret)


@dataclass(frozen=True, kw_only=True)
class Service:
    """`environments` are those of which something else is said for this service."""

    name: str
    repo: str
    path: str = "."
    tags: str = "v*"
    channel: str | None = None
    owners: tuple[str, ...] = ()
    targets: Mapping[str, tuple[Target, ...]] = field(default_factory=dict)
    environments: Mapping[str, Environment] = field(default_factory=dict)

    def targets_in(self, environment: str) -> tuple[Target, ...]:
        """Where it runs there: what configuration lists, else one target named after the environment."""
        return self.targets.get(environment) or (Target(name=environment),)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Where and who: the bot's whole configuration, already checked."""

    services: Mapping[str, Service] = field(default_factory=dict)
    environments: Mapping[str, Environment] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)  # name -> Slack user id

    def environment(self, service: str, environment: str) -> Environment:
        """An environment as it is for a service: what is said there wins. Raises KeyError for a name nobody knows."""
        return self.services[service].environments.get(environment) or self.environments[environment]

    def who_may_deploy(self, service: str, environment: str) -> tuple[str, ...] | None:
        """Names and groups that may deploy there; None is any full member; an empty tuple is nobody, as where the
        configuration names no such service or environment."""
        if environment not in self.environments or service not in self.services:
            return ()
        env = self.environment(service, environment)
        if env.deployers is not None:
            return env.deployers
        return self.services[service].owners if env.protected else None


def room_name(service: str, environment: str) -> str:
    return f"{service}/{environment}"


def environment_name(environment: str) -> str:
    """The environment's own stream; no room is called so."""
    return f"env:{environment}"
