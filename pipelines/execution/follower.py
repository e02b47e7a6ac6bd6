"""Following a script's output file: what is new goes masked into the database, from the first byte to the last.

A follower that begins again reads the file from its start and keeps only what is not recorded yet: masking gives the
same bytes however the file is cut.
"""

import asyncio
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from pipelines.execution.masking import Masker
from pipelines.storage.database import Database
from pipelines.storage.steps import StepKey, append_output, output_end

CHUNK = 1024 * 1024


class Follower:
    def __init__(
        self, database: Database, key: StepKey, path: Path, masker: Masker, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._key = key
        self._path = path
        self._masker = masker
        self._clock = clock
        self._read = 0
        self._masked = 0
        self._recorded: int | None = None

    async def drain(self, *, last: bool = False) -> None:
        """Record all that is there by now; what is printed meanwhile is for the next time. `last`: nothing more will
        come."""
        full = True
        while full:
            chunk = await asyncio.to_thread(self._next)
            full = len(chunk) == CHUNK
            await self._record(self._masker.feed(chunk))
        if last:
            await self._record(self._masker.flush())

    def _next(self) -> bytes:
        try:
            with self._path.open("rb") as file:
                chunk = os.pread(file.fileno(), CHUNK, self._read)
        except FileNotFoundError:
            return b""
        self._read += len(chunk)
        return chunk

    async def _record(self, masked: bytes) -> None:
        if not masked:
            return
        if self._recorded is None:
            self._recorded = await self._database.read(lambda session: output_end(session, self._key))
        start, self._masked = self._masked, self._masked + len(masked)
        fresh = masked[max(0, self._recorded - start) :]
        if not fresh:
            return
        offset, at = self._masked - len(fresh), self._clock()
        topic = f"output:{self._key.deploy}"

        def keep(session: Session, topics: set[str]) -> None:
            append_output(session, self._key, offset, fresh, at)
            topics |= {topic, "output"}

        await self._database.write_behind(keep)
        self._recorded = self._masked
