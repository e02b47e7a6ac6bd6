"""One bot and its Slack, with as many rooms as are wanted in one channel. Scripts write the ledger; all else is seen
from Slack's side.

v1.* install at once; the install of v2.0 waits until it may go on.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bot.workspace import default_seed
from bot.workspace.state import Message
from tests.support.process import Bot, free_port, until
from tests.support.scene import read
from tests.support.service import Service
from tests.support.workspace import Threaded
from tests.torture.rows import Place

CHANNEL = "#deploys"
RECIPE = "deploy: deploy/install.sh\nbefore: [deploy/before.sh]\nafter: [deploy/after.sh]\n"
READY_SECONDS = 120.0  # a machine may have much else to do
VERSIONS = ("v1.0", "v1.1", "v2.0")


@dataclass
class Peer:
    slack: Threaded
    service: Service
    bot: Bot
    rooms: tuple[str, ...]

    @property
    def go(self) -> Path:
        """When this file is there, v2.0 goes on."""
        return self.service.folder / "go"

    def starts(self, script: str = "install", what: str = "start") -> Counter[tuple[str, str]]:
        """How often this script began (or ended), by room and version."""
        lines = [line for line in self.service.entries() if line[:2] == [what, script]]
        return Counter((line[2], line[3]) for line in lines)

    def ready(self) -> bool:
        seed = self.slack.workspace.seed
        return self.bot.answers() and bool(seed.app.request_url or self.slack.workspace.deliverer.sockets.connections)

    def start(self, swift: Path | None = None) -> None:
        self.bot.start(wait=False, swift=swift)
        until(self.ready, seconds=READY_SECONDS, what=lambda: f"a bot that is ready ({self.bot.log()[-2000:]})")

    def cards(self) -> dict[str, list[Message]]:
        """The messages in the channel, by room."""
        found: dict[str, list[Message]] = {room: [] for room in self.rooms}
        for message in self.slack.workspace.messages(CHANNEL):
            words = str(message["text"]).replace(",", " ").replace(":", " ").split()
            for room in {*words} & {*self.rooms}:
                found[room].append(message)
        return found

    def thread(self, card: Message) -> list[Message]:
        return self.slack.workspace.thread(CHANNEL, card["ts"])

    def shows(self, room: str, words: str, version: str = "") -> bool:
        """Whether a message of the room says so."""
        return any(words in read(card) and version in card["text"] for card in self.cards()[room])


def _script(service: Service, name: str, body: str = "") -> str:
    note = f'echo "$1 {name} $ENVIRONMENT $VERSION $DEPLOY_ID" >> "{service.ledger}"'
    return f'#!/bin/bash\nset -e\nnote() {{ {note}; }}\nnote start\necho "{name} of $VERSION"\n{body}\nnote end\n'


@contextmanager
def met(place: Place, folder: str, *, rooms: int, http: bool = False) -> Iterator[Peer]:
    """A bot that is not started yet, and a Slack that does not count."""
    service = Service(folder=place.folder / folder, targets=("one",), channel=CHANNEL)
    service.folder.mkdir()
    wait = f'if [ $VERSION = v2.0 ]; then until [ -e "{service.folder}/go" ]; do sleep 0.1; done; fi'
    bodies = {"before": "", "install": wait, "after": ""}
    files = {f"deploy/{name}.sh": _script(service, name, body) for name, body in bodies.items()}
    for version in VERSIONS:
        service.commit({**files, "deploy.yml": RECIPE}, message=f"make {version}", tag=version)
    names = tuple(f"room-{number}" for number in range(rooms))
    service.configure(**{name: {} for name in names})
    seed, port = default_seed(), free_port()
    if http:
        seed = replace(seed, app=replace(seed.app, request_url=f"http://127.0.0.1:{port}/slack/events"))
    with Threaded(seed) as slack:
        slack.workspace.rates.on = False
        env = {**slack.env, **place.env}
        if http:
            del env["SLACK_APP_TOKEN"]
            env |= {"SLACK_SIGNING_SECRET": seed.app.signing_secret, "PORT": str(port)}
        bot = Bot(data=service.folder / "data", config=service.config, env=env)
        try:
            yield Peer(slack=slack, service=service, bot=bot, rooms=names)
        finally:
            bot.kill()
