"""What must be true once everything has come to rest: nothing left to do, and everything that is shown is so.

What Slack shows is read from Slack's side, what should be shown is made from the journal's events alone.
"""

import json
import sqlite3
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from handlers.chat import clicks, grammar
from handlers.chat.deploy_card import deploy_card
from handlers.slack.blocks import action_of, card_message
from handlers.slack.thread_painter import sayings
from pipelines.domain.commands import Abort, Answer, Retry, Rollback
from pipelines.domain.commands import Deploy as Wanted
from pipelines.domain.deploy import Deploy
from pipelines.domain.fold import State, fold
from pipelines.domain.room import Room
from pipelines.storage import codec
from tests.simulation.host import Host
from tests.simulation.invariants import expect
from tests.simulation.people import Delivery, People
from tests.simulation.slack import SimulatedSlack
from tests.support.domain import NOON

OVERLAP = 5.0
COMMANDS = (Wanted, Rollback, Abort, Retry, Answer)
JOURNAL = "SELECT stream, seq, at, body FROM event WHERE stream != 'front' ORDER BY id"
OPEN_STEPS = "SELECT deploy || '/' || step || '.' || attempt, progress FROM step WHERE ended_at IS NULL"
OUTPUT = "SELECT deploy, step, attempt, data FROM output ORDER BY deploy, step, attempt, offset"
UNPAINTED = "SELECT id, seq, painted FROM deploy WHERE painted != seq"


@dataclass
class Rest:
    path: Path
    slack: SimulatedSlack
    host: Host
    people: People
    clock: Callable[[], datetime]

    def left(self) -> str | None:
        """What is still to be done, in words; None when nothing is."""
        with sqlite3.connect(self.path) as rows:
            undecided = rows.execute("SELECT id FROM ask WHERE decided_at IS NULL OR answered_at IS NULL").fetchall()
            unpainted = rows.execute(UNPAINTED).fetchall()
            open_steps = rows.execute(OPEN_STEPS).fetchall()
        rows.close()
        if undecided:
            return f"asks without a decision or an answer: {undecided}"
        deploys = self._deploys()
        for deploy in deploys.values():
            if deploy.outcome is None and deploy.lost() is None:
                return f"{deploy.id} is neither over nor asks: {dict(deploy.runs)}"
        waiting = {deploy.id for deploy in deploys.values() if deploy.outcome is None}
        if left := [row for row in unpainted if row[0] not in waiting]:
            return f"not painted to the end: {left}"
        alone = {run.name for run in self.host.alive() if run.deploy in waiting}
        if left := [name for name, progress in open_steps if progress != "unsupervised" or name not in alone]:
            return f"steps that nobody ended: {left}"
        if wrong := next((why for one in waiting if (why := self._wrong(deploys[one])) is not None), None):
            return wrong
        return None

    def judge(self) -> None:
        """Raises BrokenError."""
        deploys = self._deploys()
        self._snapshots(deploys)
        waiting = {deploy.id for deploy in deploys.values() if deploy.outcome is None}
        for run in self.host.alive():
            expect(run.deploy in waiting, f"{run.name} is alive, and its deploy waits for nobody")
        for deploy in deploys.values():
            wrong = self._wrong(deploy)
            expect(wrong is None, wrong or "")
        self._chains(deploys)
        self._kept()
        self._told()
        self._printed(deploys)

    def _deploys(self) -> dict[str, Deploy]:
        """Every deploy as the journal alone makes it."""
        states: dict[str, State] = {}
        with sqlite3.connect(self.path) as rows:
            for stream, seq, at, body in rows.execute(JOURNAL):
                service, environment = stream.split("/")
                state = states.get(stream) or State(room=Room(service=service, environment=environment))
                when = datetime.fromisoformat(at)
                states[stream] = fold(state, codec.load_event(body), when.replace(tzinfo=when.tzinfo or UTC), seq)
        rows.close()
        return {one.id: one for state in states.values() for one in state.deploys.values()}

    def _snapshots(self, deploys: dict[str, Deploy]) -> None:
        with sqlite3.connect(self.path) as rows:
            found = {deploy: codec.load(Deploy, body) for deploy, body in rows.execute("SELECT id, body FROM deploy")}
        rows.close()
        for name, deploy in deploys.items():
            expect(found.get(name) == deploy, f"the row of {name} is not what its events make it")
        expect(found.keys() == deploys.keys(), f"rows without events: {found.keys() - deploys.keys()}")

    def _cards(self, deploy: str, kind: str = "card") -> list[dict[str, Any]]:
        """The messages that say of themselves that they are this deploy's, oldest first."""
        found = []
        for channel in list(self.slack.state.kept.messages):
            for message in self.slack.state.in_channel(channel):
                marked = message.get("metadata", {}).get("event_payload", {})
                if marked.get("deploy") == deploy and kind in str(marked.get("kinds", "")).split(","):
                    found.append(message)
        return found

    def _wrong(self, deploy: Deploy) -> str | None:
        """What is wrong with what Slack shows of a deploy. Where somebody removed something, only that a deploy that
        went on afterwards has a message again."""
        if deploy.id in self.slack.removed:
            alone = deploy.id in self.slack.bereft and deploy.outcome is not None and deploy.retried_by is None
            return f"{deploy.id} has no message any more" if alone and not self._cards(deploy.id) else None
        shown, lost = self._cards(deploy.id), self.slack.lost[deploy.id]
        if self._posted_again(shown, lost):
            return f"{deploy.id} has {len(shown)} messages, and {lost} answers were lost"
        if not shown:
            return None if deploy.retried_by is not None else f"{deploy.id} has no message"
        card = card_message(deploy_card(deploy, self.clock()))
        wanted = json.loads(json.dumps({"text": card.text, "blocks": card.blocks}))
        false = [one["text"] for one in shown if {"text": one["text"], "blocks": one.get("blocks")} != wanted]
        if len(false) > lost or (len(false) == len(shown) and deploy.retried_by is None):
            return f"the message of {deploy.id} says {false[-1]!r}, and should {card.text!r}"
        return self._thread(deploy, lost)

    def _posted_again(self, messages: list[dict[str, Any]], lost: int) -> bool:
        """Whether something stands there twice without excuse: answers were lost, and what was posted first arrived too
        late to be found before it was posted again."""
        in_order = sorted(messages, key=_arrived)
        late = all(self.slack.sent[b["ts"]] < _arrived(a) + OVERLAP for a, b in pairwise(in_order))
        return len(messages) > 1 + lost or not late

    def _thread(self, deploy: Deploy, lost: int) -> str | None:
        if deploy.retried_by is not None and not self._cards(deploy.id):
            return None
        for said in sayings(deploy):
            messages = self._cards(deploy.id, said.kind)
            times = len(messages)
            if times == 0:
                return f"the thread of {deploy.id} does not say {said.line!r}"
            if self._posted_again(messages, lost):
                return f"the thread of {deploy.id} says {said.line!r} {times} times"
        return None

    def _chains(self, deploys: dict[str, Deploy]) -> None:
        """Of a deploy that was tried again at least the last attempt has a message."""
        for deploy in deploys.values():
            if deploy.retried_by is None and deploy.id not in self.slack.removed:
                expect(bool(self._cards(deploy.id)), f"{deploy.id} has no message")

    def _kept(self) -> None:
        """What was acknowledged and asks for something is an ask."""
        with sqlite3.connect(self.path) as rows:
            keys = {row[0] for row in rows.execute("SELECT key FROM ask")}
        rows.close()
        for delivery in self.people.deliveries:
            if delivery.acked and _asks(delivery):
                expect(delivery.key in keys, f"{delivery.key} was acknowledged and is no ask")

    def _told(self) -> None:
        """Whoever was refused was told something, as often."""
        refused: Counter[str] = Counter()
        with sqlite3.connect(self.path) as rows:
            for outcome, body in rows.execute("SELECT outcome, body FROM ask"):
                if json.loads(outcome)["kind"] == "refused":
                    refused[json.loads(body)["by"]["slack"]] += 1
        rows.close()
        for user, times in refused.items():
            direct = [one for one in self.slack.state.in_channel(f"D{user}") if "bot_id" in one]
            told = len([one for one in self.slack.state.ephemerals if one["_for"] == user]) + len(direct)
            expect(told >= times, f"{user} was refused {times} times and told {told} times")

    def _printed(self, deploys: dict[str, Deploy]) -> None:
        """All that scripts printed is kept, byte for byte."""
        with sqlite3.connect(self.path) as rows:
            kept: dict[str, bytes] = defaultdict(bytes)
            for deploy, step, attempt, data in rows.execute(OUTPUT):
                kept[f"{deploy}/{step}.{attempt}"] += zlib.decompress(data)
        rows.close()
        for run in self.host.runs:
            out = run.folder / "out"
            if run.deploy in deploys and out.exists():
                expect(
                    kept[run.name] == out.read_bytes(),
                    f"{run.name} printed {out.read_bytes()!r}, kept is {kept[run.name]!r}",
                )


def _arrived(message: dict[str, Any]) -> float:
    """In seconds of simulated time."""
    return float(message["ts"]) - NOON.timestamp()


def _asks(delivery: Delivery) -> bool:
    if delivery.kind == "command":
        return isinstance(grammar.parse(delivery.body["text"]), COMMANDS)
    action = delivery.body["actions"][0]
    wanted = clicks.command_of(action_of(action["action_id"]), action["value"])
    return isinstance(grammar.parse(wanted) if isinstance(wanted, str) else wanted, COMMANDS)
