"""The stage that measurements are made on: a workspace, a real bot beside it, a service whose scripts note the time."""

import asyncio
import json
import os
import secrets
import socket
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.sockets import address
from bot.workspace import App, Workspace, default_seed
from bot.workspace.seed import COMMANDS
from tests.support.process import Bot
from tests.support.runs import end_scripts
from tests.support.service import Service

CHANNEL = "#deploys"
TARGET = "one"
ACCEPTED_SECONDS = 60.0
WAITS = "exec {never}<> <(:); pause() { read -rt $1 -u $never || true; }\n"  # a sleep that starts no process
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Stage:
    workspace: Workspace
    service: Service
    bot: Bot

    @property
    def pid(self) -> int:
        assert self.bot.process is not None
        return self.bot.process.pid

    async def say(self, text: str, seconds: float = ACCEPTED_SECONDS) -> str:
        """Say it over the control socket, as `say` does; what is answered. Raises RuntimeError when it is refused."""
        request = {"text": text, "as": "ana", "wait": False, "id": secrets.token_hex(12), "after": 0}
        said: list[str] = []
        async with asyncio.timeout(seconds):
            with address(self.bot.data) as path:
                reader, writer = await asyncio.open_unix_connection(path)
            writer.write(json.dumps(request).encode() + b"\n")
            while line := await reader.readline():
                answer = json.loads(line)
                if "exit" in answer:
                    break
                said.append(answer["line"])
            writer.close()
        if not line or answer["exit"] != 0:
            raise RuntimeError(f"{text!r} was not accepted: {' / '.join(said)}")
        return "\n".join(said)

    async def until_said(self, text: str, wanted: str, seconds: float = ACCEPTED_SECONDS) -> None:
        """Say it again and again until something is in the answer."""
        async with asyncio.timeout(seconds):
            while wanted not in await self.say(text):  # noqa: ASYNC110 (the socket has no event for it)
                await asyncio.sleep(0.1)

    async def noted(self, script: str, version: str, environment: str, count: int, seconds: float = 60.0) -> float:
        """The time at which the `count`-th run of a script for this version and environment began, by its own clock."""
        wanted = [script, version, environment]
        found = await self.workspace.wait_for(
            lambda: [entry for entry in self.service.entries() if entry[:3] == wanted][count - 1 :], seconds
        )
        return float(found[0][3])


def noting(service: Service, name: str, body: str = "") -> str:
    """A script that first notes in the ledger when it began."""
    note = f'echo "{name} $VERSION $ENVIRONMENT $EPOCHREALTIME" >> "{service.ledger}"'
    return f"#!/bin/bash\n{note}\n{body}\n"


def deployable(
    folder: Path,
    body: str = "",
    *,
    environments: Iterable[str] = ("staging",),
    bodies: Mapping[str, str] | None = None,
    versions: Sequence[str] = ("v1.0", "v1.1", "v1.2"),
) -> Service:
    """A service of one target and one script; `body` is what it does, `bodies` what it does in some environments."""
    service = Service(folder=folder, targets=(TARGET,), channel=CHANNEL)
    cases = "\n".join(f'if [ "$ENVIRONMENT" = {name} ]; then {text}; fi' for name, text in (bodies or {}).items())
    files = {"deploy.yml": "deploy: deploy/install.sh\n"}
    files["deploy/install.sh"] = noting(service, "install", f"{body}\n{cases}")
    for version in versions:
        service.commit({**files, "VERSION": f"{version}\n"}, message=f"make it {version}", tag=version)
    service.configure(**{name: {} for name in environments})
    return service


@asynccontextmanager
async def on_stage(
    service: Service,
    *,
    http_port: int | None = None,
    rates: bool = False,
    started: bool = True,
    database: str | None = None,
    lag: Path | None = None,
) -> AsyncIterator[Stage]:
    """A bot that deploys the service, connected to a workspace: by Socket Mode, or by signed HTTP to a port. With
    `started` False the caller starts it. `database` is the URL of one that is up to date, None: a SQLite file; `lag`
    the file that the delays of the bot's loop are written to."""
    url = f"http://127.0.0.1:{http_port}/slack/events" if http_port else None
    app = App(commands=COMMANDS, request_url=url)
    workspace = Workspace(default_seed(app))
    workspace.rates.on = rates
    await workspace.start()
    env = {"SLACK_BOT_TOKEN": app.bot_token, "SLACK_API_URL": workspace.api_url, "PORT": str(http_port or 0)}
    env |= {"SLACK_SIGNING_SECRET": app.signing_secret} if http_port else {"SLACK_APP_TOKEN": app.app_token}
    env |= {"DATABASE_URL": database} if database else {}
    bot = Bot(data=service.folder / "data", config=service.config, env=env)
    stage = Stage(workspace=workspace, service=service, bot=bot)
    try:
        if started:
            await asyncio.to_thread(bot.start, lag=lag)
        if started and not http_port:
            await workspace.wait_for(lambda: workspace.deliverer.sockets.connections)
        yield stage
    finally:
        await asyncio.to_thread(_end, bot)
        await workspace.stop()


def _end(bot: Bot) -> None:
    try:
        bot.stop(15.0)
    finally:
        bot.kill()
        end_scripts(bot.data)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def cpu_seconds(pid: int) -> float:
    """What a process has used of the processor so far, its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def proportional_bytes(pid: int) -> int:
    """A process's own memory, and its part of what it shares with others."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("Pss:"))) * 1024


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
