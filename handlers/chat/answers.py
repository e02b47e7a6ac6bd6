"""Answers to one person, as cards: a misread, a refusal, a yes."""

from datetime import datetime

from handlers.chat import clicks, words
from handlers.chat.card import Card, plain_text
from handlers.chat.grammar import Misread
from pipelines.domain.deploy import Deploy
from pipelines.domain.refusals import Accepted, Refusal


def misread_card(misread: Misread) -> Card:
    lines = tuple(f"/deploy {example}" for example in misread.examples)
    return Card(title=misread.sentence, text=plain_text(misread.sentence), lines=lines)


def refusal_card(refusal: Refusal, now: datetime) -> Card:
    sentences = words.sentences(refusal, now)
    title, *below = sentences[0].splitlines()  # a title is short wherever it is shown; a list of errors is not
    return Card(
        title=title,
        text=plain_text(sentences[0]),
        lines=(*below, *sentences[1:]),
        buttons=clicks.offered(refusal),
    )


def accepted_card(accepted: Accepted, deploy: Deploy | None) -> Card:
    """What was begun, for the person who asked."""
    if deploy is None:
        line = "The running deploy is ended first, then the rollback begins."
        return Card(title=line, text=line)
    it = f"{deploy.plan.service} {deploy.plan.version}"
    where = deploy.plan.environment
    lines = {
        "planned": f"{it} → {where} has begun.",
        "abort": f"{it} in {where} is being aborted.",
        "abort_then": f"{it} → {where} has begun.",
        "answered": f"{it} in {where} goes on.",
    }
    line = lines[accepted.done]
    return Card(title=line, text=plain_text(line))
