"""Questions that need no script: a yes, or a no in words in which neither the address nor what stood in it is."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from pipelines.domain.events import Progress
from pipelines.execution import checks
from pipelines.execution.masking import Masker

TOKEN = "hunter2-hunter2"


def nobody() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A server that answers what its path says, and repeats the path."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = await reader.readline()
        path = said.split()[1] if said.startswith(b"GET ") else b"/"
        while said.startswith(b"GET ") and (await reader.readline()).strip():
            pass  # a connection that is closed with something unread in it is reset
        match path.partition(b"?")[0]:
            case b"/rude":
                writer.write(f"{TOKEN}\r\n\r\n".encode())
            case b"/silent":
                pass
            case b"/long":
                writer.write(b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 195 + TOKEN.encode())
            case _:
                writer.write(b"HTTP/1.0 200 OK\r\n\r\nv1.4 for " + path)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield int(server.sockets[0].getsockname()[1])


async def test_an_answer_is_masked_before_it_is_cut_to_a_line(port: int) -> None:
    hide = Masker([TOKEN]).text
    asked = await checks.http(f"http://127.0.0.1:{port}/?t={TOKEN}", 5, status=True, hide=hide)
    assert asked.report is not None and asked.report.line == "v1.4 for /?t=***"
    cut = await checks.http(f"http://127.0.0.1:{port}/long", 5, status=True, hide=hide)
    assert cut.report is not None and cut.report.line == "x" * 195 + "***"


@pytest.mark.parametrize(
    ("url", "detail"),
    [
        (f"http://127.0.0.1:{{nobody}}/{TOKEN}", "did not answer: connection refused"),
        ("http://127.0.0.1:{port}/rude", "did not answer: it does not speak HTTP"),
        (f"http://127.0.0.1:{{port}}/silent?{TOKEN}", "did not answer: it hung up"),
        (f"https://127.0.0.1:{{port}}/{TOKEN}", "did not answer: no TLS with it: "),
        (f"http://{TOKEN}.invalid/", "did not answer: nobody knows an address of that name"),
        (f"http://[{TOKEN}/", "did not answer: this is no URL that can be asked"),
        (f"http://h:{TOKEN}/", "did not answer: this is no URL that can be asked"),
        (TOKEN, "did not answer: this is no URL that can be asked"),
    ],
)
async def test_why_a_url_did_not_answer_is_told_without_it(port: int, url: str, detail: str) -> None:
    ending = await checks.http(url.format(port=port, nobody=nobody()), 5)
    assert ending.progress is Progress.FAILED and ending.detail.startswith(detail), ending.detail
    assert TOKEN not in ending.detail


async def test_a_port_that_takes_a_connection(port: int) -> None:
    assert (await checks.tcp(f"127.0.0.1:{port}", 5)).progress is Progress.OK


@pytest.mark.parametrize(
    ("address", "detail"),
    [
        ("127.0.0.1:{nobody}", "took no connection: connection refused"),
        (f"{TOKEN}.invalid:80", "took no connection: nobody knows an address of that name"),
        (f"db:{TOKEN}", "took no connection: this is no address such as host:5432"),
        (f"{TOKEN}:99999", "took no connection: this is no address such as host:5432"),
        (TOKEN, "took no connection: this is no address such as host:5432"),
    ],
)
async def test_why_a_port_took_no_connection_is_told_without_it(address: str, detail: str) -> None:
    ending = await checks.tcp(address.format(nobody=nobody()), 5)
    assert (ending.progress, ending.detail) == (Progress.FAILED, detail)
