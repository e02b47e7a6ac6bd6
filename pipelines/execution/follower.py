"""Following a script's output file: what is new goes masked into the database, from the first byte to the last.

    RUN_DIR/followed   how far: bytes read, and masked bytes that came of them; written only now and then

A follower that begins again reads on from there, or from the start, and keeps only what is not recorded yet: masking
gives the same bytes however the file is cut. What is recorded is taken off the disk, but for the beginning, so a script
may print more than the disk holds. Of what would be cut anyway (`steps.append_output`) nothing is recorded.
"""

import asyncio
import json
import logging
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from pipelines.execution import supervisor
from pipelines.execution.holes import punch
from pipelines.execution.masking import Masker
from pipelines.execution.rundir import FOLLOWED_ROOM
from pipelines.storage.database import Database
from pipelines.storage.steps import KEPT_FIRST, KEPT_LAST, StepKey, append_output, output_end

log = logging.getLogger(__name__)

CHUNK = 256 * 1024
AT_ONCE = 32 << 20  # bytes, after which whoever follows looks at other things, too
MARK_EVERY = 8 << 20


class Follower:
    def __init__(
        self, database: Database, key: StepKey, path: Path, masker: Masker, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._key = key
        self._path = path
        self._masker = masker
        self._clock = clock
        self._read, self._masked = _marked(path.parent)
        self._mark = self._read
        self._recorded: int | None = None

    def grown(self) -> bool:
        """Whether something is there that was not read yet."""
        return self._size() > self._read

    async def drain(self, *, last: bool = False) -> bool:
        """Record what is there by now, at most `AT_ONCE`; what is printed meanwhile is for the next time. `last`: all
        that is there, for nothing more will come. True: there is more."""
        size = await asyncio.to_thread(self._size)
        until = size if last else min(size, self._read + AT_ONCE)
        while self._read < until:
            before = self._read
            masked = await asyncio.to_thread(self._next)
            if self._read == before:
                break  # the file is shorter than it was
            await self._record(masked, size - self._read)
            if self._read - self._mark >= MARK_EVERY and not self._masker.holds:
                self._mark = self._read
                await asyncio.to_thread(self._let_go, self._read, self._masked)
        if last:
            await self._record(self._masker.flush(), 0)
        return self._read < size

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0

    def _next(self) -> bytes:
        """What comes of the next piece, masked: in a thread, for masking takes milliseconds."""
        try:
            with self._path.open("rb") as file:
                chunk = os.pread(file.fileno(), CHUNK, self._read)
        except FileNotFoundError:
            return b""
        self._read += len(chunk)
        return self._masker.feed(chunk)

    def _let_go(self, read: int, masked: int) -> None:
        """The mark first: what is gone from the file must not be read again. Where there is no room for it, the output
        stays until there is."""
        mark = json.dumps({"read": read, "masked": masked})
        try:
            supervisor.record(str(self._path.parent), "followed", mark, room=FOLLOWED_ROOM)
            punch(self._path, KEPT_FIRST, read)
        except OSError as error:
            log.warning("the output of %s stays on the disk for now: %s", self._path, error.strerror)

    async def _record(self, masked: bytes, behind: int) -> None:
        """`behind` is how many bytes of the file come after these."""
        start, self._masked = self._masked, self._masked + len(masked)
        if not masked or (start >= KEPT_FIRST and behind > KEPT_LAST):
            return
        if self._recorded is None:
            self._recorded = await self._database.read(lambda session: output_end(session, self._key))
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


def _marked(run_dir: Path) -> tuple[int, int]:
    try:
        facts = json.loads((run_dir / "followed").read_bytes())
    except FileNotFoundError:
        return 0, 0
    return int(facts["read"]), int(facts["masked"])
