"""Lines that would be understood: with the names that were said, where they are known, else with names that this
configuration knows."""

import re
from collections.abc import Iterable

from handlers.chat.heard import Heard
from handlers.chat.verbs import BY_NAME
from pipelines.domain.model import Config

_PLACE = re.compile(r"\{(\w+)\}")


def fill(line: str, config: Config, heard: Heard | None = None) -> str:
    """What was not said becomes the first name there is; an environment that is not protected first, the newest version
    to deploy. `SERVICE` and `VERSION` stand where a name would be a guess: in answer to somebody who meant one of
    several services, or one that nobody knows, and for a version that was good."""
    unsure = heard is not None and (len(config.services) > 1 or bool(heard.left))
    heard = heard or Heard()
    calm = [name for name, environment in config.environments.items() if not environment.protected]
    names = {
        "{service}": heard.service or ("SERVICE" if unsure else next(iter(config.services), "api")),
        "{version}": heard.version or "latest",
        "{good}": heard.version or "VERSION",
        "{environment}": heard.environment or next(iter([*calm, *config.environments]), "staging"),
    }
    for place, name in names.items():
        line = line.replace(place, name)
    return line


def like(heard: Heard, config: Config, lines: Iterable[str] = ()) -> tuple[str, ...]:
    """These lines filled in; without any, one of the verb that was said. A line that leaves out a name that was said is
    shown only where there is none with it."""
    chosen = tuple(lines) or (next(iter(fitting(heard)), usages(heard)[0]), "help")
    whole = {line for line in chosen if heard.said <= places(line)} or set(chosen)
    return tuple(dict.fromkeys(fill(line, config, heard) for line in chosen if line in whole or not places(line)))


def fitting(heard: Heard) -> list[str]:
    """The usages of the verb with a place for all that was said."""
    return [line for line in usages(heard) if heard.said <= places(line)]


def usages(heard: Heard) -> tuple[str, ...]:
    verb = BY_NAME.get(heard.verb)
    return verb.usage if verb is not None and verb.usage else BY_NAME["deploy"].usage


def places(line: str) -> set[str]:
    """What a line has a place for."""
    return {"version" if name == "good" else name for name in _PLACE.findall(line)}
