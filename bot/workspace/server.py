"""The workspace put together: what it knows, whom it serves, and what tests may ask of it."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.workspace.access import LOOPBACK, guard
from bot.workspace.answers import Answers
from bot.workspace.delivery import Deliverer
from bot.workspace.desk import Desk
from bot.workspace.forms import Forms
from bot.workspace.limits import UPLOAD_BYTES
from bot.workspace.modals import Modals
from bot.workspace.page import Page
from bot.workspace.people import People
from bot.workspace.person import PersonAtWork
from bot.workspace.rates import Rates
from bot.workspace.searches import Searches
from bot.workspace.seed import Channel, Seed
from bot.workspace.site import Site
from bot.workspace.state import Message, State
from bot.workspace.triggers import Triggers
from bot.workspace.views import View
from bot.workspace.web_api import Call, WebApi


class Workspace:
    """`data`: the folder in which its state is kept; None: nowhere. `pace` scales its waits for the app; 1 is Slack's.
    `rates.on` turns the rate limits on and off."""

    def __init__(self, seed: Seed, data: Path | None = None, *, pace: float = 1.0) -> None:
        self.seed = seed
        self.page_url = ""
        self.state = State(seed, data)
        self.rates = Rates()
        triggers = Triggers()
        self.modals = Modals(seed)
        self.page = Page(seed, self.state, self.modals, connections=lambda: len(self.deliverer.sockets.connections))
        self.deliverer = Deliverer(seed.app, self.page.app_changed, pace)
        answers = Answers(seed=seed, state=self.state, base_url=self._base_url)
        forms = Forms(
            seed=seed,
            modals=self.modals,
            deliverer=self.deliverer,
            triggers=triggers,
            searches=Searches(seed=seed, deliverer=self.deliverer),
        )
        self.people = People(
            seed=seed,
            state=self.state,
            deliverer=self.deliverer,
            base_url=self._base_url,
            answers=answers,
            triggers=triggers,
            forms=forms,
            on_notice=self.page.notice,
            on_joined=self.page.whole_again,
        )
        self.page.serves(self.people)
        desk = Desk(
            seed=seed,
            state=self.state,
            triggers=triggers,
            modals=self.modals,
            base_url=self._base_url,
            ticket=self.deliverer.sockets.ticket,
        )
        self.api = WebApi(desk, self.rates)
        self._site = Site(self.state, self.people, answers)
        self._runner: web.AppRunner | None = None

    def _base_url(self) -> str:
        return self.page_url

    @property
    def api_url(self) -> str:
        return f"{self.page_url}api/"

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Raises OSError when the port is taken, ValueError for a host that is not this machine."""
        if host not in LOOPBACK:
            raise ValueError("the local workspace is for this machine alone: 127.0.0.1 or localhost")
        self.state.load()
        self.state.changed = [self.page.changed]
        self.modals.changed = self.page.modal_changed
        app = web.Application(middlewares=[guard], client_max_size=UPLOAD_BYTES)
        for verb in ("GET", "POST"):
            app.router.add_route(verb, "/api/{method}", self.api.serve)
        app.router.add_get("/link/", self.deliverer.sockets.serve)
        app.router.add_get("/page", self.page.serve)
        app.router.add_get("/_log", self.api.log)
        self._site.routes(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1, handle_signals=False)
        await self._runner.setup()
        await web.TCPSite(self._runner, host.strip("[]"), port).start()
        self.page_url = f"http://{host}:{self._runner.addresses[0][1]}/"

    async def stop(self) -> None:
        await self.deliverer.stop()
        await self.page.stop()
        if self._runner is not None:
            await self._runner.cleanup()
        self.state.close()

    @property
    def calls(self) -> list[Call]:
        """Every call of the Web API, oldest first."""
        return self.api.calls

    @property
    def notices(self) -> list[dict[str, Any]]:
        """What a single person was told by the workspace itself: user, channel, thread_ts, text."""
        return list(self.people.notices)

    def messages(self, channel: str) -> list[Message]:
        """The messages in a channel itself, oldest first."""
        return self.state.top_level(self._channel(channel).id)

    def thread(self, channel: str, ts: str) -> list[Message]:
        """The replies below a message, oldest first."""
        return [m for m in self.state.replies(self._channel(channel).id, ts) if m["ts"] != ts]

    def ephemerals(self, user: str) -> list[Message]:
        """What only this person sees, oldest first."""
        found = self.person(user).user
        return [m for m in self.state.ephemerals if m["_for"] == found.id]

    whispers = ephemerals

    def modal(self, user: str) -> View | None:
        """The view that this person sees in a modal, with what is filled in as `state.values`; None without one."""
        shown = self.modals.top(self.person(user).user.id)
        return shown.filled() if shown else None

    def _channel(self, given: str) -> Channel:
        found = self.state.channel(given)
        if found is None:
            raise KeyError(f"no channel {given}")
        return found

    def person(self, name: str) -> PersonAtWork:
        """Somebody who types and clicks. Raises KeyError for a name that nobody has."""
        user = self.state.user(name)
        if user is None:
            raise KeyError(f"nobody is called {name}")
        return PersonAtWork(people=self.people, forms=self.people.forms, user=user)

    async def wait_for(self, condition: Callable[[], Any], timeout: float = 10.0) -> Any:
        """Wait until something holds; what it gave. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            while not (found := condition()):  # noqa: ASYNC110 (any condition, told by nobody)
                await asyncio.sleep(0.01)
        return found
