"""What the door asks of Slack, asked of both stand-ins: the local workspace over a real wire, and the one that the
simulation runs on. Judged by what the door makes of the answers."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

import aiohttp
import pytest

from handlers.slack import api
from handlers.slack.api import Fault, Trouble
from handlers.slack.blocks import Message, lines_message
from handlers.slack.budget import Budgets
from handlers.slack.private import Private
from handlers.slack.sending import Sender, mark
from pipelines.domain.events import Place
from pipelines.domain.model import Person
from tests.simulation.agenda import Agenda
from tests.simulation.chance import Chance, Mix
from tests.simulation.loop import SimulatedLoop
from tests.simulation.slack import SimulatedSession, SimulatedSlack, SimulatedWeb
from tests.support.domain import NOON
from tests.support.fates import Fate
from tests.support.unreliable import Unreliable
from tests.support.workspace import Threaded

T = TypeVar("T")
DEPLOYS = "C0DEPLOYS"
ANA = Person(id="U0ANA", name="ana", slack="U0ANA")


class Door:
    """The parts of the door that send, on some wire."""

    def __init__(self, web: Any, session: Any) -> None:
        self.sender = Sender(web)
        self.private = Private(web, session)

    async def post(self, line: str, *kinds: str, thread: str = "", channel: str = DEPLOYS) -> str:
        marked = mark("d1", *(kinds or ("card",)))
        _, ts = await self.sender.post(channel, lines_message([line]), marked, thread=thread)
        return ts

    async def edit(self, ts: str, line: str) -> None:
        await self.sender.edit(DEPLOYS, ts, lines_message([line]), mark("d1", "card"))


class Slack(Protocol):
    def run(self, work: Callable[[Door], Awaitable[T]]) -> T:
        """Do something over the wire."""
        ...

    def fate(self, fate: Fate) -> None:
        """What becomes of the next call."""
        ...

    def shown(self) -> list[str]:
        """The messages in the channel itself."""
        ...

    def whispers(self) -> list[str]:
        """What ana alone sees."""
        ...


class RealWire:
    def __init__(self, slack: Threaded, wire: Unreliable) -> None:
        self._slack, self._wire = slack, wire
        wire.fate = lambda _method, _args: self._next()
        self._fates: list[Fate] = []

    def _next(self) -> Fate:
        return self._fates.pop() if self._fates else Fate.WELL

    def fate(self, fate: Fate) -> None:
        self._fates.append(fate)

    def run(self, work: Callable[[Door], Awaitable[T]]) -> T:
        async def there() -> T:
            async with aiohttp.ClientSession() as session:
                budgets = Budgets()
                web = api.client("xoxb-local-workspace", self._wire.url, session, budgets=budgets, patient=False)
                return await work(Door(web, session))

        return asyncio.run(there())

    def shown(self) -> list[str]:
        return [str(message["text"]) for message in self._slack.workspace.messages("#deploys")]

    def whispers(self) -> list[str]:
        return [str(message["text"]) for message in self._slack.workspace.whispers("ana")]


class Simulated:
    def __init__(self) -> None:
        self._agenda = Agenda()
        self._slack = SimulatedSlack(self._agenda, Chance(1), Mix(slack=0.0), clock=self._now)

    def _now(self) -> datetime:
        return NOON + timedelta(seconds=self._agenda.now)

    def latency(self) -> float:
        return 0.0

    def dies(self) -> bool:
        return False

    def fails(self) -> Exception | None:
        return None

    def fate(self, fate: Fate) -> None:
        self._slack.fated = fate

    def run(self, work: Callable[[Door], Awaitable[T]]) -> T:
        loop = SimulatedLoop(self._agenda, self)
        web = SimulatedWeb(self._slack, loop, budgets=Budgets(clock=loop.time), patient=False)

        async def there() -> T:
            return await work(Door(web, SimulatedSession.of(self._slack, loop)))

        done = loop.create_task(there())
        loop.settle()
        while not done.done() and self._agenda.step():
            loop.settle()
        return done.result()

    def shown(self) -> list[str]:
        return [str(message["text"]) for message in self._slack.state.top_level(DEPLOYS)]

    def whispers(self) -> list[str]:
        return [str(one["text"]) for one in self._slack.state.ephemerals if one["_for"] == ANA.slack]


@pytest.fixture(params=["workspace", "simulated"])
def slack(request: pytest.FixtureRequest) -> Iterator[Slack]:
    if request.param == "simulated":
        yield Simulated()
        return
    with Threaded() as threaded:
        wire = Unreliable(threaded.workspace.api_url)
        threaded.do(wire.start())
        yield RealWire(threaded, wire)
        threaded.do(wire.stop())


def failing(slack: Slack, work: Callable[[Door], Awaitable[Any]]) -> Fault:
    with pytest.raises(Fault) as found:
        slack.run(work)
    return found.value


def test_what_is_posted_is_there_and_is_found_by_its_mark(slack: Slack) -> None:
    ts = slack.run(lambda door: door.post("one"))
    slack.run(lambda door: door.post("another", "tail"))
    assert slack.shown() == ["one", "another"]
    assert slack.run(lambda door: door.sender.find(DEPLOYS, "d1"))["card"] == ts
    assert "closing" not in slack.run(lambda door: door.sender.find(DEPLOYS, "d1"))
    assert slack.run(lambda door: door.sender.find(DEPLOYS, "d2")) == {}


def test_an_edit_replaces_what_is_shown(slack: Slack) -> None:
    ts = slack.run(lambda door: door.post("one"))
    slack.run(lambda door: door.edit(ts, "two"))
    assert slack.shown() == ["two"]
    assert slack.run(lambda door: door.sender.find(DEPLOYS, "d1"))["card"] == ts


def test_a_thread_is_apart(slack: Slack) -> None:
    root = slack.run(lambda door: door.post("root"))
    reply = slack.run(lambda door: door.post("reply", "closing", thread=root))
    assert slack.shown() == ["root"]
    assert slack.run(lambda door: door.sender.find(DEPLOYS, "d1", thread=root))["closing"] == reply
    assert "closing" not in slack.run(lambda door: door.sender.find(DEPLOYS, "d1"))


def test_a_file_is_found_by_its_name_in_its_thread(slack: Slack) -> None:
    root = slack.run(lambda door: door.post("root"))
    assert slack.run(lambda door: door.sender.find_file(DEPLOYS, root, "a.log")) is None
    file = slack.run(lambda door: door.sender.attach(DEPLOYS, root, "a.log", "all of it", iter([b"lines\n"])))
    assert slack.run(lambda door: door.sender.find_file(DEPLOYS, root, "a.log")) == file


def test_what_is_not_there_is_gone_and_where_there_is_no_room_it_says_so(slack: Slack) -> None:
    assert failing(slack, lambda door: door.edit("1.000000", "x")).trouble is Trouble.GONE
    assert failing(slack, lambda door: door.post("x", thread="1.000000")).trouble is Trouble.GONE
    assert failing(slack, lambda door: door.post("x", channel="C404")).trouble is Trouble.NO_ROOM
    assert failing(slack, lambda door: door.post("x", channel="C0RANDOM")).trouble is Trouble.NO_ROOM


def test_blocks_that_it_does_not_take_go_as_one_sentence(slack: Slack) -> None:
    odd = Message(text="one sentence", blocks=({"type": "section", "text": {"type": "plain_text", "text": ""}},))
    slack.run(lambda door: door.sender.post(DEPLOYS, odd, mark("d1", "card")))
    assert slack.shown() == ["one sentence"]


def test_one_person_is_told_alone(slack: Slack) -> None:
    place = Place(surface="slack", channel=DEPLOYS)
    assert slack.run(lambda door: door.private.tell(lines_message(["for you"]), to=ANA, place=place))
    assert slack.whispers() == ["for you"]
    assert slack.shown() == []


@pytest.mark.parametrize(
    ("fate", "trouble"),
    [(Fate.BUSY, Trouble.BUSY), (Fate.ILL, Trouble.AWAY), (Fate.UNHEARD, Trouble.AWAY), (Fate.LOST, Trouble.AWAY)],
)
def test_a_call_that_meets_no_good_fate(slack: Slack, fate: Fate, trouble: Trouble) -> None:
    slack.fate(fate)
    assert failing(slack, lambda door: door.post("one")).trouble is trouble
    assert slack.shown() == (["one"] if fate is Fate.LOST else [])
    assert ("card" in slack.run(lambda door: door.sender.find(DEPLOYS, "d1"))) is (fate is Fate.LOST)
    slack.run(lambda door: door.post("two"))
    assert slack.shown()[-1] == "two"


def test_a_rate_limit_says_how_long(slack: Slack) -> None:
    slack.fate(Fate.BUSY)
    fault = failing(slack, lambda door: door.post("one"))
    assert fault.wait in (1.0, 3.0, 5.0, 30.0)
