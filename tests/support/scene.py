"""A scene for stories: a workspace, a bot, and a service whose versions behave well, badly, slowly or not at all.

What is typed and what is shown, as a person would see it."""

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bot.workspace import default_seed
from bot.workspace.state import Message
from tests.support.process import Bot, free_port, until
from tests.support.service import Service
from tests.support.workspace import Threaded

INSTALL = """#!/bin/bash
set -e
echo "installing $VERSION on $TARGET"
{how}
mkdir -p "{world}/targets"
echo "$VERSION $COMMIT" > "{world}/targets/$TARGET.new"
mv "{world}/targets/$TARGET.new" "{world}/targets/$TARGET" # whoever looks sees the old line or the new one
echo "installed $VERSION on $TARGET"
"""
STATUS = '#!/bin/bash\ncat "{world}/targets/$TARGET"\n'
ROUTE = '#!/bin/bash\npaste -sd" " | tee -a "{world}/tables"\n'
RECIPE = "deploy: deploy/install.sh\nstatus: deploy/status.sh\nroute: deploy/route.sh\n"
VERSIONS = {
    "v1.0": "",
    "v1.1": "",
    "v1.2": "",
    "v2.0": 'echo "disk is full" >&2; exit 1',
    "v3.0": "exit 0",
    "v4.0": 'for i in $(seq 1200); do [ -e "{world}/go" ] && break; sleep 0.05; done',
}


def make_service(folder: Path, channel: str | None = "#deploys") -> Service:
    """v1.* are good, v2.0 exits 1, v3.0 exits 0 and does nothing, v4.0 waits until the file `go` is there."""
    service = Service(folder=folder, channel=channel)
    (folder / "targets").mkdir(parents=True)
    for tag, how in VERSIONS.items():
        files = {
            "deploy.yml": RECIPE,
            "deploy/install.sh": INSTALL.replace("{how}", how).replace("{world}", str(folder)),
            "deploy/status.sh": STATUS.replace("{world}", str(folder)),
            "deploy/route.sh": ROUTE.replace("{world}", str(folder)),
        }
        service.commit(files, message=f"make {tag}", tag=tag)
        if tag == "v1.0":
            for target in service.targets:
                (folder / "targets" / target).write_text("v1.0\n")
    service.configure(staging={}, production={"protected": True})
    return service


@dataclass
class Scene:
    slack: Threaded
    bot: Bot
    service: Service
    channel: str = "#deploys"

    def types(self, person: str, line: str, channel: str | None = None) -> None:
        command, _, text = line.partition(" ")
        self.slack.types(person, command, text, channel or self.channel)

    def says(self, person: str, text: str, channel: str | None = None, thread: str | None = None) -> None:
        """A message, such as `@shipmate status`, in a channel, a thread, or (`@shipmate`) their direct message."""
        self.slack.do(self.slack.workspace.person(person).say(channel or self.channel, text, thread))

    def cards(self, channel: str | None = None) -> list[Message]:
        """The bot's messages in the channel itself, oldest first."""
        return [m for m in self.slack.workspace.messages(channel or self.channel) if "bot_id" in m]

    def card(self) -> str:
        """The newest message as a person reads it: its lines, then its buttons."""
        cards = self.cards()
        return read(cards[-1]) if cards else ""

    def seen(self) -> Message:
        """The newest message as it is now, for somebody who does not look again."""
        return copy.deepcopy(self.cards()[-1])

    def shows(self, *texts: str, seconds: float = 60) -> str:
        """Wait until the newest message shows all of these."""
        until(lambda: all(t in self.card() for t in texts), seconds=seconds, what=lambda: f"{texts} in:\n{self.card()}")
        return self.card()

    def thread(self, number: int = -1) -> str:
        root = self.cards()[number]
        replies = self.slack.workspace.thread(self.channel, root["ts"])
        files = [self.slack.workspace.state.files[f]["content"] for m in replies for f in m.get("_files", [])]
        return "\n".join([*map(read, replies), *files])

    def in_thread(self, *texts: str, number: int = -1, seconds: float = 60) -> str:
        until(
            lambda: all(t in self.thread(number) for t in texts),
            seconds=seconds,
            what=lambda: f"{texts} in:\n{self.thread(number)}",
        )
        return self.thread(number)

    def whispered(self, person: str, *texts: str, seconds: float = 45) -> Message:
        """Wait until this person alone is told all of these; the message."""

        def fit() -> list[Message]:
            found = self.slack.workspace.whispers(person)
            return [m for m in found if all(t in read(m) for t in texts)]

        until(lambda: bool(fit()), seconds=seconds, what=lambda: f"{texts} to {person}: {self.whispers(person)}")
        return fit()[-1]

    def whispers(self, person: str) -> list[str]:
        return [read(m) for m in self.slack.workspace.whispers(person)]

    def clicks(self, person: str, label: str, message: Message | None = None) -> None:
        there = message or self.cards()[-1]
        self.slack.do(self.slack.workspace.person(person).click(there, label, self.channel))

    def runs(self) -> dict[str, str]:
        """What each target really runs."""
        folder = self.service.folder / "targets"
        return {t: (folder / t).read_text().split()[0] for t in self.service.targets}

    def traffic(self) -> str:
        """Where traffic goes, as the service's own `route` was told last: each target and its weight."""
        return (self.service.folder / "tables").read_text().splitlines()[-1]

    def go(self) -> None:
        """Let v4.0 go on."""
        (self.service.folder / "go").touch()

    def hold(self) -> None:
        (self.service.folder / "go").unlink(missing_ok=True)

    def deploys(self, version: str, person: str = "ana", environment: str = "staging") -> None:
        """A deploy that goes well."""
        self.types(person, f"/deploy api {version} {environment}")
        self.shows(f"{version} is live in {environment}")

    def connected(self) -> None:
        """Wait until the bot hears what is typed."""
        if self.slack.workspace.seed.app.request_url is None:
            connections = self.slack.workspace.deliverer.sockets.connections
            until(lambda: bool(connections), what="the bot's connection")

    def restart(self) -> None:
        self.bot.stop()
        until(lambda: not self.slack.workspace.deliverer.sockets.connections, what="the end of the connection")
        self.bot.start()
        self.connected()

    def unacknowledged(self) -> list[str]:
        """What the bot was sent and did not acknowledge."""
        return [str(one["payload"]) for one in self.slack.workspace.deliverer.log if not one["acked"]]

    def wait(self, condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
        until(condition, seconds=seconds, what=what)


def timeless(text: str) -> str:
    """A text without its times, which differ from run to run."""
    return re.sub(r"\b\d\d:\d\d UTC", "HH:MM UTC", re.sub(r"\b\d+(\.\d)? (s|min)\b", "N s", text))


@contextmanager
def on_stage(
    folder: Path,
    *,
    http: bool = False,
    rates: bool = True,
    service: Service | None = None,
    environ: Mapping[str, str] | None = None,
) -> Iterator[Scene]:
    """A scene whose bot hears Slack by Socket Mode, or by signed HTTP. `rates`: whether Slack limits how often;
    `environ`: more variables of the bot's."""
    service, seed, port = service or make_service(folder), default_seed(), free_port()
    if http:
        seed = replace(seed, app=replace(seed.app, request_url=f"http://127.0.0.1:{port}/slack/events"))
    with Threaded(seed) as slack:
        slack.workspace.rates.on = rates
        env = {**slack.env, **(environ or {})}
        if http:
            del env["SLACK_APP_TOKEN"]
            env |= {"SLACK_SIGNING_SECRET": seed.app.signing_secret, "PORT": str(port)}
        scene = Scene(slack=slack, bot=Bot(data=folder / "data", config=service.config, env=env), service=service)
        try:
            scene.bot.start()
            scene.connected()
            yield scene
        finally:
            scene.bot.kill()


def read(message: Message) -> str:
    """A message as lines: rich text, small print, buttons in brackets; the plain text where it has no blocks."""
    lines: list[str] = []
    for block in message.get("blocks") or []:
        match block["type"]:
            case "rich_text":
                lines += [
                    "".join(e.get("text", f"<@{e.get('user_id', '')}>") for e in part["elements"])
                    for part in block["elements"]
                ]
            case "context":
                lines.append(" ".join(str(e.get("text")) for e in block["elements"]))
            case "actions":
                lines.append(" ".join(f"[{e['text']['text']}]" for e in block["elements"]))
            case "section":
                lines.append(str(block["text"]["text"]))
            case other:
                lines.append(json.dumps({other: block}))
    return "\n".join(lines or [str(message.get("text", ""))])
