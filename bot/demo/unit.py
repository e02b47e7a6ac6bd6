"""One running release: a process that answers on a host's address. Which release runs where is the host's to know."""

import asyncio
import contextlib
import os
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from typing import Self

import aiohttp

RUNNER = Path(__file__).with_name("runner.py")
READY_WITHIN = 20.0  # seconds; starting takes a tenth of one where the machine is idle
ANSWER_WITHIN = 2.0
KILL_WITHIN = 5.0


class NotReadyError(Exception):
    """The release ended, or did not answer in time; the text says which and the last lines it wrote."""


class Unit:
    """Ends with the process that started it, however that dies."""

    def __init__(self, process: Process, log: Path) -> None:
        self._process = process
        self._log = log

    @classmethod
    async def start(cls, program: Path, *, address: str, identity: str, env: dict[str, str], log: Path) -> Self:
        """Runs `program` until `GET /version` at its address answers `identity`. Raises NotReadyError."""
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-s", "-B", str(RUNNER), str(program)),
                stdin=PIPE,  # never written to: its end tells the runner that we are gone
                stdout=DEVNULL,
                stderr=output,
                env={"PATH": os.defpath, "LANG": "C.UTF-8"} | env,
                start_new_session=True,  # a Ctrl-C in the terminal is ours to pass on
            )
        unit = cls(process, log)
        try:
            await unit._ready(f"http://{address}/version", identity)
        except BaseException:
            await unit.stop(grace=0)
            raise
        return unit

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    async def stop(self, grace: float) -> bool:
        """TERM, then KILL after `grace` seconds; whether it ended by itself."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), grace)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await asyncio.wait_for(self._process.wait(), KILL_WITHIN)
            return False
        return True

    async def _ready(self, url: str, identity: str) -> None:
        until = time.monotonic() + READY_WITHIN
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_WITHIN)) as session:
            while self.running:
                if await answer(session, url) == identity:
                    return
                if time.monotonic() > until:
                    raise NotReadyError(f"it did not answer at {url} within {READY_WITHIN:.0f} s\n{self._last_lines()}")
                await asyncio.sleep(0.03)
        raise NotReadyError(f"it ended with status {self._process.returncode}\n{self._last_lines()}")

    def _last_lines(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-10:])


async def answer(session: aiohttp.ClientSession, url: str) -> str | None:
    try:
        async with session.get(url) as response:
            return (await response.text()).strip() if response.status == 200 else None
    except (aiohttp.ClientError, TimeoutError):
        return None
