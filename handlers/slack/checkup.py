"""Asking Slack what the door will need of it, without opening the door: nothing is posted, and nothing connects, so no
delivery is taken from a bot that works. What the answers mean for a person is not known here."""

import time
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack import api, routes
from handlers.slack.api import call
from handlers.slack.budget import Budgets
from handlers.slack.channels import Channels
from handlers.slack.workspace import Identity, Workspace, identity_of


@dataclass(frozen=True, kw_only=True)
class Bot:
    """Whose the bot token is. `skew`: seconds by which Slack's clock is ahead of ours, None where it does not say."""

    team: str
    name: str
    identity: Identity
    skew: float | None

    @property
    def missing(self) -> tuple[str, ...]:
        return self._without(routes.SCOPES)

    @property
    def missing_optional(self) -> tuple[str, ...]:
        return self._without(routes.OPTIONAL_SCOPES)

    def _without(self, scopes: tuple[str, ...]) -> tuple[str, ...]:
        held = self.identity.scopes
        return () if held is None else tuple(scope for scope in scopes if scope not in held)


class Checkup:
    """Every method raises Fault, whose `error` is Slack's own word."""

    def __init__(self, token: str, api_url: str, session: aiohttp.ClientSession) -> None:
        self._web: AsyncWebClient = api.client(token, api_url, session, budgets=Budgets(), patient=False)
        self._workspace = Workspace(self._web)
        self._channels = Channels(self._web, self._workspace)

    async def bot(self) -> Bot:
        began = time.time()
        answer = await call(self._web.auth_test())
        self._workspace.identity = identity = identity_of(answer)
        skew = skew_of(answer["_headers"], (began + time.time()) / 2)
        return Bot(team=str(answer.get("team", "")), name=str(answer.get("user", "")), identity=identity, skew=skew)

    async def app_token(self, token: str) -> None:
        """Asks for an address to connect to, and does not."""
        await call(self._web.apps_connections_open(app_token=token))

    async def closed(self, channel: str) -> bool:
        """Whether a post there would be refused."""
        return await self._channels.closed(channel) is not None


def skew_of(headers: Any, at: float) -> float | None:
    """By how many seconds the clock of whoever answered is ahead of ours, which said `at`."""
    given = next((value for name, value in headers.items() if name.lower() == "date"), None)
    try:
        there = parsedate_to_datetime(str(given[0] if isinstance(given, list) else given))
    except (TypeError, ValueError):
        return None
    return (there if there.tzinfo else there.replace(tzinfo=UTC)).timestamp() - at
