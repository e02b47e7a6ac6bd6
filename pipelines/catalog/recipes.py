"""deploy.yml, how a service is deployed, as a checked `Recipe`: every problem at once, before anything runs."""

import posixpath
import re
from collections.abc import Callable
from collections.abc import Mapping as Table
from dataclasses import replace

from pipelines.catalog.addresses import address_problem
from pipelines.catalog.fields import Fields, boolean, choice, count, duration, kind, positive, text
from pipelines.catalog.nodes import Limits, Mapping, Scalar, Sequence, Value, read
from pipelines.catalog.problems import Found, Problem, RecipeErrors, lookalike, nearest
from pipelines.domain import variables
from pipelines.domain.recipe import (
    CHECK_RETRIES,
    CHECK_TIMEOUT,
    STATUS_TIMEOUT,
    Check,
    CheckKind,
    OnLost,
    Recipe,
    Recreate,
    Rolling,
    Script,
    StatusUrl,
)
from pipelines.domain.variables import OWN, PASSED_NAME, PLANNED, SECRET_NAME

LIMITS = Limits(size=64_000, nodes=3_000)
KEYS = ("deploy", "route", "status", "stop", "before", "after", "check", "strategy", "timeout", "secrets")
LATER = ("stats", "rollback", "tests", "watch", "guard")
STEP = ("run", "timeout", "silence", "on_lost", "detach")
STEP_LATER: tuple[str, ...] = ()
HOOK_LATER = ("when",)
OF_SCRIPTS = ("silence", "on_lost", "detach")
CHECK = ("http", "tcp", "run", "timeout", "retries", *OF_SCRIPTS)
CHECK_LATER = ("sql",)
STRATEGIES = ("rolling", "recreate")
STRATEGIES_LATER = ("blue_green", "canary")
SECRETS = 100
DEFAULT: Rolling | Recreate = Rolling()
USUAL = Script(run="")
ONE_BY_ONE: tuple[int, float | None] = (1, None)
EXECUTABLE, PLAIN, LINK, SUBMODULE = "100755", "100644", "120000", "160000"
BEGINNING = 256  # bytes of a script that tell what it is; an interpreter's path has to be in them
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d+)?)%")


def parse_recipe(
    source: bytes | str,
    *,
    file: str,
    folder: str,
    entries: Table[str, str],
    beginning: Callable[[str], bytes] | None = None,
) -> Recipe:
    """The recipe in a deploy.yml that lies in `folder`; `entries` are the commit's files with git's modes. With
    `beginning`, which reads the first bytes of one, scripts must look like programs, too.

    Raises RecipeErrors."""
    found = Found(file)
    if entries.get(file) == LINK:
        raise RecipeErrors([Problem(file=file, line=1, message="this is a symbolic link; the bot reads a file")])
    root = read(source, found, LIMITS)
    reader = _Reader(found, folder, entries, beginning)
    recipe = None if found.problems else reader.recipe(root)
    if found.problems or recipe is None:
        raise RecipeErrors(found.problems)
    return recipe


class _Reader:
    def __init__(
        self, found: Found, folder: str, entries: Table[str, str], beginning: Callable[[str], bytes] | None
    ) -> None:
        self._found = found
        self._beginning = beginning
        self._folder = folder
        self._entries = entries
        self._secrets: tuple[str, ...] = ()

    def recipe(self, root: Value | None) -> Recipe | None:
        fields = Fields(root, self._found, of="deploy.yml", known=KEYS, later=LATER)
        if "deploy" not in fields:
            self._found.add(fields.line, "there is no `deploy`; the least file is `deploy: deploy/install.sh`")
        self._secrets = fields.get("secrets", self._names, ())  # first, for URLs may name them
        deploy = fields.get("deploy", self._step, None)
        strategy: Rolling | Recreate = fields.get("strategy", self._strategy, DEFAULT)
        recipe = Recipe(
            deploy=deploy or Script(run=""),
            route=fields.get("route", self._step, None),
            status=fields.get("status", self._status, None),
            stop=fields.get("stop", self._step, None),
            before=fields.get("before", self._hooks, ()),
            after=fields.get("after", self._hooks, ()),
            checks=fields.get("check", self._checks, ()),
            strategy=strategy,
            timeout=fields.get("timeout", positive, None) if "timeout" in fields else None,
            secrets=self._secrets,
        )
        stop = fields.entry("stop")
        if stop is not None and not isinstance(strategy, Recreate):
            self._found.add(stop.line, "`stop` is used by `strategy: recreate` alone; remove it or change the strategy")
        return recipe

    def _step(self, value: Value, found: Found, key: str) -> Script | None:
        return self._script(value, key, STEP_LATER)

    def _script(self, value: Value, key: str, later: tuple[str, ...], usual: Script = USUAL) -> Script | None:
        """`usual` is what holds for what the script does not say."""
        if isinstance(value, Scalar):
            return replace(usual, run=self._file(value, key))
        if not isinstance(value, Mapping):
            self._found.add(value.line, f"`{key}` must be a script such as deploy/{key}.sh, not {kind(value)}")
            return None
        fields = Fields(value, self._found, of=f"`{key}`", known=STEP, later=later)
        if "run" not in fields:
            self._found.add(value.line, f"`{key}` names no script; write `run: deploy/{key}.sh`")
        return Script(
            run=fields.get("run", lambda v, f, k: self._file(v, k), ""),
            timeout=fields.get("timeout", positive, usual.timeout),
            silence=fields.get("silence", positive, 0.0),
            on_lost=OnLost(fields.get("on_lost", choice("ask", "rerun"), usual.on_lost.value)),
            detach=fields.get("detach", boolean, False),
        )

    def _file(self, value: Value, key: str) -> str:
        """A script's path from the root of the tree; a path in the file is relative to the file."""
        given = text(value, self._found, key)
        if not given:
            return ""
        path = posixpath.normpath(posixpath.join(self._folder, given))
        if problem := self._misfit(given, path):
            self._found.add(value.line, problem)
        return path

    def _misfit(self, given: str, path: str) -> str | None:
        if given.startswith("/") or path.startswith("../") or path == "..":
            return f"`{given}` is outside the repository; scripts are named by their path in it"
        mode = self._entries.get(path)
        if mode == EXECUTABLE:
            return _no_program(given, self._beginning(path)) if self._beginning else None
        if mode == PLAIN:
            return f"`{given}` is not executable; run: git add --chmod=+x {path}"
        if mode == LINK:
            return f"`{given}` is a symbolic link; name the file it points to"
        if mode == SUBMODULE or any(path.startswith(f"{p}/") for p, m in self._entries.items() if m == SUBMODULE):
            return f"`{given}` is in a submodule, which is not checked out; keep the script in this repository"
        if any(entry.startswith(f"{path}/") for entry in self._entries):
            return f"`{given}` is a folder; name the script in it"
        scripts = [name for name, m in self._entries.items() if m == EXECUTABLE]
        return f"`{given}` is not in the commit.{lookalike(given)}{nearest(path, scripts) if scripts else ''}"

    def _status(self, value: Value, found: Found, key: str) -> Script | StatusUrl | None:
        if isinstance(value, Scalar) and value.text.startswith(("http://", "https://")):
            return StatusUrl(url=self._expandable(value, value.text))
        return self._script(value, key, STEP_LATER, Script(run="", timeout=STATUS_TIMEOUT, on_lost=OnLost.RERUN))

    def _expandable(self, value: Value, url: str) -> str:
        found, known = self._found, (*PLANNED, *self._secrets)
        for name in dict.fromkeys(variables.named(url)):
            if found.full:
                break
            if name not in known:
                hint = " A secret must be named under `secrets:`." if SECRET_NAME.fullmatch(name) else ""
                found.add(value.line, f"`${name}` is not a name that is replaced here.{nearest(name, known)}{hint}")
        if (problem := address_problem(url)) is not None:
            found.add(value.line, f"`{url}` cannot be asked: {problem}")
        return url

    def _names(self, value: Value, found: Found, key: str) -> tuple[str, ...]:
        """The names of secrets: what scripts get them as. Where their values are, the bot's configuration says."""
        items = value.items if isinstance(value, Sequence) else (value,)
        names = [name for item in items if (name := self._name(item, key))]
        for name in sorted({name for name in names if names.count(name) > 1}):
            found.add(value.line, f"`{name}` is named twice under `secrets`")
        if len(names) > SECRETS:
            found.add(value.line, f"these are {len(names)} secrets; more than {SECRETS} are not given to a script")
        return tuple(dict.fromkeys(names))

    def _name(self, item: Value, key: str) -> str:
        """One name; what is none is not repeated, for it may be a value."""
        name = text(item, self._found, key)
        if name and not SECRET_NAME.fullmatch(name):
            like = name.upper() if PASSED_NAME.fullmatch(name) else "DATABASE_URL"
            self._found.add(item.line, f"a secret is named by a variable such as {like}, and no value stands here")
            return ""
        if name in OWN:
            self._found.add(item.line, f"`{name}` is what Shipmate tells every script; give the secret another name")
        return name

    def _hooks(self, value: Value, found: Found, key: str) -> tuple[Script, ...]:
        items = value.items if isinstance(value, Sequence) else (value,)
        scripts = (self._script(item, key, HOOK_LATER) for item in items)
        return tuple(script for script in scripts if script is not None)

    def _checks(self, value: Value, found: Found, key: str) -> tuple[Check, ...]:
        items = value.items if isinstance(value, Sequence) else (value,)
        checks = (self._check(item) for item in items)
        return tuple(check for check in checks if check is not None)

    def _check(self, value: Value) -> Check | None:
        if not isinstance(value, Mapping):
            self._found.add(
                value.line, f"a check is a mapping such as {{http: http://$TARGET/healthz}}, not {kind(value)}"
            )
            return None
        fields = Fields(value, self._found, of="a check", known=CHECK, later=CHECK_LATER)
        kinds = [name for name in ("http", "tcp", "run") if name in fields]
        if len(kinds) != 1:
            if not any(problem.line == value.line for problem in self._found.problems):
                self._found.add(value.line, "a check asks one thing: http, tcp or run")
            return None
        entry = fields.entry(kinds[0])
        assert entry is not None
        for name in OF_SCRIPTS:
            if kinds[0] != "run" and (of_scripts := fields.entry(name)) is not None:
                self._found.add(of_scripts.line, f"`{name}` is of scripts; a check by {kinds[0]} leaves nothing behind")
        return Check(
            kind=CheckKind(kinds[0]),
            what=self._asked(entry.value, CheckKind(kinds[0])),
            timeout=fields.get("timeout", positive, CHECK_TIMEOUT),
            silence=fields.get("silence", positive, 0.0),
            retries=fields.get("retries", count, CHECK_RETRIES),
            on_lost=OnLost(fields.get("on_lost", choice("ask", "rerun"), "rerun")),
            detach=fields.get("detach", boolean, False),
        )

    def _asked(self, value: Value, check: CheckKind) -> str:
        if check is CheckKind.RUN:
            return self._file(value, "run")
        what = self._expandable(value, text(value, self._found, check.value))
        if check is CheckKind.HTTP and what and not what.startswith(("http://", "https://")):
            self._found.add(value.line, f"`{what}` is no URL; write http://$TARGET/healthz")
        if check is CheckKind.TCP and what and "$" not in what and ":" not in what:
            self._found.add(value.line, f"`{what}` has no port; write $TARGET or host:5432")
        return what

    def _strategy(self, value: Value, found: Found, _key: str) -> Rolling | Recreate:
        if isinstance(value, Scalar):
            return self._plain_strategy(value)
        fields = Fields(value, found, of="a strategy", known=STRATEGIES, later=STRATEGIES_LATER)
        recreate, rolling = fields.entry("recreate"), fields.entry("rolling")
        if recreate is not None and rolling is not None:
            found.add(rolling.line, "a strategy is one of rolling and recreate, not both")
        if recreate is not None:
            if not (isinstance(recreate.value, Scalar) and recreate.value.empty):
                found.add(recreate.line, "`recreate` takes no keys; write `strategy: recreate`")
            return Recreate()
        return self._rolling(rolling.value) if rolling is not None else Rolling()

    def _plain_strategy(self, value: Scalar) -> Rolling | Recreate:
        if value.text.replace("-", "_") in STRATEGIES_LATER:
            self._found.add(value.line, f"`{value.text}` is not enforced by this version yet; use rolling or recreate")
        elif value.text not in STRATEGIES:
            self._found.add(value.line, f"{kind(value)} is not a strategy.{nearest(value.text, STRATEGIES)}")
        return Recreate() if value.text == "recreate" else Rolling()

    def _rolling(self, value: Value) -> Rolling:
        fields = Fields(value, self._found, of="rolling", known=("batch", "bake"))
        batch, percent = fields.get("batch", self._batch, ONE_BY_ONE)
        return Rolling(batch=batch, percent=percent, bake=fields.get("bake", duration, 0.0))

    def _batch(self, value: Value, found: Found, key: str) -> tuple[int, float | None]:
        if isinstance(value, Scalar) and (match := _PERCENT.fullmatch(value.text)) and 0 < float(match[1]) <= 100:
            return 1, float(match[1])
        number = count(value, found, key) if isinstance(value, Scalar) and "%" not in value.text else 0
        if number < 1 and not any(problem.line == value.line for problem in found.problems):
            found.add(value.line, "`batch` must be a number of targets such as 2, or a share such as 25%")
        return max(number, 1), None


def _no_program(given: str, beginning: bytes) -> str | None:
    """Why a system would not run an executable file that begins so. What is no text is some system's own."""
    first = beginning.split(b"\n", 1)[0]
    if first.startswith(b"#!"):
        windows = f"the first line of `{given}` ends as on Windows; save it with plain line ends"
        return windows if first.endswith(b"\r") else None
    if b"\0" in beginning:
        return None
    return f"`{given}` is no program: its first line must name an interpreter, such as #!/bin/sh"
