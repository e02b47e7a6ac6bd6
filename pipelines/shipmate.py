"""The front desk: all that handlers know of deploys. Start reading here.

    Slack payload or `say` ─▶ a command ─▶ Shipmate.ask: one insert, then the door acknowledges
       ─▶ facts (git, people) ─▶ decide, in the room's one write transaction ─▶ a planned deploy, or a refusal
       ─▶ the engine walks `advance` ─▶ the agent starts scripts ─▶ events and output
       ─▶ whoever follows: a painter edits one message, a terminal prints lines

What is asked comes back as `Accepted` or `Refusal`; what is looked at as views; what happens as deploys that change.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from pipelines.deciding import Decider
from pipelines.domain.commands import Command, Look
from pipelines.domain.deploy import Deploy
from pipelines.domain.events import Asked, Misread, Place
from pipelines.domain.model import Config, Person
from pipelines.domain.refusals import Accepted, Refusal
from pipelines.domain.views import Name, View
from pipelines.errors import away, noted, passing
from pipelines.facts import Doorman
from pipelines.looking import Looker
from pipelines.storage import asks, deploys, postings, steps
from pipelines.storage.book import Book, Enqueue
from pipelines.storage.database import Database, DatabaseAwayError, heard, surely
from pipelines.storage.postings import Posting
from pipelines.storage.steps import Piece

log = logging.getLogger(__name__)

SWEEP_SECONDS = 10.0
ANSWER_SECONDS = 600.0

__all__ = [
    "Accepted",
    "DatabaseAwayError",
    "Doorman",
    "Piece",
    "Posting",
    "Receipt",
    "Refusal",
    "RestartingError",
    "Shipmate",
    "away",
    "noted",
    "passing",
]


class RestartingError(Exception):
    """The bot is about to end, so what was asked was not kept. Whoever asked is told to say it again."""


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """An ask that is kept; `new` is False when the same key was asked before."""

    ask: str
    new: bool


class Shipmate:
    def __init__(
        self,
        *,
        database: Database,
        enqueue: Enqueue,
        decider: Decider,
        looker: Looker,
        config: Callable[[], Config],
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._database = database
        self._enqueue = enqueue
        self._decider = decider
        self._looker = looker
        self._config = config
        self._clock = clock
        self._new_id = new_id
        self._deciding: dict[str, asyncio.Task[None]] = {}
        self.closed = False

    @property
    def config(self) -> Config:
        return self._config()

    async def ask(self, command: Command, *, by: Person, place: Place, key: str) -> Receipt:
        """Keep what was asked: one insert. The same key twice is one ask. It is decided from here on, also when this
        process ends: by the next one. Raises RestartingError for what is new once the desk is closed."""
        if self.closed:
            known = await self._database.read(lambda session: asks.known(session, key))
            if known is None:
                raise RestartingError
            return Receipt(ask=known, new=False)
        asked = Asked(ask=self._new_id(), key=key, command=command, by=by, place=place)
        at = self._clock()

        def keep(session: Session, topics: set[str]) -> str:
            ask, new = asks.insert(session, asked, at)
            if new:
                Book(session, topics, self._enqueue).front(asked, at, by=by.name, via=place.surface)
            return ask

        ask = await self._database.write_first(keep)
        new = ask == asked.ask
        if new:
            self._begin(asked, at)
        return Receipt(ask=ask, new=new)

    def _begin(self, asked: Asked, at: datetime) -> None:
        """Decide it, unless this process is about to end: then the next one does."""
        if self.closed or asked.ask in self._deciding:
            return
        task = asyncio.create_task(self._decider.decide(asked, at))
        self._deciding[asked.ask] = task
        task.add_done_callback(lambda _: self._deciding.pop(asked.ask, None))

    async def misread(self, text: str, *, by: Person, via: str) -> None:
        """Note that somebody was not understood."""
        at = self._clock()
        misread = Misread(text=text[:500].encode("utf-8", "replace").decode(), by=by)
        await self._database.write(
            lambda session, topics: Book(session, topics, self._enqueue).front(misread, at, by=by.name, via=via)
        )

    async def answer(self, ask: str) -> Accepted | Refusal:
        """Wait for the decision of an ask. Raises TimeoutError when there is none after ten minutes."""
        with self._database.waker.listening(f"ask:{ask}") as told:
            async with asyncio.timeout(ANSWER_SECONDS):
                while True:
                    told.clear()
                    outcome = await surely(lambda: self._database.read(lambda session: asks.outcome(session, ask)))
                    if outcome is not None:
                        return outcome
                    await heard(told, 1.0)

    async def look(self, query: Look, *, by: Person, channel: str | None = None) -> View | Refusal:
        """What somebody wants to see; `channel` is where they ask. A refusal for names that mean nothing."""
        return await self._looker.look(query, by=by, channel=channel)

    async def versions(self, service: str, typed: str = "") -> tuple[Name, ...]:
        """The tags and branches of a service in which `typed` stands, most used first."""
        return await self._looker.versions(service, typed)

    async def services(self) -> tuple[str, ...]:
        """Every service, most used first."""
        return await self._looker.services()

    async def refresh(self, service: str) -> None:
        """Fetch the branches and tags of a service that somebody is about to choose from."""
        await self._looker.refresh(service)

    async def deploy(self, deploy: str) -> Deploy | None:
        return await self._database.read(lambda session: deploys.deploy(session, deploy))

    async def follow(self, deploy: str) -> AsyncIterator[Deploy]:
        """A deploy each time it changed, until it is over; waits for one that is still to be planned."""
        seen = -1
        with self._database.waker.listening(f"deploy:{deploy}") as told:
            while True:
                told.clear()
                found = await surely(lambda: self.deploy(deploy))
                if found is not None and found.seq != seen:
                    seen = found.seq
                    yield found
                    if found.outcome is not None:
                        return
                await heard(told, 2.0)

    async def running(self) -> list[Deploy]:
        return await self._database.read(deploys.running)

    async def output(self, deploy: str, *, last: int | None = None) -> list[Piece]:
        """The output of a deploy: all that is kept, or about the `last` so many bytes."""
        if last is None:
            return await self._database.read(lambda session: steps.pieces(session, deploy))
        return await self._database.read(lambda session: steps.last_pieces(session, deploy, last))

    def listening(self, *topics: str):  # type: ignore[no-untyped-def]
        """For those who paint: an event set on each change of `journal`, `output` or `asks`."""
        return self._database.waker.listening(*topics)

    async def unpainted(self) -> list[Deploy]:
        """The deploys that run, and those whose messages do not show their last change yet; oldest first."""
        return await self._database.read(deploys.unpainted)

    async def painted(self, deploy: str, seq: int) -> None:
        """The messages of a deploy are true up to its event `seq`."""
        await self._database.write(lambda session, _: deploys.painted(session, deploy, seq))

    async def postings(self, deploy: str, surface: str) -> dict[str, Posting]:
        return await self._database.read(lambda session: postings.of(session, deploy, surface))

    async def claim_posting(self, posting: Posting) -> bool:
        return await self._database.write(lambda session, _: postings.claim(session, posting, self._clock()))

    async def posted(self, posting: Posting) -> None:
        await self._database.write(lambda session, _: postings.update(session, posting, self._clock()))

    async def drop_posting(self, posting: Posting) -> None:
        await self._database.write(
            lambda session, _: postings.drop(session, posting.deploy, posting.kind, posting.surface)
        )

    async def unanswered(
        self, surface: str, *, but: Collection[str] = (), most: int = 50
    ) -> list[tuple[Asked, Accepted | Refusal]]:
        """Decided asks of people who have not been told yet, oldest first, without those that are named in `but`."""
        return await self._database.read(lambda session: asks.unanswered(session, surface, but, most))

    async def answered(self, ask: str) -> None:
        await self._database.write(lambda session, _: asks.answered(session, ask, self._clock()))

    async def sweep(self) -> None:
        """Decide what was left undecided."""
        try:
            left = await self._database.read(asks.undecided)
        except DatabaseAwayError as error:
            log.warning("no ask is looked for that was left undecided: %s", error)
            return
        for asked, at in left:
            self._begin(asked, at)

    def close(self) -> None:
        """Take nothing new from now on: this process is about to end."""
        self.closed = True

    async def stop(self) -> None:
        """Let go of what is being decided; it is decided after the next start."""
        for task in list(self._deciding.values()):
            task.cancel()
        await asyncio.gather(*self._deciding.values(), return_exceptions=True)
