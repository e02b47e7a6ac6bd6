"""The demo's world as one thing to start and stop: sample repository, hosts, routers, and the bot's configuration.

Everything lives under one data folder and goes on where it was. The bot and the workspace are not part of it.
"""

import asyncio
import json
import logging
import shutil
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from pathlib import Path
from string import Template

from bot.demo import sample
from bot.demo.hosts import Host, Release
from bot.demo.layout import ENVIRONMENTS, Layout, settle, write
from bot.demo.router import Router
from bot.demo.unit import NotReadyError

FIRST_LIVE = "v1.3"
PACE = 0.5

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class World:
    """Where things are: the bot's configuration, the service's repository, environment to router's URL."""

    config: Path
    repository: Path
    routers: dict[str, str]


class DemoWorld:
    """`data` is the demo's folder; `pace` the seconds that the sample's scripts rest between two lines."""

    def __init__(self, data: Path, pace: float = PACE) -> None:
        self._data = data.absolute()
        self._pace = pace
        self._layout: Layout | None = None
        self.hosts: dict[str, Host] = {}
        self.routers: dict[str, Router] = {}

    @property
    def repository(self) -> Path:
        return self._data / "repositories" / "api"

    async def start(self) -> World:
        """Makes what is missing and runs what ran; the first time that is v1.3 everywhere.

        Raises OSError where there are no free ports, subprocess.SubprocessError when git fails, NotReadyError when the
        first release does not come up.
        """
        try:
            return await self._start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Ends everything within 5 s: routers first, so that nobody is sent to a host that goes."""
        await every(router.stop() for router in self.routers.values())
        await every(host.stop() for host in self.hosts.values())
        if self._layout:
            self._layout.close()

    def reset(self) -> None:
        """Forgets all of the world, to be called while it is stopped; other files of the data folder stay."""
        for folder in ("hosts", "routers", "repositories"):
            shutil.rmtree(self._data / folder, ignore_errors=True)
        for file in ("demo.json", "shipmate.yml"):
            (self._data / file).unlink(missing_ok=True)

    async def _start(self) -> World:
        await asyncio.to_thread(sample.build, self.repository, self._pace)
        layout = self._layout = await asyncio.to_thread(settle, self._data / "demo.json")
        for environment, names in ENVIRONMENTS.items():
            place, file = layout.routers[environment], self._data / "routers" / f"{environment}.table"
            self.routers[environment] = Router(place, layout.targets(environment), file)
            for name in names:
                self.hosts[name] = Host(layout.hosts[name], self._data / "hosts" / name, place.control_address)
        await every(router.start() for router in self.routers.values())
        commit, app = await asyncio.to_thread(sample.release, self.repository, FIRST_LIVE)
        await every(wake(host, commit, app) for host in self.hosts.values())
        return self._written(layout)

    def _written(self, layout: Layout) -> World:
        config = self._data / "shipmate.yml"
        texts = {environment: json.dumps(layout.targets(environment)) for environment in ENVIRONMENTS}
        template = Template((sample.CONFIG / "shipmate.yml").read_text())
        write(config, template.substitute(texts, repository=json.dumps(str(self.repository))))
        urls = {environment: router.url for environment, router in self.routers.items()}
        return World(config=config, repository=self.repository, routers=urls)


async def every(jobs: Iterable[Awaitable[None]]) -> None:
    """All of them at once, to the end; then raises what the first that failed raised."""
    for outcome in await asyncio.gather(*jobs, return_exceptions=True):
        if outcome is not None:
            raise outcome


async def wake(host: Host, commit: str, app: bytes) -> None:
    """Runs on a host what ran there; a host that is new gets the first release."""
    if host.current is None:
        await host.start()
        host.keep(commit, app)
        await host.run(Release(version=FIRST_LIVE, commit=commit))
        return
    try:
        await host.start()
    except NotReadyError as error:
        log.warning("%s does not come up on %s again: %s", host.current.version, host.place.name, error)
