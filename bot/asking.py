"""What our own programs ask of a bot that runs, over its control socket. Standard library only, and never long."""

import contextlib
import json
import socket
import time
from pathlib import Path
from typing import Any

from bot.sockets import address

ANSWER_LIMIT = 1_000_000


def told(data: Path, question: str, *, seconds: float, **more: Any) -> Any:
    """What the bot of this data folder answers; None where none does in time."""
    until = time.monotonic() + seconds
    with contextlib.suppress(OSError, ValueError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(seconds)
        with address(data) as path:
            connection.connect(path)
        connection.sendall(json.dumps({"ask": question, **more}).encode() + b"\n")
        answer = b""
        while not answer.endswith(b"\n") and len(answer) < ANSWER_LIMIT:
            connection.settimeout(max(until - time.monotonic(), 0.001))
            if not (piece := connection.recv(65_536)):
                break
            answer += piece
        return json.loads(answer).get("told")
    return None
