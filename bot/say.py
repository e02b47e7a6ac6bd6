"""`say`: the words of Slack typed in a terminal. A client of the running bot's socket; standard library only.

Exit status: 0 done (without --wait: accepted), 1 the deploy failed, 2 misread or ambiguous, 3 refused, 4 aborted,
69 no bot there, 75 nobody can tell how it ended, 130 interrupted (what was begun goes on).
"""

import contextlib
import json
import secrets
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.holding import holder
from bot.roles import Role
from bot.sockets import LINE_LIMIT, address

MISREAD = 2
NO_BOT = 69
UNKNOWN = 75
INTERRUPTED = 130
COMES_BACK_SECONDS = 60.0
CONNECT_SECONDS = 10.0
DROPS_SECONDS = 1.0  # a bot that takes a connection and drops it this soon, saying nothing, is as good as away


@dataclass(frozen=True, kw_only=True)
class Saying:
    text: str
    as_name: str
    wait: bool
    data: Path


def say(saying: Saying) -> int:
    """Say it to the bot of the data folder and print what Slack would show; the exit status."""
    request = {"text": saying.text, "as": saying.as_name, "wait": saying.wait, "id": secrets.token_hex(12), "after": 0}
    if len(_line(request)) > LINE_LIMIT:
        print(f"That is too long for one sentence: {LINE_LIMIT // 1024} kB at most.", file=sys.stderr)
        return MISREAD
    try:
        connection = _connected(saying.data)
        if connection is None:
            print(_no_bot(saying.data), file=sys.stderr)
            return NO_BOT
        return _converse(connection, request, saying)
    except KeyboardInterrupt:
        print("\nStopped listening. What was begun goes on; look with: shipmate say status", file=sys.stderr)
        return INTERRUPTED


def _converse(connection: socket.socket, request: dict[str, Any], saying: Saying) -> int:
    """Until the bot says how it ended; a bot that goes away meanwhile is waited for and asked the same again, which
    is the same ask."""
    until: float | None = None
    while True:
        heard, began = request["after"], time.monotonic()
        status = _listen(connection, request)
        if status is not None:
            return status
        now = time.monotonic()
        if until is None or request["after"] > heard or now - began > DROPS_SECONDS:
            until = now + COMES_BACK_SECONDS
            print("The bot went away. Deploys go on without it; waiting for it to come back …", file=sys.stderr)
        again = _reconnect(saying.data, until)
        if again is None:
            print(
                f"It did not come back. Start it, then look: shipmate say status --data {saying.data}", file=sys.stderr
            )
            return UNKNOWN
        connection = again


def _line(request: dict[str, Any]) -> bytes:
    return json.dumps(request).encode() + b"\n"


def _listen(connection: socket.socket, request: dict[str, Any]) -> int | None:
    with contextlib.closing(connection), contextlib.suppress(ConnectionError, json.JSONDecodeError):  # half a line
        connection.settimeout(None)
        connection.sendall(_line(request))
        with connection.makefile("r", encoding="utf-8") as answers:
            for line in answers:
                said = json.loads(line)
                if "exit" in said:
                    return int(said["exit"])
                request["after"] += 1
                print(said["line"], flush=True)
    return None


def _connected(data: Path) -> socket.socket | None:
    """None where no bot is; one that just starts or ends is waited for."""
    with contextlib.suppress(OSError):
        return _connect(data)
    until, told = time.monotonic() + COMES_BACK_SECONDS, False
    while (there := holder(data, Role.WEB)) is not None and time.monotonic() < until:
        if not told:
            print(f"The bot, process {there}, starts or ends at this moment; waiting for it …", file=sys.stderr)
        told = True
        time.sleep(0.2)
        with contextlib.suppress(OSError):
            return _connect(data)
    return None


def _reconnect(data: Path, until: float) -> socket.socket | None:
    while time.monotonic() < until:
        time.sleep(0.2)
        with contextlib.suppress(OSError):
            return _connect(data)
    return None


def _connect(data: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(CONNECT_SECONDS)
    try:
        with address(data) as path:
            connection.connect(path)
    except OSError:
        connection.close()
        raise
    return connection


def _no_bot(data: Path) -> str:
    if (there := holder(data, Role.WEB)) is not None:
        return (
            f"Process {there} holds {data} and does not answer. Look at its log, or run: shipmate doctor --data {data}"
        )
    return (
        f"No bot is running on {data}. Start one with: shipmate run --data {data}\n"
        "or, to try it out: make demo. If it runs elsewhere, name its folder with --data or SHIPMATE_DATA."
    )
