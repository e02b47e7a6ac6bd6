"""Lines that would be understood, with names that this configuration knows."""

from collections.abc import Iterable

from handlers.chat.grammar import parse
from handlers.chat.sentences import Misread
from pipelines.domain.commands import Preview
from pipelines.domain.model import Config

GENERAL = ("{service} latest {environment}", "help")


def fill(line: str, config: Config) -> str:
    """`{service}` and `{environment}` become the first ones there are; an environment that is not protected first."""
    service = next(iter(config.services), "api")
    calm = [name for name, environment in config.environments.items() if not environment.protected]
    environment = next(iter([*calm, *config.environments]), "staging")
    return line.replace("{service}", service).replace("{environment}", environment)


def understood(lines: Iterable[str], config: Config) -> tuple[str, ...]:
    """The lines that would be understood, with names that are known; where there is none, some that always are."""
    fit = tuple(line for line in lines if _fits(line, config))
    return fit or tuple(fill(line, config) for line in GENERAL)


def _fits(line: str, config: Config) -> bool:
    asked = parse(line)
    if isinstance(asked, Misread):
        return False
    it = asked.deploy if isinstance(asked, Preview) else asked
    service, environment = getattr(it, "service", None), getattr(it, "environment", None)
    return service in (None, *config.services) and environment in (None, *config.environments)
