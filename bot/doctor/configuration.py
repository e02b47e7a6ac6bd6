"""The configuration: every mistake in it with its line, or what it holds."""

from collections.abc import Awaitable
from pathlib import Path

from bot.doctor.findings import Findings, in_thread, ok, problem, warning
from pipelines.catalog import ConfigErrors, load_config
from pipelines.domain.model import Config


async def loaded(path: Path) -> Config | ConfigErrors:
    try:
        return await in_thread(lambda: load_config(path))
    except ConfigErrors as errors:
        return errors


async def known(loading: Awaitable[Config | ConfigErrors]) -> Config | None:
    """The configuration, once it is read; None for one that is broken."""
    found = await loading
    return found if isinstance(found, Config) else None


async def configuration(path: Path, loading: Awaitable[Config | ConfigErrors]) -> Findings:
    found = await loading
    if isinstance(found, ConfigErrors):
        for one in found.problems:
            yield problem("configuration", str(one))
    elif not found.services:
        yield warning("configuration", f"{path} has no service yet; add one under `services:`")
    else:
        services, environments = ", ".join(found.services), ", ".join(found.environments)
        yield ok("configuration", f"{path}: {services}; in {environments}")
