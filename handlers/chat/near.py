"""Did you mean: lines near what was said in which every name is known. They are offered with a button, never done."""

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import replace

from handlers.chat import clicks
from handlers.chat.card import Button
from handlers.chat.grammar import Parsed, parse
from handlers.chat.normalise import normalise
from handlers.chat.sentences import Misread
from handlers.chat.verbs import BY_NAME, VERBS
from handlers.chat.wording import render
from pipelines.domain.commands import SAID, Command, Deploy, Diff, Help, Preview, Query, Unbuilt
from pipelines.domain.model import Config
from pipelines.domain.refusals import Code, Refusal

OFFERED = 3
WORDS = 30
_NAMES = [verb.name for verb in VERBS] + [said for said in SAID.values() if said not in BY_NAME]


def meant(said: str, config: Config, versions: Iterable[str] = ()) -> tuple[str, ...]:
    """At most three lines near `said`, the likeliest first. `versions` are near the one that was said."""
    words = normalise(said).removeprefix("/deploy").split()
    if not words or len(words) > WORDS:
        return ()
    lines = [
        *_without_version(words, config),
        *(
            render(repaired)
            for start in _starts(words, config)
            for repaired in _repaired(parse(" ".join(start)), config, tuple(versions))
            if _known(repaired, config)
        ),
    ]
    lines = lines or _later(words, config)
    given = parse(said)
    same = "" if isinstance(given, Misread | Unbuilt) else render(given)
    return tuple(line for line in dict.fromkeys(lines) if line != same)[:OFFERED]


def meant_by(said: str, config: Config, refusal: Refusal) -> tuple[str, ...]:
    """The lines near one that was refused for a name in it; none when it was refused for something else."""
    codes = {gate.code for gate in refusal.gates}
    if not codes & {Code.UNKNOWN_SERVICE, Code.UNKNOWN_ENVIRONMENT, Code.UNKNOWN_VERSION}:
        return ()
    return meant(said, config, [name for gate in refusal.gates for name in gate.listed("near")])


def offered(refusal: Refusal, config: Config) -> tuple[Button, ...]:
    """The buttons under a refusal: each says the words that its offer names."""
    return tuple(
        clicks.say(offer.label, offer.say, action=offer.action, protected=_protected(offer.say, config))
        for offer in refusal.offers
    )


def buttons(lines: Iterable[str], config: Config) -> tuple[Button, ...]:
    """A button a line, which says it. One that would deploy to a protected environment asks once more."""
    return tuple(clicks.say(f"Choose {line}", line, protected=_protected(line, config)) for line in lines)


def close(given: str, names: Iterable[str]) -> list[str]:
    """The names that begin with what was given, then those that look like it; at most three."""
    known = list(names)
    folded = given.lower()
    begin = [name for name in known if len(folded) >= 2 and name.startswith(folded)]
    alike = difflib.get_close_matches(folded, known, n=OFFERED, cutoff=0.6)
    return list(dict.fromkeys([*begin, *alike]))[:OFFERED]


def _without_version(words: list[str], config: Config) -> list[str]:
    """`api staging`, where no version was said: the newest."""
    said = [word.lower() for word in words]
    if len(said) == 2 and said[0] in config.services and said[1] in config.environments:
        return [f"{said[0]} latest {said[1]}"]
    return []


def _later(words: list[str], config: Config) -> list[str]:
    """The name of a verb that is not built yet, so that whoever means it is told so."""
    starts = (start for start in _starts(words, config) if start != words)
    return [" ".join(start) for start in starts if isinstance(parse(" ".join(start)), Unbuilt)]


def _starts(words: list[str], config: Config) -> Iterator[list[str]]:
    """The words, and the words with a verb in the place of a first one that is no verb and no service."""
    first = words[0].lower()
    if first not in config.services and first not in BY_NAME:
        yield from ([*verb.split(), *words[1:]] for verb in close(first, _NAMES))
    yield words


def _repaired(parsed: Parsed, config: Config, versions: tuple[str, ...]) -> Iterator[Command | Query]:
    """What was asked with near names in the place of unknown ones."""
    match parsed:
        case Misread() | Unbuilt():
            return
        case Preview(deploy=deploy):
            for better in _repaired(deploy, config, versions):
                if isinstance(better, Deploy):
                    yield replace(parsed, deploy=better)
        case Deploy() | Diff():
            ordered = _swapped(parsed, config)
            yield from _renamed(ordered, config, versions or (ordered.version,))
        case _:
            yield from _renamed(parsed, config, ())


def _swapped(asked: Deploy | Diff, config: Config) -> Deploy | Diff:
    """Version and environment in the other order, where that is how they were said."""
    if asked.environment in config.environments or asked.version.lower() not in config.environments:
        return asked
    return replace(asked, version=asked.environment, environment=asked.version.lower())


def _renamed(asked: Command | Query, config: Config, versions: tuple[str, ...]) -> Iterator[Command | Query]:
    services = _options(getattr(asked, "service", None), config.services)
    environments = _options(getattr(asked, "environment", None), config.environments)
    for service in services:
        for environment in environments:
            names = {"service": service, "environment": environment}
            named = replace(asked, **{k: v for k, v in names.items() if v is not None})  # type: ignore[arg-type]
            if isinstance(named, Deploy | Diff):
                yield from (replace(named, version=version) for version in versions)
            else:
                yield named


def _options(given: str | None, known: Iterable[str]) -> list[str | None]:
    names = list(known)
    return [given] if given is None or given in names else [*close(given, names)]


def _known(asked: Command | Query, config: Config) -> bool:
    it = asked.deploy if isinstance(asked, Preview) else asked
    if isinstance(it, Help):
        return True
    service, environment = getattr(it, "service", None), getattr(it, "environment", None)
    return service in (None, *config.services) and environment in (None, *config.environments)


def _protected(line: str, config: Config) -> bool:
    asked = parse(line)
    environment = config.environments.get(getattr(asked, "environment", None) or "")
    return isinstance(asked, Command) and environment is not None and environment.protected
