"""Deploys that are not over and that no workflow carries out are enqueued again."""

import logging
from typing import Protocol

from sqlmodel import Session

from pipelines.execution.driver import Gone
from pipelines.storage import deploys
from pipelines.storage.database import Database, DatabaseAwayError

log = logging.getLogger(__name__)

SWEEP_SECONDS = 10.0


class Stranded(Protocol):
    """What a rescue needs of the engine."""

    def stranded(self, session: Session, running: list[str], gone: Gone) -> list[str]: ...

    def enqueue_again(self, session: Session, deploy: str) -> None: ...


class Rescue:
    """`gone` says whether the host is gone that has a deploy in hand."""

    def __init__(self, database: Database, engine: Stranded, gone: Gone) -> None:
        self._database = database
        self._engine = engine
        self._gone = gone

    async def sweep(self) -> None:
        """Look once. A database that is away is looked at the next time."""
        try:
            found = await self._database.write(self._again)
        except DatabaseAwayError as error:
            log.warning("no deploy is looked for that nobody carries out: %s", error)
            return
        for deploy in found:
            log.warning("deploy %s was carried out by nobody: enqueued again", deploy)

    def _again(self, session: Session, _topics: set[str]) -> list[str]:
        running = deploys.running_ids(session)
        stranded = self._engine.stranded(session, running, self._gone) if running else []
        for deploy in stranded:
            self._engine.enqueue_again(session, deploy)
        return stranded
