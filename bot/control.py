"""The control socket: `say` reaches the running bot by it. Whoever may open it is trusted: it is the owner's alone."""

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from bot.sockets import NAME, address
from pipelines.errors import noted

log = logging.getLogger(__name__)

UNKNOWN = 75
LINE_LIMIT = 64 * 1024
READ_SECONDS = 10.0

Answering = Callable[[dict[str, Any]], AsyncIterator[str | int]]


class Control:
    """Serves requests of one JSON object a line; `answering` gives lines of text and, last, an exit status."""

    def __init__(self, data: Path, answering: Answering) -> None:
        self._data = data
        self._answering = answering
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        (self._data / NAME).unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            with address(self._data) as path:
                self._server = await asyncio.start_unix_server(self._serve, path, limit=LINE_LIMIT)
        finally:
            os.umask(before)

    async def stop(self) -> None:
        if self._server is None:
            return
        self._server.close()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        with contextlib.suppress(FileNotFoundError):
            (self._data / NAME).unlink()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        assert talk is not None
        self._talks.add(talk)
        try:
            await self._talk(reader, writer)
        except (ConnectionError, TimeoutError) as error:
            log.info("a terminal went away: %s", error)
        except Exception as error:
            await _own_up(writer, noted(log, "talking to a terminal", error))
        finally:
            self._talks.discard(talk)
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(READ_SECONDS):
            line = await reader.readline()
        if not line:
            return  # somebody only looked whether we are here
        request = json.loads(line)
        after, number = int(request.get("after", 0)), 0
        async for said in self._answering(request):
            if isinstance(said, int):
                writer.write(json.dumps({"exit": said}).encode() + b"\n")
            else:
                number += 1
                if number <= after:
                    continue  # said before the terminal lost touch
                writer.write(json.dumps({"line": said}).encode() + b"\n")
            await writer.drain()


async def _own_up(writer: asyncio.StreamWriter, number: str) -> None:
    """Say that we broke: a terminal whose connection only ends would take us for gone, and ask again."""
    line = f"Something in Shipmate itself broke. Its log has it under {number}."
    with contextlib.suppress(ConnectionError):
        writer.write(json.dumps({"line": line}).encode() + b"\n" + json.dumps({"exit": UNKNOWN}).encode() + b"\n")
        await writer.drain()
