"""Trigger ids: with one, an app may open one modal within three seconds of what a person did."""

import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from bot.workspace.limits import TRIGGER_SECONDS

REMEMBERED = 1_000
SPENT = 0.0


@dataclass
class Triggers:
    _until: OrderedDict[str, float] = field(default_factory=OrderedDict)

    def new(self) -> str:
        trigger = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self._until[trigger] = time.monotonic() + TRIGGER_SECONDS
        while len(self._until) > REMEMBERED:
            self._until.popitem(last=False)
        return trigger

    def use(self, trigger: str) -> str | None:
        """Spend it. Why it is no good, or None."""
        until = self._until.get(trigger)
        if until is None:
            return "invalid_trigger_id"
        if until == SPENT:
            return "exchanged_trigger_id"
        self._until[trigger] = SPENT
        return None if time.monotonic() < until else "expired_trigger_id"
