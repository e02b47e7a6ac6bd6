"""A deploy as spans: one for itself, one for each attempt of its steps, with the times at which it really was. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pipelines.domain.deploy import Deploy
from pipelines.domain.events import Closed, Event, Outcome, Progress, StepEnded, StepStarted


@dataclass(frozen=True, kw_only=True)
class Span:
    name: str
    start: datetime
    end: datetime
    good: bool
    facts: Mapping[str, str | int]


def spans(deploy: Deploy, journal: Iterable[tuple[datetime, Event]]) -> list[Span]:
    """The deploy's own span first. `journal` is what it says of this deploy, in order, to its end."""
    whole: list[Span] = []
    steps: list[Span] = []
    begun: dict[tuple[str, int], datetime] = {}
    for at, event in journal:
        match event:
            case StepStarted():
                begun[event.step, event.attempt] = at
            case StepEnded(progress=progress) if progress is not Progress.UNSUPERVISED:
                start = begun.get((event.step, event.attempt), at)
                steps.append(_step(deploy, event, start, max(start, event.ended or at)))
            case Closed():
                whole.append(_whole(deploy, event, at))
            case _:
                continue
    return whole + steps


def _whole(deploy: Deploy, closed: Closed, at: datetime) -> Span:
    plan = deploy.plan
    facts: dict[str, str | int] = {
        "shipmate.deploy": deploy.id,
        "shipmate.service": plan.service,
        "shipmate.environment": plan.environment,
        "shipmate.version": plan.version,
        "shipmate.commit": plan.commit,
        "shipmate.by": deploy.by.name,
        "shipmate.outcome": closed.outcome.value,
        "shipmate.fence": deploy.fence,
    }
    return Span(name=deploy.purpose, start=deploy.at, end=at, good=closed.outcome is Outcome.LIVE, facts=facts)


def _step(deploy: Deploy, ended: StepEnded, start: datetime, end: datetime) -> Span:
    step = deploy.step(ended.step)
    facts: dict[str, str | int] = {
        "shipmate.step": step.id,
        "shipmate.verb": step.verb.value,
        "shipmate.target": step.target,
        "shipmate.attempt": ended.attempt,
        "shipmate.outcome": ended.progress.value,
    }
    return Span(name=step.label, start=start, end=end, good=ended.progress is Progress.OK, facts=facts)
