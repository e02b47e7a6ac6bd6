"""Cards as lines for a terminal: no colours, and buttons as the words that do the same."""

from collections.abc import Iterable
from datetime import datetime

from handlers.chat.answers import accepted_card
from handlers.chat.asking import asked
from handlers.chat.card import Card
from handlers.chat.deploy_card import stumble
from handlers.chat.seen import visible
from handlers.chat.times import between
from pipelines.domain.deploy import Deploy, StepRun
from pipelines.domain.events import Progress
from pipelines.domain.plan import Step
from pipelines.domain.refusals import Accepted

PRINTED = 10  # lines of a step that failed


def lines(card: Card) -> list[str]:
    head = " · ".join((card.title, *card.facts))
    buttons = [f"  [{button.label}] {button.say}" for button in card.buttons if button.say]
    said = [head, *(f"  {line}" for text in card.lines for line in text.splitlines()), *buttons, *_notes(card)]
    return [visible(line) for line in said]


def _notes(card: Card) -> list[str]:
    return [f"  ({note})" for note in card.notes]


def refusal(card: Card) -> list[str]:
    """A refusal's reasons at the margin, then the words that lead on."""
    texts = [line for text in (card.title, *card.lines) for line in text.splitlines()]
    said = [*texts, *(f"  [{button.label}] {button.say}" for button in card.buttons)]
    return [visible(line) for line in said]


def broken(number: str, *, begun: bool) -> list[str]:
    """An error of Shipmate itself; `begun`: something may have been begun."""
    if not begun:
        return [f"Something in Shipmate itself broke, and nothing was started. Its log has it under {number}."]
    return [
        f"Something in Shipmate itself broke, and nobody can tell here what was begun. Its log has it under {number}.",
        "What was begun goes on; look with: shipmate say status",
    ]


def accepted(it: Accepted, deploy: Deploy | None, *, has_slack: bool) -> list[str]:
    said = [visible(accepted_card(it, deploy).title)]
    if has_slack and deploy is not None and deploy.place.channel is None:
        said.append("There is no Slack message: the service has no `channel`. Follow it here with --wait.")
    return said


def progress(deploy: Deploy) -> dict[str, list[str]]:
    """A line for each thing that happened so far, in order, by a key of its own."""
    told: list[tuple[datetime, str, str]] = []
    for step in deploy.steps:
        run = deploy.runs.get(step.id)
        if run is None or run.ended is None:
            continue
        took = between(run.started, run.ended)
        mark = {Progress.OK: "✓", Progress.LOST: "?"}.get(run.progress, "✗")
        key = _key(step, run)
        told.append((run.ended, key, f"{mark} {step.label} {run.detail}".rstrip() + f" ({took})"))
    return {key: [visible(line)] for _, key, line in sorted(told, key=lambda entry: entry[:2])}


def broken_off(deploy: Deploy) -> dict[str, tuple[str, int]]:
    """The step and attempt of each run that did not end well, by the key of its line."""
    return {
        _key(step, run): (step.id, run.attempt)
        for step in deploy.steps
        if (run := deploy.runs.get(step.id)) is not None and run.progress in (Progress.FAILED, Progress.TIMED_OUT)
    }


def printed(pieces: Iterable[bytes]) -> list[str]:
    """The last lines of a step's output."""
    text = b"".join(pieces).decode(errors="replace")
    return [visible(f"    | {line}") for line in text.splitlines()[-PRINTED:]]


def _key(step: Step, run: StepRun) -> str:
    return f"{step.id}.{run.attempt}.{run.progress.value}"


def question(deploy: Deploy) -> dict[str, list[str]]:
    """What a person must answer, with the words that answer it, by a key of its own; empty when nothing is asked."""
    if deploy.stumbled and deploy.outcome is None:
        return {f"stumbled.{deploy.stumbled}": [f"! {stumble(deploy)}"]}
    question = asked(deploy)
    if question is None:
        return {}
    said = [f"? {question.sentence}", *question.notes, "Say one of:", *(f"    {b.say}" for b in question.buttons)]
    return {f"question.{question.key}": [visible(line) for line in said]}
