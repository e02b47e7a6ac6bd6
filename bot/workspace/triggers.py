"""Trigger ids: with one, an app may open one modal within three seconds of what a person did, for that person."""

import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from bot.workspace.limits import TRIGGER_SECONDS
from bot.workspace.wire import ApiError

REMEMBERED = 1_000


@dataclass
class Trigger:
    """`user` by id. `view`: in which view the person did it; None elsewhere. `until` on the monotonic clock."""

    user: str
    view: str | None
    until: float
    spent: bool = False


@dataclass
class Triggers:
    _given: OrderedDict[str, Trigger] = field(default_factory=OrderedDict)

    def new(self, user: str, view: str | None = None) -> str:
        trigger = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self._given[trigger] = Trigger(user=user, view=view, until=time.monotonic() + TRIGGER_SECONDS)
        while len(self._given) > REMEMBERED:
            self._given.popitem(last=False)
        return trigger

    def use(self, trigger: str) -> Trigger:
        """Spend it. Raises ApiError with Slack's word for one that is no good."""
        given = self._given.get(trigger)
        if given is None:
            raise ApiError("invalid_trigger_id")
        if given.spent:
            raise ApiError("exchanged_trigger_id")
        given.spent = True
        if time.monotonic() > given.until:
            raise ApiError("expired_trigger_id")
        return given
