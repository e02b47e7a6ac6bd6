"""What the figures were measured on: the machine, what else it did, and the versions of what took part."""

import os
import platform
import sqlite3
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("aiohttp", "dbos", "slack-bolt", "sqlalchemy")
CPUINFO = Path("/proc/cpuinfo")


def described() -> str:
    git = subprocess.run(["git", "--version"], check=True, capture_output=True, text=True).stdout.split()[-1]
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC · {os.cpu_count()} × {_processor()} · {_memory():.0f} GB · "
        f"{platform.system()} {platform.release()} · {load()}\n"
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, git {git}, {libraries}"
    )


def load() -> str:
    """How busy the machine is; above the number of its processors everything waits."""
    return "load " + " ".join(f"{one:.1f}" for one in os.getloadavg())


def _processor() -> str:
    lines = CPUINFO.read_text().splitlines() if CPUINFO.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _memory() -> float:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
