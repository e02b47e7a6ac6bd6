"""The nouns that configuration is made of: people, services, environments, targets.

How a service is deployed is in `recipe`; what happens to it is in `events`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class PersonKind(StrEnum):
    MEMBER = "member"
    GUEST = "guest"
    BOT = "bot"
    DELETED = "deleted"
    STRANGER = "stranger"  # a user of another workspace
    UNKNOWN = "unknown"  # nobody could tell who this is


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
class Service:
    name: str
    repo: str
    path: str = "."
    tags: str = "v*"
    channel: str | None = None
    owners: tuple[str, ...] = ()
    targets: Mapping[str, tuple[Target, ...]] = field(default_factory=dict)

    def targets_in(self, environment: str) -> tuple[Target, ...]:
        """Where it runs there: what configuration lists, else one target named after the environment."""
        return self.targets.get(environment) or (Target(name=environment),)


@dataclass(frozen=True, kw_only=True)
class Environment:
    name: str
    protected: bool = False
    deployers: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Config:
    """Where and who: the bot's whole configuration, already checked."""

    services: Mapping[str, Service] = field(default_factory=dict)
    environments: Mapping[str, Environment] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)  # name -> Slack user id

    def who_may_deploy(self, service: str, environment: str) -> tuple[str, ...] | None:
        """Names and groups that may deploy there; None is any full member; an empty tuple is nobody."""
        env = self.environments[environment]
        if env.deployers is not None:
            return env.deployers
        return self.services[service].owners if env.protected else None


def room_name(service: str, environment: str) -> str:
    return f"{service}/{environment}"


def environment_name(environment: str) -> str:
    """The environment's own stream; no room is called so."""
    return f"env:{environment}"
