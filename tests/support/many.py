"""A service with as many rooms as a test wants, and a version that waits in each of them until it may go on."""

import os
from dataclasses import dataclass
from pathlib import Path

from tests.support.process import Bot, until
from tests.support.service import Service


@dataclass
class Many:
    """`begin` deploys to every room; the script of each waits for the file `go`."""

    service: Service
    rooms: tuple[str, ...]

    @classmethod
    def made(cls, folder: Path, rooms: int, *, channel: str | None = None) -> "Many":
        service = Service(folder=folder, targets=("one",), channel=channel)
        wait = f'until [ -e "{folder}/go" -o -e "{folder}/go-$DEPLOY_ID" ]; do sleep 0.1; done'
        after = service.script("after")
        files = {"deploy/install.sh": service.script("install", wait), "deploy/after.sh": after}
        service.commit({**files, "deploy.yml": "deploy: deploy/install.sh\nafter: [deploy/after.sh]\n"}, tag="v1.0")
        names = tuple(f"room-{number}" for number in range(rooms))
        service.configure(**{name: {} for name in names})
        return cls(service=service, rooms=names)

    def begin(self, bot: Bot) -> None:
        for room in self.rooms:
            said = bot.say(f"api v1.0 {room}")
            assert said.status == 0, said.text
        until(lambda: len(self.service.entries()) == len(self.rooms), what="every room's script")

    def pids(self) -> list[int]:
        """The scripts that have begun."""
        return [int(entry[6]) for entry in self.service.entries() if entry[:2] == ["start", "install"]]

    def let_go(self, deploy: str) -> None:
        """Let one of them go on."""
        (self.service.folder / f"go-{deploy}").touch()

    def go(self) -> None:
        (self.service.folder / "go").touch()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
