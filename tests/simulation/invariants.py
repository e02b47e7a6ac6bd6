"""What must hold after every single transaction, read from the rows alone: JSON and SQL, no code of the product.

The letters are those of the list of invariants in the design; `Broken` says which one does not hold, and how."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Body = dict[str, Any]

EVENTS = "SELECT id, stream, seq, kind, body FROM event WHERE id > ? ORDER BY id"
DEPLOYS = "SELECT id, room, state, seq, body FROM deploy"
ASKS = "SELECT id, key, decided_at, outcome, answered_at FROM ask"
OPEN = "SELECT deploy FROM simulated_workflow WHERE state = 'open'"
OPEN_ENDS = ("failed", "timed_out", "aborted", "ok", "lost")
HARMLESS = ("refused", "asked", "misread")


class BrokenError(Exception):
    """An invariant that does not hold."""


@dataclass
class Attempt:
    number: int
    progress: str = "running"
    answer: str = ""


@dataclass
class Known:
    """A deploy as its events made it."""

    room: str
    plan: Body
    fence: int
    closed: str | None = None
    steps: dict[str, Body] = field(default_factory=dict)
    attempts: dict[str, list[Attempt]] = field(default_factory=lambda: defaultdict(list))


class Invariants:
    """`look` after anything may have been committed. `alive` names the deploys whose scripts are alive; `note` is told
    of each event."""

    def __init__(self, path: Path, *, alive: Callable[[], set[str]], note: Callable[[str], None]) -> None:
        self._rows = sqlite3.connect(path, isolation_level=None)
        self._alive = alive
        self._note = note
        self._version = -1
        self._last = 0
        self._seqs: dict[str, int] = {}
        self._running: dict[str, str] = {}
        self._fences: dict[str, int] = {}
        self._newest: dict[str, str] = {}
        self._good: dict[str, set[str]] = defaultdict(set)
        self._keys: set[str] = set()
        self._asks: set[str] = set()
        self._buttons: dict[tuple[str, str], str] = {}
        self._snapshots: dict[str, tuple[int, str]] = {}
        self._outcomes: dict[str, str] = {}
        self.deploys: dict[str, Known] = {}

    def close(self) -> None:
        self._rows.close()

    def look(self) -> None:
        """Raises BrokenError."""
        version = self._rows.execute("PRAGMA data_version").fetchone()[0]
        if version == self._version:
            return
        self._version = version
        touched: dict[str, int] = {}
        for number, stream, seq, kind, text in self._rows.execute(EVENTS, (self._last,)).fetchall():
            self._last = number
            self._event(stream, seq, kind, json.loads(text), touched)
        self._snapshots_follow(touched)
        self._asks_are_decided_once()

    def _event(self, stream: str, seq: int, kind: str, body: Body, touched: dict[str, int]) -> None:
        deploy = str(body.get("deploy", ""))
        more = " ".join(
            str(body[name]) for name in ("step", "attempt", "progress", "choice", "outcome") if name in body
        )
        self._note(f"journal    {stream}#{seq} {kind} {deploy} {more}".rstrip())
        expect(seq == self._seqs.get(stream, 0) + 1, f"{stream} has a gap before {seq}")
        self._seqs[stream] = seq
        if deploy:
            touched[deploy] = seq
        if (button := body.get("button")) and kind not in HARMLESS:
            self._pressed(button["deploy"], button["action"], seq)
            touched[button["deploy"]] = seq
        handle = getattr(self, f"_{kind}", None)
        if handle is not None:
            handle(stream, seq, body, touched)

    def _pressed(self, deploy: str, action: str, seq: int) -> None:
        before = self._buttons.get((deploy, action))
        expect(before is None, f"the button {action} of {deploy} had its effect twice: {before} and {seq}")
        self._buttons[deploy, action] = str(seq)

    def _asked(self, _stream: str, _seq: int, body: Body, _touched: dict[str, int]) -> None:
        expect(body["key"] not in self._keys, f"the key {body['key']} was asked twice")
        self._keys.add(body["key"])

    def _found(self, room: str, _seq: int, body: Body, _touched: dict[str, int]) -> None:
        for report in body["reports"].values():
            if report["commit"]:
                self._good[room].add(report["commit"])

    def _planned(self, room: str, seq: int, body: Body, touched: dict[str, int]) -> None:
        plan, deploy = body["plan"], body["deploy"]
        expect(room not in self._running, f"{deploy} begins in {room} while {self._running.get(room)} runs")
        expect(body["fence"] > self._fences.get(room, 0), f"the fence of {room} does not rise: {body['fence']}")
        expect(body["ask"] not in self._asks, f"the ask {body['ask']} made two deploys")
        if body["purpose"] == "rollback" and not body["retry_of"]:
            expect(
                plan["commit"] in self._good[room], f"{deploy} rolls back to {plan['version']}, never good in {room}"
            )
        expect(deploy not in self.deploys, f"{deploy} is planned twice")
        expect(deploy in self._enqueued(), f"{deploy} is planned, and its workflow is not enqueued with it")
        followed = body["retry_of"] or self._newest.get(room)
        if followed:
            touched[followed] = seq
        self._newest[room] = deploy
        self._running[room] = deploy
        self._fences[room] = body["fence"]
        self._asks.add(body["ask"])
        steps = {step["id"]: step for step in plan["steps"]}
        self.deploys[deploy] = Known(room=room, plan=plan, fence=body["fence"], steps=steps)

    def _enqueued(self) -> set[str]:
        return {row[0] for row in self._rows.execute(OPEN)}

    def _going(self, body: Body) -> Known:
        known = self.deploys[body["deploy"]]
        expect(known.closed is None, f"{body['kind']} of {body['deploy']} after its end")
        return known

    def _recovering(self, _room: str, _seq: int, body: Body, _touched: dict[str, int]) -> None:
        self._going(body).steps.update({step["id"]: step for step in body["steps"]})

    def _abort_asked(self, _room: str, _seq: int, body: Body, _touched: dict[str, int]) -> None:
        self._going(body)

    def _expired(self, _room: str, _seq: int, body: Body, _touched: dict[str, int]) -> None:
        self._going(body)

    def _step_started(self, _room: str, _seq: int, body: Body, _touched: dict[str, int]) -> None:
        known, step = self._going(body), body["step"]
        attempts = known.attempts[step]
        name = f"{body['deploy']} {step} {body['attempt']}"
        expect(body["attempt"] == len(attempts) + 1, f"{name} is started, and attempt {len(attempts)} was the last")
        if attempts:
            self._may_begin_again(name, known.steps[step], attempts[-1])
        claimed = self._rows.execute(
            "SELECT count(*) FROM step WHERE deploy = ? AND step = ? AND attempt = ?",
            (body["deploy"], step, body["attempt"]),
        ).fetchone()[0]
        expect(claimed == 1, f"{name} is started without a claim in the same transaction")
        attempts.append(Attempt(body["attempt"]))

    def _may_begin_again(self, name: str, step: Body, before: Attempt) -> None:
        match before.progress:
            case "failed" | "timed_out":
                expect(before.number <= step["retries"], f"{name} is one try too many")
            case "lost":
                asked = before.answer == "again" or step["on_lost"] == "rerun"
                expect(asked, f"{name} is run again by itself, and nobody knows how it ended before")
            case _:
                raise BrokenError(f"{name} begins while the attempt before it is {before.progress}")

    def _step_ended(self, _room: str, _seq: int, body: Body, _touched: dict[str, int]) -> None:
        known = self._going(body)
        attempts = known.attempts[body["step"]]
        name = f"{body['deploy']} {body['step']} {body['attempt']}"
        expect(bool(attempts) and attempts[-1].number == body["attempt"], f"{name} ends, and was not the last begun")
        expect(
            attempts[-1].progress not in OPEN_ENDS, f"{name} ends twice: {attempts[-1].progress}, {body['progress']}"
        )
        attempts[-1].progress, attempts[-1].answer = body["progress"], ""

    def _step_answered(self, _room: str, _seq: int, body: Body, _touched: dict[str, int]) -> None:
        attempt = self._going(body).attempts[body["step"]][-1]
        name = f"{body['deploy']} {body['step']}"
        expect(attempt.progress in ("lost", "unsupervised"), f"{name} is answered for while it is {attempt.progress}")
        twice = attempt.answer and (attempt.answer, body["choice"]) != (
            "again",
            "worked",
        )  # it fails before it is again
        expect(not twice, f"{name} is answered for twice: {attempt.answer}, {body['choice']}")
        attempt.answer = body["choice"]
        if body["choice"] == "worked":
            attempt.progress = "ok"

    def _closed(self, room: str, _seq: int, body: Body, _touched: dict[str, int]) -> None:
        known, deploy = self._going(body), body["deploy"]
        expect(self._running.get(room) == deploy, f"{deploy} closes in {room}, where it does not run")
        expect(deploy not in self._alive(), f"a script of {deploy} is alive when it closes")
        known.closed = body["outcome"]
        del self._running[room]
        if body["outcome"] == "live":
            self._good[room].add(known.plan["commit"])

    def _snapshots_follow(self, touched: dict[str, int]) -> None:
        for deploy, room, state, seq, body in self._rows.execute(DEPLOYS):
            before = self._snapshots.get(deploy)
            if before == (seq, body):
                continue
            self._snapshots[deploy] = (seq, body)
            expect(deploy in touched, f"{deploy} changed without an event in the same transaction")
            expect(seq == touched[deploy], f"{deploy} says event {seq}, and {touched[deploy]} was its last")
            closed = self.deploys[deploy].closed
            expect(state == (closed or "running"), f"{deploy} is {state} in its row and {closed} in the journal")
            said = json.loads(self._rows.execute("SELECT body FROM stream WHERE name = ?", (room,)).fetchone()[0])
            expect(said["running"] == self._running.get(room), f"{room} says that {said['running']} runs")
            expect(said["fence"] == self._fences[room], f"{room} says fence {said['fence']}")

    def _asks_are_decided_once(self) -> None:
        for ask, key, decided, outcome, answered in self._rows.execute(ASKS):
            expect(key in self._keys, f"the ask {ask} has no event")
            before = self._outcomes.get(ask, "")
            expect(not before or outcome == before, f"the ask {ask} was decided twice")
            expect(bool(outcome) == (decided is not None), f"the ask {ask} has half a decision")
            expect(answered is None or bool(outcome), f"the ask {ask} was answered before it was decided")
            self._outcomes[ask] = outcome

    def may_run(self, deploy: str, step: str, attempt: int, fence: int) -> None:
        """A script of a deploy begins on the host. Raises BrokenError where it must not."""
        known = self.deploys.get(deploy)
        name = f"the script of {deploy} {step} {attempt}"
        expect(known is not None, f"{name} begins, and no such deploy was planned")
        assert known is not None
        expect(known.closed is None, f"{name} begins after its deploy was over")
        expect(self._running.get(known.room) == deploy, f"{name} begins while {self._running.get(known.room)} runs")
        expect(fence == self._fences[known.room], f"{name} has fence {fence}, the room {self._fences[known.room]}")
        begun = known.attempts[step]
        expect(bool(begun) and begun[-1].number == attempt, f"{name} begins, and the journal does not say so")


def expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise BrokenError(otherwise)
