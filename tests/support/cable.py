"""The cable to the local workspace: all that goes over Socket Mode can be cut, frozen, or go one way only."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

SOCKET = b" /link"


@dataclass(eq=False)
class Line:
    """One connection of Socket Mode. `deaf`: what the bot says is lost; `frozen`: what Slack says, too."""

    here: asyncio.StreamWriter
    there: asyncio.StreamWriter
    deaf: bool = False
    frozen: bool = False

    def cut(self) -> None:
        for writer in (self.here, self.there):
            writer.transport.abort()


@dataclass
class Cable:
    """Stands before the workspace of which `target` is the address. `spends`: how many connections from now on are cut
    as soon as Slack took their tickets."""

    target: str
    url: str = ""
    spends: int = 0
    lines: list[Line] = field(default_factory=list)
    _server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = urlunsplit(urlsplit(self.target)._replace(netloc=f"127.0.0.1:{port}"))

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self.cut()

    def cut(self) -> None:
        for line in list(self.lines):
            line.cut()

    def deafen(self) -> None:
        for line in self.lines:
            line.deaf = True

    def freeze(self) -> None:
        for line in self.lines:
            line.deaf = line.frozen = True

    def bury(self) -> None:
        """What is frozen is noticed by Slack, too, which would go on to deliver there."""
        for line in [line for line in self.lines if line.frozen]:
            line.cut()

    async def _serve(self, reader: asyncio.StreamReader, here: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            to = urlsplit(self.target)
            answers, there = await asyncio.open_connection(to.hostname, to.port)
            line = Line(here, there)
            there.write(head)
            if SOCKET in head.split(b"\r\n", 1)[0]:
                if self.spends > 0:
                    self.spends -= 1
                    await answers.read(1)
                    line.cut()
                    return
                self.lines.append(line)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._pump(reader, there, line, up=True))
                    group.create_task(self._pump(answers, here, line, up=False))
            finally:
                if line in self.lines:
                    self.lines.remove(line)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: Line, *, up: bool) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                if not (line.deaf if up else line.frozen):
                    writer.write(data)
                    await writer.drain()
        if not (line.deaf if up else line.frozen):
            writer.close()
