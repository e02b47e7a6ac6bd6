"""People where there is no Slack: whoever reaches the socket is trusted, so every name is a full member."""

from collections.abc import Callable
from dataclasses import replace

from pipelines.domain.model import Config, Person, PersonKind


class NoSlack:
    """Implements the front desk's `Doorman`."""

    def __init__(self, config: Callable[[], Config]) -> None:
        self._config = config

    async def person(self, by: Person) -> Person:
        return replace(by, kind=PersonKind.MEMBER, slack=self._config().people.get(by.name))

    async def members(self, _group: str) -> frozenset[str] | None:
        return None

    async def cannot_post(self, _channel: str) -> str | None:
        return None
