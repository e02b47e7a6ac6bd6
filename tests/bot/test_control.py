"""The control socket and its client: what is malformed is told so, and a client never waits without end."""

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot import say
from bot.control import Control
from bot.say import MISREAD, UNKNOWN, Saying
from bot.sockets import LINE_LIMIT, address


async def parrot(request: dict[str, Any]) -> AsyncIterator[str | int]:
    yield request["text"]
    yield 0


async def talk(data: Path, line: bytes) -> list[dict[str, Any]]:
    with address(data) as path:
        reader, writer = await asyncio.open_unix_connection(path)
    writer.write(line)
    said = [json.loads(answer) async for answer in reader]
    writer.close()
    return said


@pytest.mark.parametrize(
    "line",
    [
        b"status\n",
        b"[]\n",
        b"{}\n",
        b'{"text": 7}\n',
        b'{"text": "status", "after": "x"}\n',
        b"\xff\xfe\n",
        b'{"text": "' + b"x" * 2 * LINE_LIMIT + b'"}\n',
        b"[" * 50_000 + b"\n",
    ],
    ids=["words", "list", "nothing", "number", "after", "no-utf8", "long", "deep"],
)
async def test_what_is_no_request_is_told_so(tmp_path: Path, line: bytes) -> None:
    control = Control(tmp_path, parrot)
    await control.start()
    try:
        told, end = await talk(tmp_path, line)
        assert told["line"].startswith("That is no request that Shipmate knows")
        assert end == {"exit": MISREAD}
        assert await talk(tmp_path, b'{"text": "still here"}\n') == [{"line": "still here"}, {"exit": 0}]
    finally:
        await control.stop()


def saying(data: Path, text: str) -> Saying:
    return Saying(text=text, as_name="ana", wait=True, data=data)


def test_a_sentence_too_long_for_the_socket_is_refused_here(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert say.say(saying(tmp_path, "x" * LINE_LIMIT)) == MISREAD
    assert "too long for one sentence: 64 kB at most" in capsys.readouterr().err


def test_a_bot_that_drops_every_connection_is_not_waited_for_without_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(say, "COMES_BACK_SECONDS", 0.5)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with address(tmp_path) as path:
        server.bind(path)
    server.listen()

    def drop() -> None:
        while True:
            try:
                server.accept()[0].close()
            except OSError:
                return

    dropping = threading.Thread(target=drop)
    dropping.start()
    try:
        assert say.say(saying(tmp_path, "status")) == UNKNOWN
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        dropping.join()
    said = capsys.readouterr().err
    assert said.count("The bot went away") == 1
    assert "It did not come back. Start it, then look: shipmate say status" in said
    assert Path(said.split("--data ")[1].strip()).samefile(tmp_path)


async def test_a_bot_that_ends_while_somebody_listens_logs_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def slow(_request: dict[str, Any]) -> AsyncIterator[str | int]:
        yield "one moment"
        await asyncio.Event().wait()

    control = Control(tmp_path, slow)
    await control.start()
    with address(tmp_path) as path:
        reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b'{"text": "status"}\n')
    assert json.loads(await reader.readline()) == {"line": "one moment"}
    await control.stop()
    assert await reader.read() == b""
    writer.close()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
