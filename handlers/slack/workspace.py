"""Which workspace this bot is in, who it is there and what it may do: `auth.test`, kept once it answered."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.api import Fault, Trouble, call, refused

log = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0


@dataclass(frozen=True, kw_only=True)
class Identity:
    """`scopes` is None where Slack does not tell them."""

    team: str
    bot_user: str
    bot: str
    scopes: frozenset[str] | None = None


class Workspace:
    def __init__(self, web: AsyncWebClient) -> None:
        self._web = web
        self.identity: Identity | None = None
        self._refused = ""

    @property
    def team(self) -> str | None:
        return self.identity.team if self.identity else None

    async def known(self) -> Identity | None:
        """The identity, asked for now if nobody knows it yet; None when Slack does not tell."""
        if self.identity is None:
            try:
                self.identity = identity_of(await call(self._web.auth_test()))
            except Fault as fault:
                if fault.trouble is Trouble.REFUSED and fault.error != self._refused:
                    log.error(refused("SLACK_BOT_TOKEN", fault))
                    self._refused = fault.error
        return self.identity

    async def keep_asking(self) -> None:
        """Until it is known."""
        wait = FIRST_WAIT
        while await self.known() is None:
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT)


def identity_of(answer: Mapping[str, Any]) -> Identity:
    """The identity in an answer of `auth.test`."""
    scopes = next((value for name, value in answer["_headers"].items() if name.lower() == "x-oauth-scopes"), None)
    listed = frozenset(str(scopes).replace(" ", "").split(",")) if scopes is not None else None
    return Identity(
        team=str(answer.get("team_id", "")),
        bot_user=str(answer.get("user_id", "")),
        bot=str(answer.get("bot_id", "")),
        scopes=listed,
    )
