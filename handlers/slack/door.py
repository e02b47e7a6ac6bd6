"""The door to Slack: everything of this package put together. Slack may be away when it opens; it goes on trying."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

import aiohttp
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack import api, edge, limits
from handlers.slack.answers import Answers
from handlers.slack.budget import Budgets
from handlers.slack.canvas import Studio
from handlers.slack.channels import Channels
from handlers.slack.choosing import Choosing
from handlers.slack.edge import Edge
from handlers.slack.identity import SlackDoorman
from handlers.slack.inbox import Inbox
from handlers.slack.painter import Painter
from handlers.slack.private import Private
from handlers.slack.routes import build_app
from handlers.slack.sending import Sender
from handlers.slack.socket import Hello, Socket
from handlers.slack.tasks import Tasks
from handlers.slack.workspace import Workspace
from pipelines.domain.model import Config
from pipelines.shipmate import Doorman, Shipmate, noted

log = logging.getLogger(__name__)

IDENTITY_SECONDS = 5.0
BEGIN_AGAIN = 2.0
FINISH_SECONDS = 2.0  # for answers that are under way when the door closes


class Credentials(Protocol):
    """How to reach Slack: with an app token by Socket Mode, with a signing secret by signed HTTP."""

    @property
    def bot_token(self) -> str: ...
    @property
    def app_token(self) -> str | None: ...
    @property
    def signing_secret(self) -> str | None: ...
    @property
    def api_url(self) -> str: ...


class SlackDoor:
    """Made inside the running loop. `doorman` may be asked from the beginning; `start` needs the front desk."""

    def __init__(
        self, credentials: Credentials, *, config: Callable[[], Config], clock: Callable[[], datetime]
    ) -> None:
        self._credentials = credentials
        self._clock = clock
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=limits.UPLOAD))
        self._budgets = Budgets()
        self._web = self._client(patient=True)
        self._workspace = Workspace(self._web)
        self._channels = Channels(self._web, self._workspace)
        self.doorman: Doorman = SlackDoorman(self._web, self._workspace, self._channels, config)
        self._private = Private(self._web, self._session)
        self._after = Tasks()
        self._running: list[asyncio.Task[None]] = []
        self._socket: Socket | None = None
        self._edge: Edge | None = None

    def _client(self, *, patient: bool) -> AsyncWebClient:
        given = self._credentials
        return api.client(given.bot_token, given.api_url, self._session, budgets=self._budgets, patient=patient)

    def routes(self, site: web.Application) -> None:
        """Where signed requests of Slack arrive, when there is a secret to check them with."""
        if self._credentials.signing_secret:
            site.router.add_post(edge.PATH, self._receive)

    async def _receive(self, request: web.Request) -> web.Response:
        if self._edge is None:
            return web.json_response({"error": "not ready"}, status=503)
        return await self._edge.receive(request)

    async def start(self, shipmate: Shipmate) -> None:
        """Open the door. Never raises for a Slack that is away."""
        answers = Answers(shipmate, private=self._private, channels=self._channels, clock=self._clock)
        choosing = Choosing(shipmate, self._web, self._workspace, answers=answers, clock=self._clock)
        inbox = Inbox(
            shipmate,
            doorman=self.doorman,
            workspace=self._workspace,
            private=self._private,
            choosing=choosing,
            clock=self._clock,
        )
        app = build_app(self._web, self._workspace, inbox, choosing, self._after)
        identified = self._keep(self._workspace.keep_asking)
        await asyncio.wait({identified}, timeout=IDENTITY_SECONDS)
        self._keep(answers.run)
        self._keep(Painter(self._studio(shipmate)).run)
        if self._credentials.signing_secret:
            self._edge = Edge(self._credentials.signing_secret, app)
        if self._credentials.app_token:
            self._socket = Socket(app, self._credentials.app_token, self._web)
            self._socket.start()

    async def reached(self) -> tuple[bool, str]:
        """Whether Slack reaches us and we reach it, and that in words."""
        if self._workspace.identity is None:
            return False, "Slack has not said yet who this bot is; deploys go on, messages come when it does"
        if self._socket is not None and not await self._socket.connected():
            return False, "there is no connection to Slack; deploys go on, messages come when there is"
        return True, "connected by Socket Mode" if self._socket is not None else "Slack calls us; it knows this bot"

    @property
    def hello(self) -> Hello | None:
        """What Slack said when Socket Mode was connected last; None without it, and before."""
        return self._socket.hello if self._socket is not None else None

    def _studio(self, shipmate: Shipmate) -> Studio:
        return Studio(
            shipmate=shipmate,
            sender=Sender(self._client(patient=False)),
            budgets=self._budgets,
            channels=self._channels,
            private=self._private,
            clock=self._clock,
        )

    def _keep(self, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        task = asyncio.create_task(_again_and_again(work))
        self._running.append(task)
        return task

    async def stop(self) -> None:
        """Close the door. What was not told or painted yet is, after the next start."""
        if self._socket is not None:
            await self._socket.stop()
        await self._after.finish(FINISH_SECONDS)
        await self._after.stop()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._session.close()


async def _again_and_again(work: Callable[[], Awaitable[None]]) -> None:
    """Work that must go on: what breaks in it is logged, and it is begun again."""
    while True:
        try:
            return await work()
        except Exception as error:
            noted(log, "keeping the door to Slack open; the part that broke is begun again", error)
            await asyncio.sleep(BEGIN_AGAIN)
