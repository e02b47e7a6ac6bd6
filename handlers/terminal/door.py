"""The terminal's door: what is said there becomes a command, and what Slack would show comes back as lines.

A conversation ends with an exit status. The socket it goes over is `bot.control`'s.
"""

import logging
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

from handlers.chat import grammar
from handlers.chat.answers import misread_card, refusal_card
from handlers.chat.deploy_card import deploy_card
from handlers.chat.grammar import Parsed
from handlers.chat.help_card import help_card
from handlers.chat.sentences import Misread
from handlers.chat.views import view_card
from handlers.chat.words import RESTARTING
from handlers.terminal import render
from pipelines.domain.commands import (
    Abort,
    Answer,
    Choose,
    Command,
    Deploy,
    Diff,
    Help,
    History,
    Look,
    Preview,
    Recent,
    Retry,
    Rollback,
    Status,
    Unbuilt,
    Who,
)
from pipelines.domain.deploy import Deploy as DeployState
from pipelines.domain.events import Outcome, Place
from pipelines.domain.model import Person
from pipelines.domain.refusals import Accepted, Code, Nature, Refusal, refuse
from pipelines.domain.views import PreviewView
from pipelines.shipmate import DatabaseAwayError, Doorman, RestartingError, Shipmate, noted

log = logging.getLogger(__name__)

DONE, FAILED, MISREAD, REFUSED, ABORTED, UNKNOWN = 0, 1, 2, 3, 4, 75
_MENTION = re.compile(r"^\s*@shipmate\b[\s:,]*", re.IGNORECASE)  # as people write it in Slack
OUTPUT_READ = 64 * 1024  # bytes of output that are looked through for the last lines of a step
AWAY = "{why}\nDeploys that run go on. Say it again when the database is back; look first, if you asked for something."
Told = tuple[list[str], int]
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
        return cls(
            text=_MENTION.sub("", str(request["text"])), by=by, wait=bool(request["wait"]), key=f"say-{request['id']}"
        )


class TerminalDoor:
    """`has_slack`: a deploy's message can be posted at all."""

    def __init__(self, shipmate: Shipmate, *, doorman: Doorman, clock: Callable[[], datetime], has_slack: bool) -> None:
        self._shipmate = shipmate
        self._doorman = doorman
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
        except DatabaseAwayError as error:
            yield AWAY.format(why=error)
            yield UNKNOWN
        except Exception as error:
            for line in render.broken(noted(log, "answering a terminal", error), begun=begun):
                yield line
            yield UNKNOWN if begun else REFUSED

    async def _answer(self, saying: Saying, parsed: Parsed) -> AsyncIterator[str | int]:
        match parsed:
            case Deploy() | Rollback() | Abort() | Retry() | Answer():
                async for said in self._asked(parsed, saying):
                    yield said
                return
            case _ if self._shipmate.closed:
                answer = [RESTARTING], REFUSED
            case Misread():
                await self._shipmate.misread(saying.text, by=saying.by, via="terminal")
                answer = render.lines(misread_card(parsed, saying.text, self._shipmate.config)), MISREAD
            case Unbuilt():
                answer = self._refused(refuse(Code.NOT_BUILT, name=parsed.name), saying)
            case Help():
                answer = render.lines(help_card(parsed, self._shipmate.config)), DONE
            case Preview() | Status() | History() | Diff() | Who() | Recent() | Choose():
                answer = await self._looked(parsed, saying)
            case _:
                assert_never(parsed)
        for line in answer[0]:
            yield line
        yield answer[1]

    async def _asked(self, command: Command, saying: Saying) -> AsyncIterator[str | int]:
        try:
            receipt = await self._shipmate.ask(command, by=saying.by, place=Place(surface="terminal"), key=saying.key)
        except RestartingError:
            yield RESTARTING
            yield REFUSED
            return
        async for said in self._told(await self._shipmate.answer(receipt.ask), saying):
            yield said

    async def _looked(self, query: Look, saying: Saying) -> Told:
        view = await self._shipmate.look(query, by=await self._doorman.person(saying.by))
        if isinstance(view, Refusal):
            return self._refused(view, saying)
        card = view_card(view, self._shipmate.config, self._clock())
        held = isinstance(view, PreviewView) and view.ahead.gates
        return render.lines(card), _status_of(Refusal(gates=held)) if held else DONE

    def _refused(self, refusal: Refusal, saying: Saying) -> Told:
        card = refusal_card(refusal, self._clock(), said=saying.text, config=self._shipmate.config)
        return render.refusal(card), _status_of(refusal)

    async def _told(self, answer: Accepted | Refusal, saying: Saying) -> AsyncIterator[str | int]:
        if isinstance(answer, Refusal):
            lines, status = self._refused(answer, saying)
            for line in lines:
                yield line
            yield status
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
        last: DeployState | None = None
        async for last in self._shipmate.follow(answer.deploy):
            for key, lines in {**render.progress(last), **render.question(last)}.items():
                if key not in said:
                    said.add(key)
                    for line in (*lines, *await self._printed(last, key)):
                        yield line
        assert last is not None and last.outcome is not None
        for line in render.lines(deploy_card(last, self._clock())):
            yield line
        asked_to_abort = answer.done == "abort"
        yield DONE if asked_to_abort and last.outcome is Outcome.ABORTED else ENDINGS[last.outcome]

    async def _printed(self, deploy: DeployState, key: str) -> list[str]:
        """The last that a step printed which did not end well."""
        if (run := render.broken_off(deploy).get(key)) is None:
            return []
        pieces = await self._shipmate.output(deploy.id, last=OUTPUT_READ)
        return render.printed(piece.data for piece in pieces if (piece.key.step, piece.key.attempt) == run)


def _status_of(refusal: Refusal) -> int:
    return MISREAD if refusal.nature is Nature.MISREAD else REFUSED
