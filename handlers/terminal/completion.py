"""The words that may come next in a sentence, for a shell that completes it: out of the usages of the verbs, so that a
verb that is built is completed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from handlers.chat.verbs import BY_NAME, FILLERS, VERBS
from pipelines.domain.model import Config
from pipelines.shipmate import Shipmate

SERVICE, ENVIRONMENT, VERSION = "{service}", "{environment}", "{version}"
GENERAL = ("latest", "previous")
LIMIT = 100
WORDS = 30

Pattern = tuple[str, ...]


def _patterns() -> Iterator[Pattern]:
    """Every usage as words; what follows `because` is anybody's."""
    for verb in VERBS:
        for usage in verb.usage if verb.built else ():
            words = usage.split(" because ")[0].split() + (["because"] if " because " in usage else [])
            pattern = tuple(VERSION if word == "{good}" else word for word in words)
            if "@" in usage:
                continue
            yield pattern
            if verb.name == "deploy":
                yield ("deploy", *pattern)
    yield from (("help", name) for name in BY_NAME if BY_NAME[name].built)


PATTERNS = tuple(dict.fromkeys(_patterns()))


async def answer(shipmate: Shipmate, request: Mapping[str, Any]) -> list[str]:
    """What may stand where `typed` is being typed, after `words`."""
    words, typed = [str(word) for word in request["words"]][:WORDS], str(request["typed"])
    service, at, version = typed.rpartition("@")
    if at and service in shipmate.config.services:
        return [f"{service}@{one}" for one in await _versions(shipmate, service, version)]
    found: list[str] = []
    for slot in dict.fromkeys(next_slots(words, shipmate.config)):
        found += await _fill(shipmate, slot, words, typed)
    return list(dict.fromkeys(found))[:LIMIT]


def next_slots(words: Sequence[str], config: Config) -> list[str]:
    """The words and kinds of words that may come after these, in the order of the verbs."""
    said = _said(words)
    return [slot for pattern in PATTERNS if (slot := _next(pattern, said, config)) is not None]


def _said(words: Sequence[str]) -> list[str]:
    """The words as a sentence has them; a shell may make words of what stands before and after an @."""
    return " ".join(words).lower().removeprefix("/").replace("@", " ").split()


def _service_in(words: Sequence[str], config: Config) -> str:
    return next((word for word in _said(words) if word in config.services), "")


def _next(pattern: Pattern, said: Iterable[str], config: Config) -> str | None:
    place = 0
    for word in said:
        if place < len(pattern) and _fits(pattern[place], word, config):
            place += 1
        elif word not in FILLERS:
            return None
    return pattern[place] if place < len(pattern) else None


def _fits(slot: str, word: str, config: Config) -> bool:
    match slot:
        case "{service}":
            return word in config.services
        case "{environment}":
            return word in config.environments
        case "{version}":
            return word not in FILLERS
        case _:
            return word == slot


async def _fill(shipmate: Shipmate, slot: str, words: Sequence[str], typed: str) -> list[str]:
    match slot:
        case "{service}":
            names: Sequence[str] = await shipmate.services()
        case "{environment}":
            names = list(shipmate.config.environments)
        case "{version}":
            return await _versions(shipmate, _service_in(words, shipmate.config), typed)
        case _:
            names = [slot]
    return [name for name in names if name.startswith(typed.lower())]


async def _versions(shipmate: Shipmate, service: str, typed: str) -> list[str]:
    """The versions that begin with what was typed: a shell would take the others for mistakes."""
    known = [name.text for name in await shipmate.versions(service, typed)]
    return [name for name in (*known, *GENERAL) if name.startswith(typed)][:LIMIT]
