"""Deciding asks: gather the facts, then decide in the room's one write transaction, again with more facts if needed."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from sqlmodel import Session

from pipelines.domain import gates
from pipelines.domain.commands import SAID, Abort, Answer, Command, Deploy, Retry, Rollback
from pipelines.domain.decide import Ahead, Need, decide, look_ahead
from pipelines.domain.deploy import Deploy as DeployState
from pipelines.domain.events import AbortAsked, Asked, Event, Place, Planned, Refused
from pipelines.domain.gates import Facts
from pipelines.domain.model import Config, Person
from pipelines.domain.planning import Ask
from pipelines.domain.refs import Resolved
from pipelines.domain.refusals import Accepted, Code, Offer, Refusal, refuse
from pipelines.domain.remembered import with_room_of
from pipelines.errors import noted
from pipelines.facts import Doorman, Gatherer, Wish
from pipelines.probing import Prober
from pipelines.storage import asks, deploys, postings
from pipelines.storage.book import Book, Enqueue
from pipelines.storage.database import Database, DatabaseAwayError

log = logging.getLogger(__name__)

TOO_OLD = timedelta(minutes=5)
ROUNDS = 5
PATIENCE = 180.0
POSTED, AGAIN = 5.0, 0.2  # seconds
CLAIMED = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Where:
    service: str
    environment: str
    command: Command
    config: Config  # one for the whole decision, whatever is read again meanwhile


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What decisions were found to lack so far."""

    commits: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()

    def and_also(self, need: Need) -> "Needs":
        return Needs(commits=self.commits | ({need.commit} - {""}), secrets=self.secrets | need.secrets)


class Decider:
    def __init__(
        self,
        *,
        database: Database,
        enqueue: Enqueue,
        gatherer: Gatherer,
        prober: Prober,
        doorman: Doorman,
        config: Callable[[], Config],
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._database = database
        self._enqueue = enqueue
        self._gatherer = gatherer
        self._prober = prober
        self._doorman = doorman
        self._config = config
        self._clock = clock
        self._new_id = new_id

    async def decide(self, asked: Asked, at: datetime) -> None:
        """Decide an ask that came in at `at`. Never raises but for cancelling: what breaks is answered with an id that
        the log has. Where that cannot be kept, or the database is away, the next sweep decides again."""
        try:
            if self._clock() - at > TOO_OLD:
                await self._refuse(asked, refuse(Code.TOO_OLD))
                return
            async with asyncio.timeout(PATIENCE):
                await self._decide(asked)
        except DatabaseAwayError as error:
            log.warning("%s is not decided yet: %s", asked.ask, error)
        except Exception as error:
            number = noted(log, f"deciding {asked.ask}", error)
            try:
                await self._refuse(asked, refuse(Code.BROKEN, id=number))
            except Exception as second:
                noted(log, f"saying so of {asked.ask}", second)

    async def _decide(self, asked: Asked) -> None:
        person = await self._doorman.person(asked.by)
        where = await self._locate(await self._in_thread(asked), person)
        if isinstance(where, Refusal):
            await self._refuse(asked, where)
            return
        asked = replace(asked, by=person, command=where.command, place=_place(asked, where))
        needs = Needs()
        for _ in range(ROUNDS):
            facts = await self._facts(asked, where, person, needs)
            outcome = await self._database.write(partial(self._enter, asked=asked, where=where, facts=facts))
            if not isinstance(outcome, Need):
                _note(asked, outcome)
                return
            needs = needs.and_also(outcome)
        raise RuntimeError(f"no decision after {ROUNDS} rounds of gathering")

    async def look_ahead(self, command: Deploy, by: Person, channel: str | None) -> Ahead:
        """What a deploy would be, with every gate that holds it; nothing is decided and nothing kept. `command` is of a
        room that there is."""
        place = Place(surface="slack", channel=channel)
        asked = Asked(ask=self._new_id(), key="", command=command, by=by, place=place)
        where = Where(service=command.service, environment=command.environment, command=command, config=self._config())
        asked = replace(asked, place=_place(asked, where))
        needs = Needs()
        async with asyncio.timeout(PATIENCE):
            for _ in range(ROUNDS):
                facts = await self._facts(asked, where, by, needs)
                state = await self._database.read(
                    lambda session: deploys.state(session, where.service, where.environment)
                )
                ahead = look_ahead(Ask(id=asked.ask, command=command, by=by, place=asked.place), state, facts)
                if not isinstance(ahead, Need):
                    return ahead
                needs = needs.and_also(ahead)
        raise RuntimeError(f"no answer after {ROUNDS} rounds of gathering")

    async def _facts(self, asked: Asked, where: Where, person: Person, needs: Needs) -> Facts:
        room = await self._database.read(lambda session: deploys.room(session, where.service, where.environment))
        wish = Wish(
            config=where.config,
            command=where.command,
            person=person,
            room=room,
            channel=asked.place.channel,
            new_id=self._new_id(),
        )
        closed = gates.closed(gates.member(person))
        if closed:
            return Facts(config=where.config, person=person, now=self._clock(), new_id=wish.new_id)
        facts = await self._gatherer.gather(wish, needs.commits, needs.secrets)
        if not room.probed and isinstance(where.command, Deploy | Rollback):
            commit = facts.version.commit if isinstance(facts.version, Resolved) else None
            environment = where.config.environment(where.service, where.environment)
            found = await self._prober.room(where.config.services[where.service], environment, commit)
            if found.probed:
                facts = await self._gatherer.gather(replace(wish, room=found), needs.commits, needs.secrets)
        return facts

    def _enter(
        self, session: Session, topics: set[str], *, asked: Asked, where: Where, facts: Facts
    ) -> Accepted | Refusal | Need | None:
        if not asks.is_open(session, asked.ask):
            return None
        now = self._clock()
        book = Book(session, topics, self._enqueue)
        button = asked.command.button.deploy if asked.command.button else None
        named = None if isinstance(asked.command, Deploy | Rollback) else asked.command.deploy
        state = book.state(where.service, where.environment, button, named)
        ask = Ask(id=asked.ask, command=asked.command, by=facts.person, place=asked.place)
        decision = decide(ask, state, facts)
        if isinstance(decision, Need):
            return decision
        events: tuple[Event, ...]
        if isinstance(decision, Refusal):
            events = (Refused(ask=asked.ask, command=asked.command, by=facts.person, refusal=decision),)
            outcome: Accepted | Refusal = decision
        else:
            events, outcome = decision, accepted(decision[0])
        book.append(state, events, now, by=facts.person.name, via=asked.place.surface)
        asks.decided(session, asked.ask, outcome, now)
        topics |= {f"ask:{asked.ask}", "asks"}
        return outcome

    async def _refuse(self, asked: Asked, refusal: Refusal) -> None:
        """A refusal that is of no room."""

        def work(session: Session, topics: set[str]) -> None:
            if not asks.decided(session, asked.ask, refusal, self._clock()):
                return
            refused = Refused(ask=asked.ask, command=asked.command, by=asked.by, refusal=refusal)
            book = Book(session, topics, self._enqueue)
            book.front(refused, self._clock(), by=asked.by.name, via=asked.place.surface)
            topics.update({f"ask:{asked.ask}", "asks"})

        await self._database.write(work)

    async def _in_thread(self, asked: Asked) -> Command:
        """In the thread of a deploy a bare word is about that deploy."""
        command, place = asked.command, asked.place
        if not isinstance(command, Abort | Retry | Answer) or command.service or command.deploy or not place.thread:
            return command
        channel, thread = place.channel or "", place.thread

        since = self._clock() - CLAIMED

        def read(session: Session) -> tuple[str | None, bool]:
            return postings.by_message(session, channel, thread), postings.on_its_way(session, channel, since)

        for _ in range(int(POSTED / AGAIN)):
            found, coming = await self._database.read(read)
            if found:
                return replace(command, deploy=found)
            if not coming:
                break
            await asyncio.sleep(AGAIN)  # whoever is quick writes there before our message's ts is known to us
        return command

    async def _locate(self, command: Command, person: Person) -> Where | Refusal:
        """The room a command is about; a bare one is about the asker's only deploy, else about one of a list."""
        if command.service is not None and command.environment is not None:
            return await self._known(command.service, command.environment, command)
        assert isinstance(command, Abort | Retry | Answer)
        if command.deploy is not None:
            deploy_id = command.deploy
            found = await self._database.read(lambda session: deploys.deploy(session, deploy_id))
            return await self._of(found, command) if found else refuse(Code.NOTHING_RUNNING)
        fit = await self._candidates(command, person)
        if len(fit) == 1 and fit[0].by.id == person.id:
            return await self._of(fit[0], command)
        if not fit:
            nothing = {"abort": Code.NOTHING_RUNNING, "retry": Code.NOTHING_TO_RETRY, "answer": Code.NOTHING_ASKED}
            return refuse(nothing[command.kind])
        return which(command, fit)

    async def _candidates(self, command: Abort | Retry | Answer, person: Person) -> list[DeployState]:
        """Those of whoever asks; of what runs else everybody's, for somebody may want to stop a bad one."""

        def fits(one: DeployState) -> bool:
            waits = one.waits() or not isinstance(command, Answer)
            return one.outcome is None and waits and command.service in (None, one.plan.service)

        mine = await self._database.read(lambda session: deploys.latest_of(session, person.id))
        if isinstance(command, Retry):
            newest = {one.room: one for one in reversed(mine) if command.service in (None, one.plan.service)}
            return [one for one in newest.values() if one.outcome is not None and one.outcome.value != "live"]
        if theirs := [one for one in mine if fits(one)]:
            return theirs
        return [one for one in await self._database.read(deploys.running) if fits(one)]

    async def _of(self, deploy: DeployState, command: Abort | Retry | Answer) -> Where | Refusal:
        return await self._known(deploy.plan.service, deploy.plan.environment, replace(command, deploy=deploy.id))

    async def _known(self, service: str, environment: str, command: Command) -> Where | Refusal:
        """The room in the configuration; for what ends a deploy or goes back, else as its last deploy knew it."""
        config = self._config()
        closed = gates.known_room(service, environment, config)
        if closed and isinstance(command, Abort | Answer | Rollback):
            last = await self._database.read(lambda session: deploys.last(session, service, environment))
            config, closed = (with_room_of(config, last), ()) if last else (config, closed)
        if closed:
            return Refusal(gates=closed)
        return Where(service=service, environment=environment, command=command, config=config)


def _place(asked: Asked, where: Where) -> Place:
    channel = where.config.services[where.service].channel
    return replace(asked.place, channel=channel or asked.place.channel)


def _note(asked: Asked, outcome: Accepted | Refusal | None) -> None:
    """The line of a decision in the log; None: it was decided by somebody else."""
    if outcome is not None:
        deploy = outcome.deploy if isinstance(outcome, Accepted) else None
        log.info("decided", extra={"facts": {"ask": asked.ask, "outcome": outcome.kind, "deploy": deploy}})


def which(command: Command, fit: list[DeployState]) -> Refusal:
    """Several deploys fit a bare command: each is offered."""
    verb = SAID[command.choice] if isinstance(command, Answer) else command.kind
    names = tuple(f"{one.plan.service} {one.plan.version} in {one.plan.environment}" for one in fit)
    offers = tuple(
        Offer(
            label=f"{verb.capitalize()}: {one.plan.service} in {one.plan.environment}",
            say=f"{verb} {one.plan.service} {one.plan.environment}",
            action=command.kind,
            value=one.id,
        )
        for one in fit
    )
    refusal = refuse(Code.WHICH_DEPLOY, choices=names)
    return replace(refusal, offers=offers)


def accepted(event: Event) -> Accepted:
    match event:
        case Planned():
            return Accepted(deploy=event.deploy, done="planned")
        case AbortAsked(then=None):
            return Accepted(deploy=event.deploy, done="abort")
        case AbortAsked(then=then):
            assert then is not None
            return Accepted(deploy=then.deploy, done="abort_then")
        case _:
            return Accepted(deploy=getattr(event, "deploy", ""), done="answered")
