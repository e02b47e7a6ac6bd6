"""Git access: each repository is asked for its branches, in the way and as the user in which the bot will fetch it."""

import asyncio
from collections.abc import Iterator
from functools import partial

from bot.doctor.findings import Check, Findings, in_thread, ok, problem, warning
from pipelines.domain.model import Config
from pipelines.domain.ref_problems import GitFailed, SourceError
from pipelines.execution.access import advice, trouble
from pipelines.execution.source import Processes, reach

SECONDS = 10.0
AT_ONCE = 32
SHOWN = 200


def checks(config: Config, processes: Processes) -> Iterator[Check]:
    """One a repository, however many services are in it."""
    turns = asyncio.Semaphore(AT_ONCE)
    for repo in dict.fromkeys(service.repo for service in config.services.values()):
        services = ", ".join(service.name for service in config.services.values() if service.repo == repo)
        what = f"repository of {services}"
        yield Check(what=what, look=partial(reached, what, repo, processes, turns))


async def reached(what: str, repo: str, processes: Processes, turns: asyncio.Semaphore) -> Findings:
    try:
        async with turns:
            branches = await in_thread(partial(reach, processes, repo, SECONDS))
    except SourceError as error:
        detail = error.problem.detail if isinstance(error.problem, GitFailed) else str(error)
        said = detail.split("; Could not read from remote")[0]  # what it says after any failure says nothing
        yield problem(what, f"{advice(trouble(detail, repo))}. git says: {said[:SHOWN]}")
        return
    yield ok(what, "it answers") if branches else warning(what, "it answers, but has no branch yet; push one")
