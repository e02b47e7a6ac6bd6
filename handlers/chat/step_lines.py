"""The step lines of a running deploy: what is done, what runs, what comes; never more than a dozen."""

from dataclasses import dataclass
from datetime import datetime

from handlers.chat.times import span
from pipelines.domain.deploy import Deploy, StepRun
from pipelines.domain.events import Progress
from pipelines.domain.plan import Step

LINES = 12
DONE_SHOWN = 5
MARKS = {
    Progress.OK: "✓",
    Progress.RUNNING: "▸",
    Progress.UNSUPERVISED: "▸",
    Progress.LOST: "?",
    Progress.FAILED: "✗",
    Progress.TIMED_OUT: "✗",
    Progress.ABORTED: "✗",
    Progress.MISSED: "○",
}


@dataclass(frozen=True, kw_only=True)
class Line:
    """One or more steps of the same label that follow each other, such as the checks on one target."""

    label: str
    runs: tuple[StepRun | None, ...]

    @property
    def mark(self) -> str:
        marks = [MARKS[run.progress] if run else "○" for run in self.runs]
        for mark in ("✗", "?", "▸"):
            if mark in marks:
                return mark
        return "✓" if set(marks) == {"✓"} else ("▸" if "✓" in marks else "○")

    @property
    def seconds(self) -> float:
        return sum(_seconds(run) for run in self.runs if run is not None)

    def shown(self) -> str:
        told = (run for run in self.runs if run and run.detail and (self.mark in "✗?" or run.ended is None))
        detail = next((run.detail for run in told), "")
        took = span(self.seconds) if self.mark == "✓" else ""
        return "  ".join(part for part in (f"{self.mark} {self.label}", took, detail) if part)


def _seconds(run: StepRun) -> float:
    end: datetime = run.ended or run.started
    return (end - run.started).total_seconds()


def step_lines(deploy: Deploy) -> tuple[str, ...]:
    lines = _merged(deploy.steps, deploy)
    done = [line for line in lines if line.mark == "✓"]
    rest = [line for line in lines if line.mark != "✓"]
    if len(lines) <= LINES:
        return tuple(line.shown() for line in lines)
    shown = [f"✓ {len(done) - DONE_SHOWN} more done"] if len(done) > DONE_SHOWN else []
    shown += [line.shown() for line in done[-DONE_SHOWN:]]
    room = LINES - len(shown)
    shown += [line.shown() for line in rest[:room]]
    if len(rest) > room:
        shown.append(f"○ {len(rest) - room} more to come")
    return tuple(shown)


def _merged(steps: tuple[Step, ...], deploy: Deploy) -> list[Line]:
    lines: list[Line] = []
    for step in steps:
        run = deploy.runs.get(step.id)
        if lines and lines[-1].label == step.label:
            lines[-1] = Line(label=step.label, runs=(*lines[-1].runs, run))
        else:
            lines.append(Line(label=step.label, runs=(run,)))
    return lines
