"""The bot's configuration, where and who, as a checked `Config`. It has no place for a step: those are `recipes`."""

import re
from pathlib import Path

from pipelines.catalog.fields import Fields, boolean, kind, named, text
from pipelines.catalog.giving import pass_env, secrets_from
from pipelines.catalog.names import name_problem, service_problem
from pipelines.catalog.nodes import Entry, Mapping, Scalar, Sequence, Value, read
from pipelines.catalog.people import groups, people, people_or_groups
from pipelines.catalog.problems import ConfigErrors, Found, nearest
from pipelines.catalog.recipes import KEYS, LATER
from pipelines.domain.model import Config, Environment, Service, Target

TOP = ("services", "environments", "groups", "people")
SERVICE = ("repo", "path", "tags", "channel", "owners", "targets", "environments")
ENVIRONMENT = ("protected", "deployers", "pass_env", "secrets_from")
ENVIRONMENT_LATER = (
    "follow",
    "scale_waits",
    "from",
    "needs",
    "approve",
    "windows",
    "waves",
    "auto_rollback",
    "pool",
)
COLOURS = frozenset({"blue", "green"})
_CHANNEL = re.compile(r"#[^\s#]{1,80}|[CGD][A-Z0-9]{1,20}")
_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]*@")
_REMOTE = re.compile(r"(https://|ssh://|file:///|[A-Za-z0-9._-]+@[A-Za-z0-9._-]+:)\S+")
_TARGET = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._:\[\]-]{0,98})")


def parse_config(source: bytes | str, *, file: str = "shipmate.yml", folder: Path = Path()) -> Config:
    """The configuration in a text; repository paths in it are relative to `folder`. Raises ConfigErrors."""
    found = Found(file)
    root = read(source, found)
    if root is None and not found.problems:
        found.add(
            1, "this file says nothing; the least is a service under `services:` and `environments: {staging: {}}`"
        )
    config = Config() if found.problems else _Reader(found, folder).config(root)
    if found.problems:
        raise ConfigErrors(found.problems)
    return config


class _Reader:
    def __init__(self, found: Found, folder: Path) -> None:
        self._found = found
        self._folder = folder

    def config(self, root: Value | None) -> Config:
        fields = Fields(root, self._found, of="the configuration", known=TOP)
        none: dict[str, Environment] = {}
        environments = fields.get("environments", self._environments, none)
        nothing: dict[str, Service] = {}
        services = fields.get("services", lambda v, f, k: self._services(v, environments), nothing)
        config = Config(
            services=services,
            environments=environments,
            groups=fields.get("groups", groups, {}),
            people=fields.get("people", people, {}),
        )
        if services and not environments:
            self._found.add(fields.line, "there is no environment; add `environments: {staging: {}}`")
        return config

    def _names(self, value: Value, of: str) -> dict[str, Entry]:
        entries = dict(named(value, self._found, of))
        for name, entry in entries.items():
            if name.startswith("#"):
                self._found.add(entry.line, f"`{name}` is a channel; it belongs under `channel:` of a service")
            elif problem := service_problem(name) if of == "services" else name_problem(name):
                self._found.add(entry.line, problem)
        return entries

    def _environments(self, value: Value, _found: Found, _key: str) -> dict[str, Environment]:
        entries = self._names(value, "environments").items()
        return {name: self._environment(entry, Environment(name=name)) for name, entry in entries}

    def _environment(self, entry: Entry, general: Environment) -> Environment:
        """What is said in `entry`; the rest is as in `general`."""
        fields = Fields(entry.value, self._found, of="an environment", known=ENVIRONMENT, later=ENVIRONMENT_LATER)
        return Environment(
            name=general.name,
            protected=fields.get("protected", boolean, general.protected),
            deployers=fields.get("deployers", people_or_groups, general.deployers),
            pass_env=fields.get("pass_env", pass_env, general.pass_env),
            secrets_from=fields.get("secrets_from", secrets_from, general.secrets_from),
        )

    def _nearer(self, value: Value, environments: dict[str, Environment]) -> dict[str, Environment]:
        """What is said of environments for one service alone."""
        nearer: dict[str, Environment] = {}
        for name, entry in named(value, self._found, "environments").items():
            if self._found.full:
                break
            if name in environments:
                nearer[name] = self._environment(entry, environments[name])
            else:
                self._found.add(entry.line, f"`{name}` is not an environment.{nearest(name, environments or ['none'])}")
        return nearer

    def _services(self, value: Value, environments: dict[str, Environment]) -> dict[str, Service]:
        return {
            name: self._service(name, entry, environments) for name, entry in self._names(value, "services").items()
        }

    def _service(self, name: str, entry: Entry, environments: dict[str, Environment]) -> Service:
        fields = Fields(entry.value, self._found, of="a service", known=SERVICE, elsewhere=(*KEYS, *LATER))
        if "repo" not in fields:
            self._found.add(entry.line, f"`{name}` has no `repo`; say where its git repository is")
        return Service(
            name=name,
            repo=fields.get("repo", self._repo, ""),
            path=fields.get("path", self._path, "."),
            tags=fields.get("tags", text, "v*"),
            channel=fields.get("channel", lambda v, f, k: self._channel(v, environments), "") or None,
            owners=fields.get("owners", people_or_groups, ()),
            targets=fields.get("targets", lambda v, f, k: self._targets(v, environments), {}),
            environments=fields.get("environments", lambda v, f, k: self._nearer(v, environments), {}),
        )

    def _repo(self, value: Value, found: Found, key: str) -> str:
        repo = text(value, found, key)
        if not repo or _REMOTE.fullmatch(repo):
            return repo
        if "::" in repo or "://" in repo or repo.startswith("-"):
            shown = _CREDENTIALS.sub("[redacted]@", repo)
            problem = f"`{shown}` is no address Shipmate fetches from; use https://, ssh:// or a local path"
            found.add(value.line, problem)
            return ""
        return str((self._folder.absolute() / Path(repo).expanduser()).resolve())

    def _path(self, value: Value, found: Found, key: str) -> str:
        path = text(value, found, key).rstrip("/")
        if path.startswith("/") or ".." in path.split("/"):
            found.add(value.line, f"`path` must be a folder inside the repository, such as services/api, not `{path}`")
            return "."
        return path.removeprefix("./") or "."

    def _channel(self, value: Value, environments: dict[str, Environment]) -> str:
        if isinstance(value, Scalar) and value.empty:
            self._found.add(value.line, 'a # begins a comment, so `channel` says nothing; quote it, as in "#deploys"')
            return ""
        channel = text(value, self._found, "channel")
        if not channel or _CHANNEL.fullmatch(channel):
            return channel
        if channel in environments:
            problem = f'`{channel}` is an environment; a channel is written as "#deploys"'
        else:
            problem = f'`{channel}` is no channel; write its name as in "#deploys", or its id as in C024BE7LR'
        self._found.add(value.line, problem)
        return ""

    def _targets(self, value: Value, environments: dict[str, Environment]) -> dict[str, tuple[Target, ...]]:
        targets: dict[str, tuple[Target, ...]] = {}
        for name, entry in named(value, self._found, "targets").items():
            if self._found.full:
                break
            if name.startswith("#"):
                problem = (
                    f"`{name}` is a channel, and targets belong to an environment; write `channel:` beside `targets:`"
                )
                self._found.add(entry.line, problem)
            elif name not in environments:
                self._found.add(entry.line, f"`{name}` is not an environment.{nearest(name, environments or ['none'])}")
            targets[name] = self._places(entry.value, name)
        return targets

    def _places(self, value: Value, where: str) -> tuple[Target, ...]:
        """A list, or regions with a list each."""
        if isinstance(value, Mapping) and value.entries:
            listed = [place for entry in value for place in self._region(entry)]
        else:
            listed = [(line, Target(name=name)) for line, name in self._list(value, where)]
        first: dict[str, int] = {}
        for line, target in listed:
            if target.name in first:
                before = f"the first is in line {first[target.name]}"
                self._found.add(line, f"`{target.name}` is a target of {where} twice; {before}")
            first.setdefault(target.name, line)
        return tuple(target for _, target in listed)

    def _region(self, entry: Entry) -> list[tuple[int, Target]]:
        if entry.key in COLOURS or isinstance(entry.value, Mapping):
            self._found.add(entry.line, "`blue` and `green` targets are not enforced by this version yet; use a list")
            return []
        return [(line, Target(name=name, region=entry.key)) for line, name in self._list(entry.value, entry.key)]

    def _list(self, value: Value, where: str) -> list[tuple[int, str]]:
        if not isinstance(value, Sequence) or not value.items:
            self._found.add(
                value.line, f"the targets of {where} must be a list such as [stg-1, stg-2], not {kind(value)}"
            )
            return []
        names = [(item.line, text(item, self._found, "target")) for item in value.items]
        for line, name in names:
            if name and not _TARGET.fullmatch(name):
                self._found.add(line, f"`{name}` cannot be a target; a target is a word such as stg-1 or host:8080")
        return [(line, name) for line, name in names if name]
