"""A plan: the steps of one deploy, in stages. `strategies` orders them, `advance` walks them, the engine knows neither.

A stage's steps may run at the same time; a stage begins when the one before it ended well.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pipelines.domain import variables
from pipelines.domain.recipe import CHECK_PAUSE, Check, CheckKind, OnLost, Recipe, Script, StatusUrl

RECOVERY_STAGE = 10_000  # from here on: what is done after an abort or a failure


class Verb(StrEnum):
    BEFORE = "before"
    DEPLOY = "deploy"
    ROUTE = "route"
    STATUS = "status"
    STOP = "stop"
    CHECK = "check"
    BAKE = "bake"
    AFTER = "after"


class How(StrEnum):
    """What carries a step out."""

    SCRIPT = "script"
    HTTP = "http"  # `what` is a URL: any 2xx is yes, for `status` the body is the answer
    TCP = "tcp"  # `what` is host:port
    WAIT = "wait"  # `seconds` of time


@dataclass(frozen=True, kw_only=True)
class Weight:
    target: str
    weight: int


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing to do. `commit` is the tree a script comes from; `table` is what `route` reads on standard input."""

    id: str
    stage: int
    verb: Verb
    label: str
    how: How
    what: str = ""
    target: str = ""
    region: str = ""
    commit: str = ""
    table: tuple[Weight, ...] = ()
    timeout: float = 0.0
    silence: float = 0.0  # 0: no limit
    retries: int = 0
    pause: float = 0.0
    on_lost: OnLost = OnLost.ASK
    detach: bool = False
    expect: bool = False  # of `status`: it must report the version of the plan

    @property
    def recovers(self) -> bool:
        """Not of the plan: done because the plan goes no further."""
        return self.stage >= RECOVERY_STAGE


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`repo` is where its commits come from, `digest` names the tree; `previous_*` is what was live; `skipped` are
    targets that are not there any more. `secrets_from` is where the values of secrets are, and `pass_env` are names of
    the bot's own variables: no value is ever in a plan. `path` and `deployers` are what
    configuration said of the room at that time: where deploy.yml is, and who may deploy (None: any full member)."""

    service: str
    environment: str
    version: str
    repo: str
    commit: str
    digest: str
    recipe: Recipe
    targets: tuple[str, ...]
    regions: Mapping[str, str]
    steps: tuple[Step, ...]
    previous_version: str = ""
    previous_commit: str = ""
    shown: str = ""  # how the version was asked for, where that says more: `main (3f2a91c)`
    skipped: tuple[str, ...] = ()
    protected: bool = False
    secrets_from: str = ""
    pass_env: tuple[str, ...] = ()
    path: str = "."
    deployers: tuple[str, ...] | None = ()

    @property
    def verified(self) -> bool:
        return self.recipe.status is not None

    @property
    def secrets(self) -> dict[str, str]:
        """The names that scripts get, each with where its value is."""
        where = {"service": self.service, "environment": self.environment}
        return {name: variables.reference(self.secrets_from, name=name, **where) for name in self.recipe.secrets}


@dataclass(frozen=True, kw_only=True)
class Making:
    """What every step of a plan shares while it is compiled."""

    service: str
    environment: str
    version: str
    commit: str
    recipe: Recipe
    regions: Mapping[str, str]
    previous_version: str = ""
    previous_commit: str = ""
    stop: Script | None = None  # of recreate: what ends what runs, and the commit it comes from
    stop_commit: str = ""


def expand(text: str, making: Making, target: str) -> str:
    """`$TARGET` and its like in a URL or address; a secret's name stays, for it is replaced when the question is
    asked."""
    values = {
        "SERVICE": making.service,
        "ENVIRONMENT": making.environment,
        "TARGET": target,
        "REGION": making.regions.get(target, ""),
        "VERSION": making.version,
        "COMMIT": making.commit,
        "PREVIOUS_VERSION": making.previous_version,
        "PREVIOUS_COMMIT": making.previous_commit,
    }
    return variables.expand(text, values)


def script(making: Making, it: Script, *, verb: Verb, label: str, target: str = "", commit: str = "") -> Step:
    return Step(
        id="",
        stage=0,
        verb=verb,
        label=label,
        how=How.SCRIPT,
        what=it.run,
        target=target,
        region=making.regions.get(target, ""),
        commit=commit or making.commit,
        timeout=it.timeout,
        silence=it.silence,
        on_lost=it.on_lost,
        detach=it.detach,
    )


def check(making: Making, it: Check, target: str) -> Step:
    how = {CheckKind.HTTP: How.HTTP, CheckKind.TCP: How.TCP, CheckKind.RUN: How.SCRIPT}[it.kind]
    return Step(
        id="",
        stage=0,
        verb=Verb.CHECK,
        label=f"check on {target}",
        how=how,
        what=it.what if how is How.SCRIPT else expand(it.what, making, target),
        target=target,
        region=making.regions.get(target, ""),
        commit=making.commit,
        timeout=it.timeout,
        silence=it.silence,
        retries=it.retries,
        pause=CHECK_PAUSE,
        on_lost=it.on_lost,
        detach=it.detach,
    )


def status(making: Making, target: str, *, expect: bool) -> Step | None:
    """The step that asks TARGET what it runs, or None where the service has no `status`."""
    it = making.recipe.status
    if it is None:
        return None
    url = isinstance(it, StatusUrl)
    return Step(
        id="",
        stage=0,
        verb=Verb.STATUS,
        label=f"status of {target}",
        how=How.HTTP if url else How.SCRIPT,
        what=expand(it.url, making, target) if isinstance(it, StatusUrl) else it.run,
        target=target,
        region=making.regions.get(target, ""),
        commit=making.commit,
        timeout=it.timeout,
        silence=0.0 if isinstance(it, StatusUrl) else it.silence,
        retries=2 if expect else 0,
        pause=1.0,
        on_lost=OnLost.RERUN if isinstance(it, StatusUrl) else it.on_lost,
        detach=False if isinstance(it, StatusUrl) else it.detach,
        expect=expect,
    )
