"""What a line most likely says, whether it is understood or not: its verb, and the service, version and environment in
it. Nothing is done by it: lines are offered and examples filled in."""

import difflib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from handlers.chat.grammar import bare
from handlers.chat.normalise import normalise
from handlers.chat.verbs import BY_NAME, FILLERS, FLAGS, VERBS
from pipelines.domain.commands import SAID
from pipelines.domain.letters import foreign
from pipelines.domain.model import Config
from pipelines.domain.refs import flaw

OFFERED = 3
WORDS = 30
QUOTES = "'\"`"
VERB_NAMES = list(dict.fromkeys([*(verb.name for verb in VERBS if verb.built), *SAID.values()]))
_LIKE_VERSION = re.compile(r".*\d.*|latest|previous")


@dataclass(frozen=True, kw_only=True)
class Heard:
    """`service` and `environment` are known names, `version` is one that could be; `left` are words without a meaning,
    `tail` are flags and the reason."""

    verb: str = "deploy"
    service: str | None = None
    version: str | None = None
    environment: str | None = None
    left: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()

    @property
    def said(self) -> set[str]:
        """Which of the three were said."""
        names = {"service": self.service, "version": self.version, "environment": self.environment}
        return {name for name, given in names.items() if given is not None}


def plainly(said: str) -> list[str]:
    """The words without a slash command, and without quotes around those that could be names."""
    words = normalise(said).split()
    reason = next((at for at, word in enumerate(words) if word.lower() == "because"), len(words))
    bared = (word.strip(QUOTES) for word in words[:reason])
    return bare([*filter(None, bared), *words[reason:]])


def heard(words: list[str], config: Config) -> Heard:
    """Names that are there come first, then those that are nearly one, then what may be a version."""
    if len(words) > WORDS:
        return Heard()
    reason = next((at for at, word in enumerate(words) if word.lower() == "because"), len(words))
    verb, rest = _verb(words[:reason])
    flags = [word for word in rest if word.lower() in FLAGS]
    left = [part for word in rest if word.lower() not in FLAGS | FILLERS for part in _parts(word, config)]
    dangling = [word for word in rest[-1:] if word.lower() in FILLERS]
    environment = _taken(left, config.environments)
    service = _taken(left, config.services) or _taken(left, config.services, like=slice(1))
    environment = environment or _taken(left, config.environments, like=slice(None, None, -1))
    version = next((word for word in left if _LIKE_VERSION.fullmatch(word) and not flaw(word)), None)
    if version is None and service is not None and verb != "rollback":  # any branch can be deployed
        version = next((word for word in left[left.index("") :] if not flaw(word)), None)
    return Heard(
        verb=verb,
        service=service,
        version=version,
        environment=environment,
        left=(*(word for word in left if word not in ("", version)), *dangling),
        tail=(*flags, *words[reason:]),
    )


def close(given: str, names: Iterable[str]) -> list[str]:
    """The names that begin with what was given, then those that look like it; at most three."""
    known = list(names)
    folded = given.lower()
    begin = [name for name in known if len(folded) >= 2 and name.startswith(folded)]
    alike = difflib.get_close_matches(folded, known, n=OFFERED, cutoff=0.6)
    return list(dict.fromkeys([*begin, *alike]))[:OFFERED]


def _verb(words: list[str]) -> tuple[str, list[str]]:
    lower = [word.lower() for word in words]
    for verb in (*BY_NAME, *SAID.values()):
        if lower[: len(parts := verb.split())] == parts:
            return verb, words[len(parts) :]
    return "deploy", words


def _parts(word: str, config: Config) -> list[str]:
    """What stands before and after an @, where one of them is a name that is known; a tag may have one in it."""
    parts = word.split("@")
    return [*filter(None, parts)] if {*map(str.lower, parts)} & {*config.services, *config.environments} else [word]


def _taken(words: list[str], names: Collection[str], like: slice = slice(0)) -> str | None:
    """The first word that is a name, or one of `like` that is nearly one name and not nearly another: it is taken out.
    A word with letters that only look like others is no name."""
    exact = [(word, [word.lower()]) for word in words if word.lower() in names]
    some = [word for word in words if word and not foreign(word)][like]
    nearly = [(word, near) for word in some if (near := close(word, names))]
    for word, found in (*exact, *nearly):
        words[words.index(word)] = ""
        return found[0] if len(found) == 1 else None
    return None
