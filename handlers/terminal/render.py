"""Cards as lines for a terminal: no colours, and buttons as the words that do the same."""

from datetime import datetime

from handlers.chat.answers import accepted_card, misread_card, refusal_card
from handlers.chat.card import Card
from handlers.chat.deploy_card import stumble
from handlers.chat.grammar import Misread
from handlers.chat.times import between
from pipelines.domain.deploy import Deploy
from pipelines.domain.events import Progress
from pipelines.domain.refusals import Accepted, Refusal


def lines(card: Card) -> list[str]:
    head = " · ".join((card.title, *card.facts))
    buttons = [f"  [{button.label}] {button.say}" for button in card.buttons if button.say]
    return [head, *(f"  {line}" for text in card.lines for line in text.splitlines()), *buttons, *_notes(card)]


def _notes(card: Card) -> list[str]:
    return [f"  ({note})" for note in card.notes]


def misread(it: Misread) -> list[str]:
    return lines(misread_card(it))


def refusal(it: Refusal, now: datetime) -> list[str]:
    card = refusal_card(it, now)
    texts = [line for text in (card.title, *card.lines) for line in text.splitlines()]
    return [*texts, *(f"  [{button.label}] {button.say}" for button in card.buttons)]


def broken(number: str, *, begun: bool) -> list[str]:
    """An error of Shipmate itself; `begun`: something may have been begun."""
    if not begun:
        return [f"Something in Shipmate itself broke, and nothing was started. Its log has it under {number}."]
    return [
        f"Something in Shipmate itself broke, and nobody can tell here what was begun. Its log has it under {number}.",
        "What was begun goes on; look with: shipmate say status",
    ]


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
    """What a person must know now, or answer, with the words that answer it; nothing when nothing is asked."""
    if deploy.stumbled and deploy.outcome is None:
        return [f"! {stumble(deploy)}"]
    lost = deploy.lost()
    if lost is None or deploy.abort is not None or deploy.outcome is not None:
        return []
    step, run = lost
    room = f"{deploy.plan.service} {deploy.plan.environment}"
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
