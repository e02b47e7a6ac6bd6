"""Did you mean: lines near what was said in which every name is known. They are offered with a button, never done."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from handlers.chat import clicks
from handlers.chat.card import Button
from handlers.chat.examples import fill, fitting, places
from handlers.chat.grammar import Parsed, parse
from handlers.chat.heard import OFFERED, VERB_NAMES, WORDS, close, heard, plainly
from handlers.chat.sentences import Misread
from handlers.chat.verbs import ALSO_SAID, BY_NAME
from handlers.chat.wording import render
from pipelines.domain.commands import Command, Deploy, Diff, Help, Preview, Query, Rollback, Unbuilt
from pipelines.domain.model import Config
from pipelines.domain.refs import flaw
from pipelines.domain.refusals import Code, Refusal


def meant(said: str, config: Config, versions: Iterable[str] = ()) -> tuple[str, ...]:
    """At most three lines near `said`, the likeliest first. `versions` are near the one that was said."""
    words = plainly(said)
    if not words or len(words) > WORDS:
        return ()
    lines = [line for start in starts(words, config) for line in _near(start, config, tuple(versions))]
    given = parse(said)
    same = "" if isinstance(given, Misread | Unbuilt) else render(given)
    return tuple(line for line in dict.fromkeys(lines) if line != same)[:OFFERED]


def likeliest(said: str, config: Config) -> list[str]:
    """The words that were said, the first ones as a verb where they nearly are one."""
    words = plainly(said)
    return next(starts(words, config)) if words else []


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


def starts(words: list[str], config: Config) -> Iterator[list[str]]:
    """The words, and before them the words with a verb in the place of first ones that are no verb and no service."""
    first = words[0].lower()
    if first not in config.services and first not in BY_NAME:
        lower = [word.lower() for word in words]
        for phrase, verb in ALSO_SAID.items():
            if lower[: len(parts := phrase.split())] == parts:
                yield [verb, *words[len(parts) :]]
        yield from ([*verb.split(), *words[1:]] for verb in close(first, VERB_NAMES))
    yield words


def _near(words: list[str], config: Config, versions: tuple[str, ...]) -> list[str]:
    asked = parse(" ".join(words))
    if isinstance(asked, Unbuilt):
        return []
    if isinstance(asked, Misread) and words[0].lower() == "help":
        topic = " ".join(words[1:])
        return [f"help {name}" for name in ([ALSO_SAID[topic]] if topic in ALSO_SAID else close(topic, VERB_NAMES))]
    found = [render(one) for one in _repaired(asked, config, versions) if _works(one, config)]
    return found or _in_order(words, config)


def _in_order(words: list[str], config: Config) -> list[str]:
    """The sentence of the verb with the names that were said, in whichever order, if all of it has a place there."""
    it = heard(words, config)
    if it.left:
        return []
    for line in fitting(it):
        if places(line) == it.said or ("{version}" in line and places(line) == it.said | {"version"}):
            said = " ".join((fill(line, config, it), *it.tail))
            asked = parse(said)
            return [] if isinstance(asked, Misread | Unbuilt) or not _works(asked, config) else [render(asked)]
    return []


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


def _works(asked: Command | Query, config: Config) -> bool:
    """Every name in it is known, and what it says is a version could be one."""
    it = asked.deploy if isinstance(asked, Preview) else asked
    if isinstance(it, Help):
        return True
    service, environment = getattr(it, "service", None), getattr(it, "environment", None)
    version = it.to if isinstance(it, Rollback) else getattr(it, "version", None)
    good = version is None or not flaw(version)
    return good and service in (None, *config.services) and environment in (None, *config.environments)


def _protected(line: str, config: Config) -> bool:
    asked = parse(line)
    environment = config.environments.get(getattr(asked, "environment", None) or "")
    return isinstance(asked, Command) and environment is not None and environment.protected
