"""The control socket: `say` reaches the running bot by it. Whoever may open it is trusted: it is the owner's alone."""

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bot.sockets import LINE_LIMIT, NAME, address
from pipelines.errors import noted

log = logging.getLogger(__name__)

MISREAD, UNKNOWN = 2, 75
READ_SECONDS = 10.0

Answering = Callable[[dict[str, Any]], AsyncIterator[str | int]]
Question = Callable[[dict[str, Any]], Awaitable[Any]]


class Control:
    """Serves requests of one JSON object a line; `answering` gives lines of text and, last, an exit status. A request
    that says `ask` is one of the `questions` that our own programs have; its answer is one value."""

    def __init__(
        self, data: Path, answering: Answering, questions: Mapping[str, Question] = MappingProxyType({})
    ) -> None:
        self._data = data
        self._answering = answering
        self._questions = questions
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
        except asyncio.CancelledError:
            log.info("a terminal is left: the bot ends")  # not raised: asyncio would log that as an error of ours
        except Exception as error:
            await _own_up(writer, noted(log, "talking to a terminal", error))
        finally:
            self._talks.discard(talk)
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(READ_SECONDS):
            try:
                line = await reader.readline()
            except ValueError:  # longer than a line may be
                line = b"..."
        if not line:
            return  # somebody only looked whether we are here
        request = _read(line)
        if request is None:
            await _end(writer, "That is no request that Shipmate knows: one JSON object on one line.", MISREAD)
            return
        if "ask" in request:
            async with asyncio.timeout(READ_SECONDS):
                told = await self._questions[request["ask"]](request)
            writer.write(json.dumps({"told": told}).encode() + b"\n")
            await writer.drain()
            return
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


def _read(line: bytes) -> dict[str, Any] | None:
    """The request, or None where it is none: of the fields of `say`, only what has the right shape is."""
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):
        return None
    shapes = {"text": str, "as": str, "id": str, "wait": bool, "after": int}
    if not isinstance(request, dict) or not ("ask" in request or isinstance(request.get("text"), str)):
        return None
    good = all(isinstance(request[name], kind) for name, kind in shapes.items() if name in request)
    return request if good else None


async def _own_up(writer: asyncio.StreamWriter, number: str) -> None:
    """Say that we broke: a terminal whose connection only ends would take us for gone, and ask again."""
    await _end(writer, f"Something in Shipmate itself broke. Its log has it under {number}.", UNKNOWN)


async def _end(writer: asyncio.StreamWriter, line: str, status: int) -> None:
    with contextlib.suppress(ConnectionError):
        writer.write(json.dumps({"line": line}).encode() + b"\n" + json.dumps({"exit": status}).encode() + b"\n")
        await writer.drain()
