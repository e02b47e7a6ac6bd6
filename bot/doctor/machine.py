"""The machine: who runs the bot, on what, in which folder, with how much room, and whether a bot runs there."""

import os
import platform
import shutil
import socket
import sys
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

from bot.asking import told
from bot.doctor.findings import Findings, in_thread, ok, problem, warning
from bot.holding import holder
from bot.roles import Role
from bot.settings import Settings
from pipelines.execution import processes
from pipelines.execution.source import git_version

ANSWER_SECONDS = 3.0
PORT_SECONDS = 1.0
LITTLE, NONE = 1_000_000_000, 100_000_000  # bytes that are free
SHARE, PLENTY = 0.1, 10_000_000_000
INODES = 10_000
OLDEST_GIT = (2, 29)
MACOS = (
    "macOS runs the demo and the tests; a bot for a team belongs on Linux. Here a script's processes are not all found "
    "when it is ended, and after a restart of the machine nobody can tell which of them is left"
)

Facts = dict[str, Any]


async def system() -> Findings:
    version = await in_thread(git_version)
    python = platform.python_version()
    if version is None:
        yield problem("git", "there is none on the PATH; install git, then start the bot again")
    elif version[:2] < OLDEST_GIT:
        needed = ".".join(map(str, OLDEST_GIT))
        yield problem("git", f"{'.'.join(map(str, version))} is too old; install {needed} or newer")
    else:
        yield ok("system", f"{platform.system()}, Python {python}, git {'.'.join(map(str, version))}")
    if sys.platform == "darwin":
        yield warning("system", MACOS)
    elif processes.boot_id() is None:
        yield warning(
            "system", "there is no /proc, so scripts that lost their supervisor cannot be found again; mount it"
        )


async def user() -> Findings:
    if os.geteuid() == 0:
        yield warning("user", "root runs this, so every script of every service would be root; make a user for the bot")
    else:
        yield ok("user", f"number {os.geteuid()}, not root")


async def folder(data: Path, keep: int) -> Findings:
    """The data folder and the disk below it, of which `keep` bytes stay free."""
    there = await in_thread(lambda: _nearest(data))
    if there != data:
        writable = await in_thread(lambda: there.is_dir() and os.access(there, os.W_OK | os.X_OK))
        if not writable:
            yield problem("data folder", f"{data} cannot be made: {there} is not writable; name another with --data")
            return
        yield ok("data folder", f"{data} is not there yet; the first start makes it")
    else:
        async for finding in _existing(data):
            yield finding
    async for finding in _disk(there, keep):
        yield finding


def _nearest(path: Path) -> Path:
    """The path, or the nearest above it that is there."""
    while not path.exists() and path != path.parent:
        path = path.absolute().parent
    return path


async def _existing(data: Path) -> Findings:
    if not await in_thread(data.is_dir):
        yield problem("data folder", f"{data} is no folder; name another with --data")
        return
    found = await in_thread(data.stat)
    if found.st_uid != os.geteuid():
        yield problem(
            "data folder", f"{data} belongs to user {found.st_uid}; start the bot as that user, or chown the folder"
        )
    elif not await in_thread(lambda: os.access(data, os.R_OK | os.W_OK | os.X_OK)):
        yield problem("data folder", f"{data} is not writable; run: chmod 700 {data}")
    elif found.st_mode & 0o077:
        yield warning("data folder", f"others may look into {data}, where output is kept; run: chmod 700 {data}")
    else:
        yield ok("data folder", f"{data}, for its owner alone")
    if (await in_thread(lambda: os.statvfs(data))).f_flag & getattr(os, "ST_NOEXEC", 0):
        yield problem("data folder", f"{data} is mounted noexec, so no script runs in it; name another with --data")


async def _disk(there: Path, keep: int) -> Findings:
    room = await in_thread(lambda: shutil.disk_usage(there))
    nodes = await in_thread(lambda: os.statvfs(there))
    says = f"{room.free / 1e9:.1f} GB of {room.total / 1e9:.1f} GB are free"
    way = "make room, or give the bot another disk with --data"
    if NONE <= room.free < keep:
        yield problem(
            "disk",
            f"{says}, less than SHIPMATE_KEEP_FREE asks for, so nothing new is started; make room, or ask for less",
        )
    elif room.free < NONE:
        yield problem("disk", f"{says}, which is not enough to work; {way}")
    elif room.free < LITTLE or (room.free < room.total * SHARE and room.free < PLENTY):
        yield warning("disk", f"{says}; {way}")
    elif nodes.f_files and nodes.f_favail < INODES:
        yield warning("disk", f"only {nodes.f_favail} more files fit on it; {way}")
    else:
        yield ok("disk", says)


async def running(settings: Settings, asking: Awaitable[Facts | None]) -> Findings:
    """Whether a bot runs on this folder, and, where none does, whether one could."""
    facts = await asking
    if facts is not None:
        async for finding in _healthy(settings, facts):
            yield finding
        return
    silent = await in_thread(lambda: holder(settings.data, Role.WEB))
    if silent is not None:
        yield problem(
            "bot",
            f"process {silent} holds {settings.data} and does not answer; look at its log, then end it: kill {silent}",
        )
        return
    worker = await in_thread(lambda: holder(settings.data, Role.WORKER))
    if worker is not None:
        yield ok("bot", f"process {worker} is a worker on {settings.data}; whom people talk to is its web")
        return
    yield ok("bot", f"none runs on {settings.data}; start it with: shipmate run")
    taken = await in_thread(lambda: _answers(settings.host, settings.port))
    if taken:
        yield problem("port", f"something else listens on {settings.host}:{settings.port}; set PORT to a free one")


async def _healthy(settings: Settings, facts: Facts) -> Findings:
    yield ok("bot", f"process {facts['pid']} runs on {settings.data} and answers")
    if Path(facts["config"]).resolve() != settings.config.resolve():
        yield warning("bot", f"it reads {facts['config']}, not {settings.config}; name that file with --config")
    if facts["config_problems"]:
        yield warning("bot", "it goes on with the configuration that it read before the file was broken")


async def facts_of(data: Path) -> Facts | None:
    """What a bot that runs there says of itself."""
    found = await in_thread(lambda: told(data, "facts", seconds=ANSWER_SECONDS))
    return found if isinstance(found, dict) else None


def _answers(host: str, port: int) -> bool:
    if port == 0:
        return False
    try:
        with socket.create_connection((host or "127.0.0.1", port), PORT_SECONDS):
            return True
    except OSError:
        return False
