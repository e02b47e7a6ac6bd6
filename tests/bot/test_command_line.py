"""What every command does alike."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("command", ["completion bash", "doctor"])
def test_who_reads_along_may_leave(tmp_path: Path, command: str) -> None:
    """As `head` does: the command ends as every program does then, without a word."""
    reads, writes = os.pipe()
    os.close(reads)
    program = [sys.executable, "-m", "bot", *command.split()]
    env = {"PATH": os.defpath, "SHIPMATE_DATA": str(tmp_path)}
    ended = subprocess.run(program, stdout=writes, stderr=subprocess.PIPE, env=env, check=False)
    os.close(writes)
    assert (ended.returncode, ended.stderr) == (-signal.SIGPIPE, b"")
