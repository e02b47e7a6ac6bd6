"""A host of the demo, the stand-in for a machine with systemd: keeps releases, runs one of them, remembers which.

Its agent listens on the control address: `PUT /releases/COMMIT` takes a tar with `app/`, `PUT /run` replaces what runs,
`GET /router` tells which router stands before this host. Ports are `layout`'s, processes are `unit`'s.
"""

import asyncio
import io
import json
import re
import shutil
import tarfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from aiohttp import web

from bot.demo.layout import Place, write
from bot.demo.local import from_here_only, serve
from bot.demo.unit import NotReadyError, Unit

DRAIN = 10.0  # seconds a release gets to finish its requests when it is replaced
GOODBYE = 2.0  # the same when the demo ends
LARGEST = 16 * 1024 * 1024  # bytes of an uploaded release
COMMIT = re.compile(r"[0-9a-f]{40}")
VERSION = re.compile(r"[!-~]{1,200}")


@dataclass(frozen=True, kw_only=True)
class Release:
    version: str
    commit: str


class Host:
    """`folder` is the host's own disk; `router` is the control address of the router before it."""

    def __init__(self, place: Place, folder: Path, router: str) -> None:
        self.place = place
        self._folder = folder
        self._router = router
        self._unit: Unit | None = None
        self._agent: web.AppRunner | None = None
        self._turn = asyncio.Lock()

    @property
    def current(self) -> Release | None:
        """What runs here, or ran when the demo last ended."""
        file = self._folder / "current.json"
        return Release(**json.loads(file.read_text())) if file.exists() else None

    @property
    def pid(self) -> int | None:
        return self._unit.pid if self._unit and self._unit.running else None

    async def start(self) -> None:
        """Opens the agent, and runs again what ran before. Raises NotReadyError where that cannot run any more."""
        self._folder.mkdir(parents=True, exist_ok=True)
        app = web.Application(middlewares=[from_here_only], client_max_size=LARGEST)
        app.router.add_put("/releases/{commit}", self._put_release)
        app.router.add_put("/run", self._put_run)
        app.router.add_get("/router", self._get_router)
        self._agent = await serve(app, self.place.control)
        if release := self.current:
            await self.run(release)

    async def stop(self) -> None:
        if self._agent:
            await self._agent.cleanup()
        async with self._turn:
            await self._end(GOODBYE)

    def keep(self, commit: str, tar: bytes) -> int:
        """Unpacks a release's regular files; how many. Raises ValueError on a path that leads out of the release."""
        home = self._home(commit)
        fresh = home.with_name(home.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        with tarfile.open(fileobj=io.BytesIO(tar)) as packed:
            files = [member for member in packed if member.isfile()]
            for member in files:
                data = packed.extractfile(member)
                place(fresh, member.name, data.read() if data else b"")
        shutil.rmtree(home, ignore_errors=True)
        fresh.rename(home)
        return len(files)

    async def run(self, release: Release) -> str:
        """Ends what runs, starts the release and waits until it answers; what happened. Raises NotReadyError."""
        async with self._turn:
            began = time.monotonic()
            ended = await self._end(DRAIN)
            write(self._folder / "current.json", json.dumps(asdict(release)) + "\n")
            self._unit = await Unit.start(
                self._home(release.commit) / "app" / "server.py",
                address=self.place.address,
                identity=f"{release.version} {release.commit}",
                env=self._environment(release),
                log=self._folder / "app.log",
            )
            return f"{ended}; {release.version} answers after {time.monotonic() - began:.1f} s"

    def _home(self, commit: str) -> Path:
        return self._folder / "releases" / commit

    def _environment(self, release: Release) -> dict[str, str]:
        name, port = self.place.name, str(self.place.port)
        return {"VERSION": release.version, "COMMIT": release.commit, "HOST_NAME": name, "PORT": port}

    async def _end(self, grace: float) -> str:
        unit, self._unit = self._unit, None
        if unit is None or not unit.running:
            return f"nothing ran on {self.place.name}"
        done = await unit.stop(grace)
        return f"process {unit.pid} finished its requests" if done else f"process {unit.pid} was killed"

    async def _put_release(self, request: web.Request) -> web.Response:
        commit = request.match_info["commit"]
        if not COMMIT.fullmatch(commit):
            raise web.HTTPBadRequest(text=f"{commit[:50]!r} is not a commit of 40 hex digits\n")
        try:
            count = self.keep(commit, await request.read())
        except (tarfile.TarError, ValueError, OSError) as error:
            raise web.HTTPBadRequest(text=f"this release cannot be kept: {error}\n") from error
        return web.Response(text=f"{self.place.name} has {count} files of {commit[:7]}\n")

    async def _put_run(self, request: web.Request) -> web.Response:
        release = wanted(await request.text())
        if not self._home(release.commit).exists():
            raise web.HTTPNotFound(text=f"{self.place.name} has no release {release.commit[:7]}: upload it first\n")
        try:
            return web.Response(text=await self.run(release) + "\n")
        except NotReadyError as error:
            text = f"{release.version} did not come up on {self.place.name}: {error}\n"
            raise web.HTTPInternalServerError(text=text) from error

    async def _get_router(self, _: web.Request) -> web.Response:
        return web.Response(text=self._router)


def place(folder: Path, name: str, data: bytes) -> None:
    parts = PurePosixPath(name).parts
    if ".." in parts or name.startswith("/"):
        raise ValueError(f"{name} leads out of the release")
    file = folder.joinpath(*parts)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


def wanted(text: str) -> Release:
    """The release that a request names. Raises HTTPBadRequest."""
    try:
        match json.loads(text):
            case {"version": str(version), "commit": str(commit)}:
                if VERSION.fullmatch(version) and COMMIT.fullmatch(commit):
                    return Release(version=version, commit=commit)
    except ValueError:
        pass
    raise web.HTTPBadRequest(text='say what to run: {"version": "v1.4", "commit": "40 hex digits"}\n')
