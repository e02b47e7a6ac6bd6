"""The bot's configuration, where and who, as a checked `Config`. It has no place for a step: those are `recipes`."""

import re
from pathlib import Path

from pipelines.catalog.fields import Fields, boolean, kind, name_problem, named, text, texts
from pipelines.catalog.nodes import Entry, Mapping, Sequence, Value, read
from pipelines.catalog.problems import ConfigErrors, Found, Problem, nearest
from pipelines.domain.model import Config, Environment, Service, Target

TOP = ("services", "environments", "groups", "people")
SERVICE = ("repo", "path", "tags", "channel", "owners", "targets")
SERVICE_LATER = ("environments",)
ENVIRONMENT = ("protected", "deployers")
ENVIRONMENT_LATER = (
    "follow",
    "scale_waits",
    "pass_env",
    "secrets_from",
    "from",
    "needs",
    "approve",
    "windows",
    "waves",
    "auto_rollback",
    "pool",
)
PERSON_LATER = ("github",)
COLOURS = frozenset({"blue", "green"})
VERBS = frozenset(
    [
        "deploy",
        "plan",
        "rollback",
        "status",
        "history",
        "diff",
        "who",
        "why",
        "abort",
        "retry",
        "approve",
        "decline",
        "promote",
        "lock",
        "unlock",
        "queue",
        "freeze",
        "thaw",
        "dora",
        "drift",
        "secrets",
        "flag",
        "drill",
        "test",
        "help",
        "run",
        "it",
        "go",
        "wait",
        "stop",
        "choose",
        "say",
    ]
)
FILLERS = frozenset({"to", "in", "on", "the", "because", "at", "for", "until", "force", "now"})
_SLACK_ID = re.compile(r"[UW][A-Z0-9]{2,20}")
_REMOTE = re.compile(r"(https://|ssh://|file:///|[A-Za-z0-9._-]+@[A-Za-z0-9._-]+:)\S+")
_TARGET = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._:\[\]-]{0,98})")


def load_config(path: Path) -> Config:
    """The configuration in a file. Raises ConfigErrors with every problem, OSError only from the file system's own."""
    try:
        return parse_config(path.read_bytes(), file=path.name, folder=path.parent)
    except FileNotFoundError:
        message = f"there is no such file in {path.parent.absolute()}; name one with --config or SHIPMATE_CONFIG"
        raise ConfigErrors([Problem(file=path.name, line=1, message=message)]) from None


def parse_config(source: bytes | str, *, file: str = "shipmate.yml", folder: Path = Path()) -> Config:
    """The configuration in a text; repository paths in it are relative to `folder`. Raises ConfigErrors."""
    found = Found(file)
    root = read(source, found)
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
            groups=fields.get("groups", self._groups, {}),
            people=fields.get("people", self._people, {}),
        )
        if services and not environments:
            self._found.add(fields.line, "there is no environment; add `environments: {staging: {}}`")
        return config

    def _names(self, value: Value, of: str) -> dict[str, Entry]:
        entries = dict(named(value, self._found, of))
        for name, entry in entries.items():
            if problem := name_problem(name):
                self._found.add(entry.line, problem)
            elif name in VERBS | FILLERS:
                self._found.add(entry.line, f"`{name}` is a word of the commands, so nothing can be called that")
        return entries

    def _environments(self, value: Value, _found: Found, _key: str) -> dict[str, Environment]:
        return {name: self._environment(name, entry) for name, entry in self._names(value, "environments").items()}

    def _environment(self, name: str, entry: Entry) -> Environment:
        fields = Fields(entry.value, self._found, of="an environment", known=ENVIRONMENT, later=ENVIRONMENT_LATER)
        deployers = fields.get("deployers", self._people_or_groups, None) if "deployers" in fields else None
        return Environment(name=name, protected=fields.get("protected", boolean, False), deployers=deployers)

    def _services(self, value: Value, environments: dict[str, Environment]) -> dict[str, Service]:
        return {
            name: self._service(name, entry, environments) for name, entry in self._names(value, "services").items()
        }

    def _service(self, name: str, entry: Entry, environments: dict[str, Environment]) -> Service:
        fields = Fields(entry.value, self._found, of="a service", known=SERVICE, later=SERVICE_LATER)
        if "repo" not in fields:
            self._found.add(entry.line, f"`{name}` has no `repo`; say where its git repository is")
        return Service(
            name=name,
            repo=fields.get("repo", self._repo, ""),
            path=fields.get("path", self._path, "."),
            tags=fields.get("tags", text, "v*"),
            channel=fields.get("channel", text, "") or None,
            owners=fields.get("owners", self._people_or_groups, ()),
            targets=fields.get("targets", lambda v, f, k: self._targets(v, environments), {}),
        )

    def _repo(self, value: Value, found: Found, key: str) -> str:
        repo = text(value, found, key)
        if not repo or _REMOTE.fullmatch(repo):
            return repo
        if "::" in repo or "://" in repo or repo.startswith("-"):
            found.add(value.line, f"`{repo}` is no address Shipmate fetches from; use https://, ssh:// or a local path")
            return ""
        return str((self._folder.absolute() / Path(repo).expanduser()).resolve())

    def _path(self, value: Value, found: Found, key: str) -> str:
        path = text(value, found, key).rstrip("/")
        if path.startswith("/") or ".." in path.split("/"):
            found.add(value.line, f"`path` must be a folder inside the repository, such as services/api, not `{path}`")
            return "."
        return path.removeprefix("./") or "."

    def _people_or_groups(self, value: Value, found: Found, key: str) -> tuple[str, ...]:
        return texts(value, found, key)

    def _groups(self, value: Value, found: Found, _key: str) -> dict[str, tuple[str, ...]]:
        groups: dict[str, tuple[str, ...]] = {}
        for name, entry in named(value, found, "groups").items():
            if not name.startswith("@"):
                found.add(entry.line, f'the name of a group begins with @; write it as "@{name}"')
            groups[name] = texts(entry.value, found, name)
        return groups

    def _people(self, value: Value, found: Found, _key: str) -> dict[str, str]:
        people: dict[str, str] = {}
        for name, entry in named(value, found, "people").items():
            fields = Fields(entry.value, found, of="a person", known=("slack",), later=PERSON_LATER)
            slack = fields.get("slack", text, "")
            if slack and not _SLACK_ID.fullmatch(slack):
                found.add(entry.line, f"`{slack}` is no Slack user id; it looks like U024BE7LH and is in the profile")
            if slack:
                people[name] = slack
        return people

    def _targets(self, value: Value, environments: dict[str, Environment]) -> dict[str, tuple[Target, ...]]:
        targets: dict[str, tuple[Target, ...]] = {}
        for name, entry in named(value, self._found, "targets").items():
            if name not in environments:
                self._found.add(entry.line, f"`{name}` is not an environment.{nearest(name, environments or ['none'])}")
            targets[name] = self._places(entry.value, name)
        return targets

    def _places(self, value: Value, where: str) -> tuple[Target, ...]:
        """A list, or regions with a list each."""
        if isinstance(value, Mapping):
            found: list[Target] = []
            for entry in value:
                found += self._region(entry)
            places = tuple(found)
        else:
            places = tuple(Target(name=name) for name in self._list(value, where))
        names = [place.name for place in places]
        for name in sorted({name for name in names if names.count(name) > 1}):
            self._found.add(value.line, f"`{name}` is a target of {where} twice")
        return places

    def _region(self, entry: Entry) -> list[Target]:
        if entry.key in COLOURS or isinstance(entry.value, Mapping):
            self._found.add(entry.line, "`blue` and `green` targets are not enforced by this version yet; use a list")
            return []
        return [Target(name=name, region=entry.key) for name in self._list(entry.value, entry.key)]

    def _list(self, value: Value, where: str) -> list[str]:
        if not isinstance(value, Sequence) or not value.items:
            self._found.add(
                value.line, f"the targets of {where} must be a list such as [stg-1, stg-2], not {kind(value)}"
            )
            return []
        names = [text(item, self._found, "target") for item in value.items]
        for item, name in zip(value.items, names, strict=True):
            if name and not _TARGET.fullmatch(name):
                self._found.add(
                    item.line, f"`{name}` cannot be a target; a target is a word such as stg-1 or host:8080"
                )
        return names
