"""Hearing what other processes told: LISTEN on a connection of its own, opened again whenever it is lost.

Nobody depends on it: those who wait look again by themselves after a while.
"""

import asyncio
import logging
from typing import Any

import psycopg

from pipelines.storage.waking import Waker

log = logging.getLogger(__name__)

CHANNEL = "shipmate"
AGAIN = 1.0
LONGEST = 7_900  # bytes that NOTIFY takes, and some to spare
EVERYTHING = "*"


def packed(teller: str, topics: set[str]) -> str:
    """What one NOTIFY says: who tells, then the topics, a line each; too many of them are everything."""
    said = "\n".join([teller, *sorted(topics)])
    return said if len(said.encode()) <= LONGEST else f"{teller}\n{EVERYTHING}"


class Listener:
    """Passes on to a waker what others told. `own` is how this process names itself when it tells: it knows that."""

    def __init__(self, arguments: dict[str, Any], own: str, waker: Waker) -> None:
        self._arguments = arguments
        self._own = own
        self._waker = waker
        self._deaf = False  # since when is in the log, once

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self._listen()
            except psycopg.Error as error:
                if not self._deaf:
                    log.info("nobody is heard for a while, so changes are seen a little later: %s", error)
                self._deaf = True
            await asyncio.sleep(AGAIN)

    async def _listen(self) -> None:
        async with await psycopg.AsyncConnection.connect(**self._arguments, autocommit=True) as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            if self._deaf:
                log.info("others are heard again")
            self._deaf = False
            self._waker.tell_all()  # of what was told before nobody knows
            async for said in connection.notifies():
                self._pass_on(said.payload)

    def _pass_on(self, said: str) -> None:
        teller, *topics = said.split("\n")
        if EVERYTHING in topics:
            self._waker.tell_all()
        elif teller != self._own:
            self._waker.tell(set(topics))
