"""Cards as lines for a terminal: no colours, and buttons as the words that do the same."""

from datetime import datetime

from handlers.chat.answers import accepted_card
from handlers.chat.card import Card
from handlers.chat.times import between, clock
from pipelines.domain.deploy import Deploy
from pipelines.domain.events import Held, Progress
from pipelines.domain.refusals import Accepted


def lines(card: Card) -> list[str]:
    head = " · ".join((card.title, *card.facts))
    buttons = [f"  [{button.label}] {button.say}" for button in card.buttons if button.say]
    return [head, *(f"  {line}" for text in card.lines for line in text.splitlines()), *buttons, *_notes(card)]


def _notes(card: Card) -> list[str]:
    return [f"  ({note})" for note in card.notes]


def refusal(card: Card) -> list[str]:
    """A refusal's reasons at the margin, then the words that lead on."""
    texts = [line for text in (card.title, *card.lines) for line in text.splitlines()]
    return [*texts, *(f"  [{button.label}] {button.say}" for button in card.buttons)]


def accepted(it: Accepted, deploy: Deploy | None, *, has_slack: bool) -> list[str]:
    said = [accepted_card(it, deploy).title]
    if has_slack and deploy is not None and deploy.place.channel is None:
        said.append("There is no Slack message: the service has no `channel`. Follow it here with --wait.")
    return said


def progress(deploy: Deploy) -> list[str]:
    """A line for each thing that happened so far; later ones are added, none ever changes."""
    told: list[tuple[datetime, str]] = []
    for step in deploy.steps:
        run = deploy.runs.get(step.id)
        if run is None or run.ended is None:
            continue
        took = between(run.started, run.ended)
        mark = "✓" if run.progress is Progress.OK else "✗"
        told.append((run.ended, f"{mark} {step.label} {run.detail}".rstrip() + f" ({took})"))
    return [line for _, line in sorted(told, key=lambda pair: pair[0])]


def question(deploy: Deploy) -> list[str]:
    """What a person must answer, with the words that answer it; nothing when nothing is asked."""
    room = f"{deploy.plan.service} {deploy.plan.environment}"
    lost = deploy.lost()
    if lost is None:
        return _late(deploy, deploy.held, room) if deploy.held is not None and deploy.outcome is None else []
    step, run = lost
    if run.progress is Progress.LOST:
        return [
            f"? Nobody knows how {step.label} ended. Look, then say one of:",
            f"    run again {room}",
            f"    it worked {room}",
            f"    rollback {room} now",
        ]
    return [
        f"? The script of {step.label} runs on without its supervisor. Say one of:",
        f"    wait {room}",
        f"    stop it {room}",
        f"    rollback {room} now",
    ]


def _late(deploy: Deploy, held: Held, room: str) -> list[str]:
    label = deploy.step(held.step).label
    return [
        f"? Shipmate was away at {clock(held.since)}, when {label} could have begun. Say one of:",
        f"    go on {room}",
        f"    rollback {room} now",
        f"    abort {room}",
    ]
