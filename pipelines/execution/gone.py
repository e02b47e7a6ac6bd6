"""Steps of a host whose worker does not come back: nobody there can say any more how they ended, so people are asked.

A worker with a new data folder is another host. Whoever replaced one so would else wait for ever, without a word.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime

from sqlmodel import Session

from pipelines.domain.events import Progress
from pipelines.storage.database import Database, DatabaseAwayError
from pipelines.storage.steps import Ending, StepKey, end, open_elsewhere

log = logging.getLogger(__name__)

GONE_SECONDS = 120.0  # a worker that restarts is back by then, and takes its steps up itself


class GoneHosts:
    """`host` is the own one; `there` says whether a worker of a host is at work."""

    def __init__(
        self,
        database: Database,
        *,
        host: str,
        there: Callable[[Session, str], bool],
        clock: Callable[[], datetime],
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._host = host
        self._there = there
        self._clock = clock
        self._seconds = seconds
        self._away: dict[str, tuple[float, float]] = {}  # since when nobody is there, and when that was last asked

    def gone(self, session: Session, host: str) -> bool:
        """Whether nobody was there for this host for a while, as far as was asked again and again."""
        if host == self._host or self._there(session, host):
            self._away.pop(host, None)
            return False
        now = self._seconds()
        since, asked = self._away.get(host, (now, now))
        since = since if now - asked < GONE_SECONDS else now
        self._away[host] = (since, now)
        return now - since >= GONE_SECONDS

    async def sweep(self) -> None:
        """Look once. A database that is away is looked at the next time."""
        try:
            if await self._database.read(self._left):
                await self._database.write(self._end)
        except DatabaseAwayError as error:
            log.warning("no host is looked for that is gone: %s", error)

    def _left(self, session: Session) -> dict[StepKey, str]:
        """The steps of hosts that are gone."""
        open_ = open_elsewhere(session, self._host)
        gone = {host for host in set(open_.values()) if self.gone(session, host)}
        return {key: host for key, host in open_.items() if host in gone}

    def _end(self, session: Session, topics: set[str]) -> None:
        for key, host in self._left(session).items():
            log.warning("step %s of %s is lost: nobody is there for its host %s", key.step, key.deploy, host)
            end(session, key, Ending(progress=Progress.LOST, detail=f"its host {host} is gone"), self._clock())
            topics |= {f"deploy:{key.deploy}", f"probe:{key.deploy}"}
