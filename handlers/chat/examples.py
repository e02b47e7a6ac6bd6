"""Lines that would be understood, with names that this configuration knows."""

from pipelines.domain.model import Config


def fill(line: str, config: Config) -> str:
    """`{service}` and `{environment}` become the first ones there are; an environment that is not protected first."""
    service = next(iter(config.services), "api")
    calm = [name for name, environment in config.environments.items() if not environment.protected]
    environment = next(iter([*calm, *config.environments]), "staging")
    return line.replace("{service}", service).replace("{environment}", environment)
