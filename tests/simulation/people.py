"""The people of the simulation: they type, and click what they see or once saw; Slack tells the bot, now and then
twice."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bot.workspace import payloads, used
from bot.workspace.content import shown
from bot.workspace.seed import User
from tests.simulation.agenda import Agenda
from tests.simulation.chance import Chance, Mix
from tests.simulation.slack import ADDRESS, Shown, SimulatedSlack
from tests.simulation.source import VERSIONS

PEOPLE = {"ana": 5.0, "raj": 4.0, "mia": 2.0, "gus": 0.3}
ROOMS = {"api staging": 8.0, "api production": 1.0, "web staging": 1.0}
SENSE = 0.75
LETS_RUN = 0.4
ONCE_MORE = 0.15  # the button that was clicked before, as it stood there
DEPLOY = "{service} {version} {environment}"
FREE = {DEPLOY: 5.0, "rollback {room}": 2.0, "rollback {room} to {version}": 1.0, "retry {room}": 2.0}
BUSY = {"abort {room}": 3.0, "abort": 1.0, "rollback {room} now": 3.0, "rollback {room}": 1.0, DEPLOY: 1.0}
ANSWERS = {
    "run again {room}": 3.0,
    "it worked {room}": 3.0,
    "wait {room}": 1.0,
    "stop it {room}": 2.0,
    "rollback {room} now": 1.0,
    "abort {room}": 1.0,
}
ODD = {
    "{service} latest {environment} because it is time": 1.0,
    "{service} {version} {environment} force": 1.0,
    "{service} previous {environment}": 1.0,
    "{service} v9.9 {environment}": 0.5,
}
ANYTHING = FREE | BUSY | ANSWERS | ODD
SLACK_REPEATS = 4


@dataclass(kw_only=True)
class Delivery:
    """What Slack tells the bot, under one key, until it is acknowledged."""

    key: str
    kind: str
    body: dict[str, Any]
    told: int = 0
    acked: bool = False


@dataclass
class People:
    """`tell` hands a delivery to the bot, where there is one."""

    agenda: Agenda
    chance: Chance
    mix: Mix
    slack: SimulatedSlack
    tell: Callable[[Delivery], None]
    note: Callable[[str], None]
    deliveries: list[Delivery] = field(default_factory=list)
    _clicked: tuple[Shown, str, dict[str, Any]] | None = None

    def deploy(self) -> None:
        self._command(self._somebody(), f"api {self.chance.one_of(VERSIONS)} staging")

    def act(self) -> None:
        """Somebody does something."""
        if self._sees("Deploying", "Rolling") and self.chance.likely(LETS_RUN):
            return
        if self._clicked is not None and self.chance.likely(ONCE_MORE):
            self._press(*self._clicked)
        elif self.slack.shown and self.chance.likely(self.mix.clicks):
            self._click(self._message())
        else:
            self._type()

    def _sees(self, *beginnings: str) -> bool:
        """Whether the newest message begins so."""
        return bool(self.slack.shown) and str(self.slack.shown[-1].message["text"]).startswith(beginnings)

    def _somebody(self) -> User:
        user = self.slack.state.user(self.chance.weighted(PEOPLE))
        assert user is not None
        return user

    def _type(self) -> None:
        room = self.chance.weighted(ROOMS)
        version = self.chance.one_of(VERSIONS)
        said = self.chance.weighted(self._sensible() if self.chance.likely(SENSE) else ANYTHING)
        service, environment = room.split()
        text = said.format(room=room, service=service, version=version, environment=environment)
        self._command(self._somebody(), text)

    def _sensible(self) -> dict[str, float]:
        """What somebody says who looked at the newest message."""
        if self.slack.shown and "needs an answer" in self.slack.shown[-1].message["text"]:
            return ANSWERS
        return BUSY if self._sees("Deploying", "Rolling") else FREE

    def _command(self, user: User, text: str) -> None:
        channel = self.slack.state.channel("#deploys" if self.chance.likely(0.8) else "#general")
        assert channel is not None
        trigger = f"t{len(self.deliveries)}"
        body = payloads.slash(
            self.slack.seed,
            user,
            channel,
            "/deploy",
            text,
            trigger=trigger,
            response_url=self.slack.address(channel, user),
        )
        self.note(f"{user.name:10} types {text!r} in {channel.name} ({trigger})")
        self._deliver(Delivery(key=f"slack-command-{trigger}", kind="command", body=body))

    def _message(self) -> Shown:
        """A message as it is, or as it once was."""
        seen = self.slack.shown[-12:]
        found = self.chance.one_of(seen)
        if self.chance.likely(self.mix.stale):
            return found
        latest = [one for one in seen if one.message["ts"] == found.message["ts"]]
        return latest[-1]

    def _click(self, seen: Shown) -> None:
        buttons = [pair for pair in used.elements(seen.message.get("blocks")) if pair[1]["type"] == "button"]
        self._clicked = (seen, *self.chance.one_of(buttons))
        self._press(*self._clicked)

    def _press(self, seen: Shown, block: str, button: dict[str, Any]) -> None:
        user = seen.only or self._somebody()
        trigger = f"t{len(self.deliveries)}"
        body = payloads.click(
            self.slack.seed,
            user,
            seen.channel,
            shown(self.slack.state, seen.message, ADDRESS),
            used.described(button, block, {}),
            values={},
            ephemeral=seen.only is not None,
            trigger=trigger,
            response_url=self.slack.address(seen.channel, user, seen.message),
        )
        self.note(f"{user.name:10} clicks {button['text']['text']!r} of {seen.message['text'][:60]!r} ({trigger})")
        self._deliver(Delivery(key=f"slack-click-{trigger}", kind="click", body=body))

    def _deliver(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)
        self.agenda.after(self.chance.between(0.01, 0.3), partial(self._told, delivery))
        if self.chance.likely(self.mix.again):
            late = self.chance.between(0.0, 2.0) if self.chance.likely(0.7) else self.chance.between(2.0, 60.0)
            self.agenda.after(late, partial(self._told, delivery))

    def _told(self, delivery: Delivery) -> None:
        delivery.told += 1
        self.tell(delivery)
        if delivery.told <= SLACK_REPEATS:
            self.agenda.after(4.0, partial(self._again, delivery))

    def _again(self, delivery: Delivery) -> None:
        """What was not acknowledged comes again."""
        if not delivery.acked and delivery.told <= SLACK_REPEATS:
            self._told(delivery)
