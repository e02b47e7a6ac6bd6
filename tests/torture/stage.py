"""Where a bot dies again and again: several rooms with a channel each, whose scripts write the ledger."""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.workspace import Channel, default_seed
from bot.workspace.state import Message
from tests.support.process import Bot, until
from tests.support.scene import read
from tests.support.service import Service
from tests.support.workspace import Threaded
from tests.torture.rows import Place

ENVIRONMENT = "staging"
TARGETS = ("one", "two")
SCRIPTS = ("before", "install", "check", "after")
EVERY = (("before", "-"), *((script, target) for target in TARGETS for script in ("install", "check")), ("after", "-"))
PRINTED = 4
START_SECONDS = 240.0  # a machine may have much else to do
RECIPE = (
    "deploy: deploy/install.sh\nbefore: [deploy/before.sh]\n"
    "check: [{run: deploy/check.sh}]\nafter: [{run: deploy/after.sh, on_lost: ask}]\n"
)


def lines_of(script: str, target: str) -> list[str]:
    """What a script prints, whole."""
    return [f"{script} {target} line {number} of {PRINTED}" for number in range(1, PRINTED + 1)]


@dataclass(frozen=True, kw_only=True)
class Room:
    """One service in one environment, deployed from a channel of its own."""

    service: str
    slack: Threaded

    @property
    def channel(self) -> str:
        return f"#{self.service}"

    @property
    def channel_id(self) -> str:
        return f"C0{self.service.upper()}"

    @property
    def name(self) -> str:
        return f"{self.service}/{ENVIRONMENT}"

    def cards(self) -> list[Message]:
        """The bot's messages in the channel itself, oldest first."""
        return [message for message in self.slack.workspace.messages(self.channel) if "bot_id" in message]

    def thread(self, card: Message) -> list[Message]:
        return self.slack.workspace.thread(self.channel, card["ts"])

    def files(self, card: Message) -> list[str]:
        """The texts of the files in the thread of a message."""
        known = self.slack.workspace.state.files
        return [known[file]["content"] for message in self.thread(card) for file in message.get("_files", [])]

    def answers(self) -> list[str]:
        """What people were told in private here."""
        found = self.slack.workspace.state.ephemerals
        return [read(message) for message in found if message["_channel"] == self.channel_id]


@dataclass
class Stage:
    """`restarts`: when the bot was started, by the clock. `again`: how often somebody said "run again" of a deploy.
    `said`: what was asked by `say` (room, version) and its exit status."""

    service: Service
    slack: Threaded
    bot: Bot
    rooms: tuple[Room, ...]
    restarts: list[float] = field(default_factory=list)
    again: Counter[str] = field(default_factory=Counter)
    said: list[tuple[str, str, int]] = field(default_factory=list)
    _made: int = 0
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def hold(self) -> Path:
        """While this file is there no install ends."""
        return self.service.folder / "hold"

    def start(self, **how: object) -> None:
        """The bot, that is not waited for."""
        self.bot.start(wait=False, **how)  # type: ignore[arg-type]
        self.restarts.append(time.time())

    def kill(self) -> None:
        self.bot.kill()

    def ready(self) -> bool:
        return self.bot.answers() and bool(self.slack.workspace.deliverer.sockets.connections)

    def start_and_wait(self, **how: object) -> None:
        self.start(**how)
        self.wait()

    def wait(self) -> None:
        until(self.ready, seconds=START_SECONDS, what=lambda: f"a bot that is ready ({self.bot.log()[-2000:]})")

    async def version(self) -> str:
        """A version that nobody deployed yet."""
        async with self._one:
            return await asyncio.to_thread(self.make)

    def make(self) -> str:
        self._made += 1
        tag = f"v1.{self._made}"
        self.service.commit({}, message=f"make {tag}", tag=tag)
        return tag


@contextmanager
def on_stage(
    place: Place,
    folder: str,
    *,
    rooms: int,
    pause: float = 0.2,
    recipe: str = RECIPE,
    targets: tuple[str, ...] = TARGETS,
) -> Iterator[Stage]:
    """A bot that is not started yet. `pause`: seconds between two lines of a script."""
    names = tuple(f"room{number}" for number in range(rooms))
    seed = default_seed()
    channels = tuple(Channel(id=f"C0{name.upper()}", name=name) for name in names)
    service = Service(folder=place.folder / folder)
    service.folder.mkdir()
    body = f'for i in $(seq {PRINTED}); do echo "{{}} ${{TARGET:--}} line $i of {PRINTED}"; sleep {pause}; done'
    files = {f"deploy/{name}.sh": service.script(name, body.replace("{}", name)) for name in SCRIPTS}
    waiting = f'{body}\nwhile [ -e "{service.folder}/hold" ]; do sleep 0.05; done'
    files["deploy/install.sh"] = service.script("install", waiting.replace("{}", "install"))
    service.commit({**files, "deploy.yml": recipe}, tag="v1.0")
    service.config.write_text(json.dumps(configuration(service, names, targets), indent=1))
    with Threaded(replace(seed, channels=channels)) as slack:
        slack.workspace.rates.on = False
        bot = Bot(data=service.folder / "data", config=service.config, env={**slack.env, **place.env})
        made = tuple(Room(service=name, slack=slack) for name in names)
        stage = Stage(service=service, slack=slack, bot=bot, rooms=made)
        try:
            yield stage
        finally:
            bot.kill()


def configuration(service: Service, rooms: tuple[str, ...], targets: tuple[str, ...]) -> dict[str, object]:
    services = {
        name: {
            "repo": str(service.repository),
            "channel": f"#{name}",
            "owners": ["ana", "raj", "mia"],
            "targets": {ENVIRONMENT: list(targets)},
        }
        for name in rooms
    }
    return {"services": services, "environments": {ENVIRONMENT: {}}}


def a_moment(dice: random.Random, longest: float, shortest: float = 0.0) -> None:
    """Some time passes, by the dice: the moment is what is random, not what is waited for."""
    time.sleep(dice.uniform(shortest, longest))


def at_last(condition: Callable[[], bool], seconds: float) -> None:
    """Wait until something holds, or for as long as anybody would wait: the verdict tells whether it did."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.2)
