"""A scene for stories: a workspace, a bot, and a service whose versions behave well, badly, slowly or not at all.

What is typed and what is shown, as a person would see it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bot.workspace.state import Message
from tests.support.process import Bot, until
from tests.support.service import Service
from tests.support.workspace import Threaded

INSTALL = """#!/bin/bash
set -e
echo "installing $VERSION on $TARGET"
{how}
mkdir -p "{world}/targets"
echo "$VERSION $COMMIT" > "{world}/targets/$TARGET"
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
    "v4.0": 'for i in $(seq 600); do [ -e "{world}/go" ] && break; sleep 0.05; done',
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

    def cards(self, channel: str | None = None) -> list[Message]:
        """The bot's messages in the channel itself, oldest first."""
        return [m for m in self.slack.workspace.messages(channel or self.channel) if "bot_id" in m]

    def card(self) -> str:
        """The newest message as a person reads it: its lines, then its buttons."""
        cards = self.cards()
        return read(cards[-1]) if cards else ""

    def shows(self, *texts: str, seconds: float = 30) -> str:
        """Wait until the newest message shows all of these."""
        until(lambda: all(t in self.card() for t in texts), seconds=seconds, what=f"{texts} in:\n{self.card()}")
        return self.card()

    def thread(self, number: int = -1) -> str:
        root = self.cards()[number]
        replies = self.slack.workspace.thread(self.channel, root["ts"])
        files = [self.slack.workspace.state.files[f]["content"] for m in replies for f in m.get("_files", [])]
        return "\n".join([*map(read, replies), *files])

    def in_thread(self, *texts: str, number: int = -1, seconds: float = 30) -> str:
        until(lambda: all(t in self.thread(number) for t in texts), seconds=seconds, what=f"{texts} in the thread")
        return self.thread(number)

    def whispered(self, person: str, *texts: str, seconds: float = 15) -> Message:
        """Wait until this person alone is told all of these; the message."""

        def fit() -> list[Message]:
            found = self.slack.workspace.whispers(person)
            return [m for m in found if all(t in read(m) for t in texts)]

        until(lambda: bool(fit()), seconds=seconds, what=f"{texts} to {person}: {self.whispers(person)}")
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

    def go(self) -> None:
        """Let v4.0 go on."""
        (self.service.folder / "go").touch()

    def hold(self) -> None:
        (self.service.folder / "go").unlink(missing_ok=True)

    def deploys(self, version: str, person: str = "ana", environment: str = "staging") -> None:
        """A deploy that goes well."""
        self.types(person, f"/deploy api {version} {environment}")
        self.shows(f"{version} is live in {environment}")

    def wait(self, condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
        until(condition, seconds=seconds, what=what)


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
