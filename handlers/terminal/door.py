"""The terminal's door: what is said there becomes a command, and what Slack would show comes back as lines.

A conversation ends with an exit status. The socket it goes over is `bot.control`'s.
"""

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from handlers.chat import grammar, words
from handlers.chat.card import help_card
from handlers.chat.deploy_card import deploy_card
from handlers.chat.grammar import Misread, Parsed
from handlers.chat.status_card import status_card
from handlers.terminal import render
from pipelines.domain.commands import Command, Help, Status, Unbuilt
from pipelines.domain.deploy import Deploy
from pipelines.domain.events import Outcome, Place
from pipelines.domain.model import Person
from pipelines.domain.refusals import Accepted, Code, Nature, Refusal, refuse
from pipelines.shipmate import Shipmate, noted

log = logging.getLogger(__name__)

DONE, FAILED, MISREAD, REFUSED, ABORTED, UNKNOWN = 0, 1, 2, 3, 4, 75
ENDINGS = {Outcome.LIVE: DONE, Outcome.FAILED: FAILED, Outcome.ABORTED: ABORTED}


@dataclass(frozen=True, kw_only=True)
class Saying:
    """One request: `key` makes a repeated one the same ask."""

    text: str
    by: Person
    wait: bool
    key: str

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> "Saying":
        name = str(request["as"]).removeprefix("@")
        by = Person(id=name, name=name)
        return cls(text=str(request["text"]), by=by, wait=bool(request["wait"]), key=f"say-{request['id']}")


class TerminalDoor:
    """`has_slack`: a deploy's message can be posted at all."""

    def __init__(self, shipmate: Shipmate, *, clock: Callable[[], datetime], has_slack: bool) -> None:
        self._shipmate = shipmate
        self._clock = clock
        self._has_slack = has_slack

    async def converse(self, request: Mapping[str, Any]) -> AsyncIterator[str | int]:
        """The lines of the answer, then the exit status. An error of our own is an answer, too."""
        begun = False
        try:
            saying = Saying.of(request)
            parsed = grammar.parse(saying.text)
            begun = isinstance(parsed, Command)
            async for said in self._answer(saying, parsed):
                yield said
        except Exception as error:
            for line in render.broken(noted(log, "answering a terminal", error), begun=begun):
                yield line
            yield UNKNOWN if begun else REFUSED

    async def _answer(self, saying: Saying, parsed: Parsed) -> AsyncIterator[str | int]:
        match parsed:
            case Misread():
                await self._shipmate.misread(saying.text, by=saying.by, via="terminal")
                for line in render.misread(parsed):
                    yield line
                yield MISREAD
            case Unbuilt():
                for line in render.refusal(refuse(Code.NOT_BUILT, name=parsed.name), self._clock()):
                    yield line
                yield REFUSED
            case Help():
                for line in render.lines(help_card(parsed, self._shipmate.config)):
                    yield line
                yield DONE
            case Status():
                async for said in self._status(parsed):
                    yield said
            case _:
                receipt = await self._shipmate.ask(
                    parsed, by=saying.by, place=Place(surface="terminal"), key=saying.key
                )
                answer = await self._shipmate.answer(receipt.ask)
                async for said in self._told(answer, saying):
                    yield said

    async def _status(self, status: Status) -> AsyncIterator[str | int]:
        views = await self._shipmate.look(status.service, status.environment)
        unknown = None if views else words.unknown_names(status, self._shipmate.config)
        if unknown is not None:
            for line in render.refusal(unknown, self._clock()):
                yield line
            yield MISREAD
            return
        for line in render.lines(status_card(views, self._clock(), self._shipmate.config_problems)):
            yield line
        yield DONE

    async def _told(self, answer: Accepted | Refusal, saying: Saying) -> AsyncIterator[str | int]:
        if isinstance(answer, Refusal):
            for line in render.refusal(answer, self._clock()):
                yield line
            yield MISREAD if answer.nature is Nature.MISREAD else REFUSED
            return
        deploy = await self._shipmate.deploy(answer.deploy)
        for line in render.accepted(answer, deploy, has_slack=self._has_slack):
            yield line
        if not saying.wait:
            yield DONE
            return
        async for said in self._follow(answer):
            yield said

    async def _follow(self, answer: Accepted) -> AsyncIterator[str | int]:
        """Each thing that happens as a line, until the deploy is over; a question is printed with the words that
        answer it."""
        said: set[str] = set()
        last: Deploy | None = None
        async for last in self._shipmate.follow(answer.deploy):
            for line in [*render.progress(last), *render.question(last)]:
                if line not in said:
                    said.add(line)
                    yield line
        assert last is not None and last.outcome is not None
        for line in render.lines(deploy_card(last, self._clock())):
            yield line
        asked_to_abort = answer.done == "abort"
        yield DONE if asked_to_abort and last.outcome is Outcome.ABORTED else ENDINGS[last.outcome]
