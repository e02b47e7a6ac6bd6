"""A deploy walked without any engine: `decide`, `advance` and `fold` alone, with endings that the test chooses."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipelines.domain.advance import Action, Close, Expire, Hold, Recover, Start, Stop, advance
from pipelines.domain.closing import after_abort, close
from pipelines.domain.decide import decide
from pipelines.domain.deploy import Deploy
from pipelines.domain.events import (
    Closed,
    Event,
    Expired,
    Held,
    Planned,
    Progress,
    Recovering,
    Report,
    StepEnded,
    StepStarted,
    Then,
)
from pipelines.domain.fold import State, fold
from pipelines.domain.gates import Facts
from pipelines.domain.plan import Step, Verb
from pipelines.domain.planning import Ask
from pipelines.domain.reports import judge
from pipelines.domain.room import Room
from tests.support.domain import NOON, ask, facts

MOVES = (Start, Hold, Expire, Recover, Close)
Ending = Callable[[Step, int], Progress]


def well(_step: Step, _attempt: int) -> Progress:
    return Progress.OK


def failing(label: str, how: Progress = Progress.FAILED) -> Ending:
    """Everything goes well but the step with this label."""
    return lambda step, _attempt: how if step.label == label else Progress.OK


@dataclass
class Walk:
    """A room in a test: what was appended to it, and what was started in it."""

    facts: Facts = field(default_factory=facts)
    state: State = field(default_factory=lambda: State(room=Room(service="api", environment="staging")))
    events: list[Event] = field(default_factory=list)
    started: list[tuple[str, str, int]] = field(default_factory=list)
    stopped: list[tuple[str, int]] = field(default_factory=list)
    now: datetime = NOON
    installed: dict[str, str] = field(default_factory=dict)  # target to version, as `status` would say

    def append(self, events: Iterable[Event]) -> None:
        for event in events:
            self.events.append(event)
            self.state = fold(self.state, event, self.now, len(self.events))

    def ask(self, wish: Ask | None = None, some: Facts | None = None) -> object:
        """The decision; its events are appended."""
        decision = decide(wish or ask(), self.state, some or self.facts)
        if isinstance(decision, tuple):
            self.append(decision)
        return decision

    @property
    def deploy(self) -> Deploy:
        last = self.state.room.last
        assert last is not None
        return self.state.deploys[last]

    def act(self, deploy: str) -> tuple[Action, ...]:
        """One round of `advance`, entered in the journal."""
        actions = advance(self.state.deploys[deploy], self.state.room, self.now)
        for action in actions:
            self._enter(deploy, action)
        return actions

    def _enter(self, deploy: str, action: Action) -> None:
        match action:
            case Start(step=step, attempt=attempt):
                self.started.append((deploy, step.id, attempt))
                self.append([StepStarted(deploy=deploy, step=step.id, attempt=attempt)])
            case Stop(step=step_id, attempt=attempt):
                self.stopped.append((step_id, attempt))
            case Hold(step=step_id, since=since):
                self.append([Held(deploy=deploy, step=step_id, since=since)])
            case Expire():
                self.append([Expired(deploy=deploy)])
            case Recover(steps=steps):
                self.append([Recovering(deploy=deploy, steps=steps)])
            case Close(outcome=outcome, why=why):
                self.append(close(self.state, Closed(deploy=deploy, outcome=outcome, why=why), self.now, self._replan))

    def _replan(self, then: Then, state: State) -> Planned:
        return after_abort(then, state, self.facts)

    def end(self, deploy: str, step: Step, progress: Progress, detail: str = "", ended: datetime | None = None) -> None:
        """A going step ends, or ended at a moment before now; a `status` that is well reports the version of the
        plan."""
        going = self.state.deploys[deploy]
        run = going.runs[step.id]
        if step.verb is Verb.DEPLOY and progress is Progress.OK:
            self.installed[step.target] = going.plan.version
        said = self.installed.get(step.target, going.plan.version)
        report = Report(line=said) if step.verb is Verb.STATUS and progress is Progress.OK else None
        verdict = judge(step, going.plan, progress, detail, report)
        self.append(
            [
                StepEnded(
                    deploy=deploy,
                    step=step.id,
                    attempt=run.attempt,
                    progress=verdict.progress,
                    detail=verdict.detail or ("exited 1" if progress is Progress.FAILED else ""),
                    report=report,
                    ended=ended,
                )
            ]
        )

    def walk(self, ending: Ending = well, *, until: Callable[[Deploy], bool] = lambda _: False) -> Deploy:
        """Carry out the room's newest deploy until it is over, waits for somebody, or `until` says so."""
        deploy = self.deploy.id
        for _ in range(10_000):
            if until(self.state.deploys[deploy]) or self.state.deploys[deploy].outcome is not None:
                break
            actions = self.act(deploy)
            going = list(self.state.deploys[deploy].going())
            asked = set(self.stopped)
            ended = 0
            for step, run in going:
                if run.progress is Progress.UNSUPERVISED and (step.id, run.attempt) not in asked:
                    continue
                self.now += timedelta(seconds=1)
                ended += 1
                stopped = (step.id, run.attempt) in asked
                self.end(deploy, step, Progress.ABORTED if stopped else ending(step, run.attempt))
            if not ended and not any(isinstance(action, MOVES) for action in actions):
                break
        return self.state.deploys[deploy]
