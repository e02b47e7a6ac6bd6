"""Answers to one person, as cards: a misread, a refusal, a yes, what there is to choose from."""

from collections.abc import Sequence
from datetime import datetime

from handlers.chat import near, words
from handlers.chat.card import Card, plain_text
from handlers.chat.examples import like
from handlers.chat.grammar import parse
from handlers.chat.heard import heard
from handlers.chat.sentences import Misread
from pipelines.domain.commands import Diff, Preview
from pipelines.domain.deploy import Deploy
from pipelines.domain.model import Config
from pipelines.domain.refusals import Accepted, Nature, Refusal


def misread_card(misread: Misread, said: str, config: Config) -> Card:
    """Why it was not understood, lines near it with a button each, and lines that would be understood."""
    meant = near.meant(said, config)
    likeliest = near.likeliest(said, config)
    again = parse(" ".join(likeliest))  # its verb may have been misspelt
    lines = again.examples if isinstance(again, Misread) else misread.examples
    examples = tuple(f"/deploy {line}" for line in like(heard(likeliest, config), config, lines))
    return Card(
        title=misread.sentence,
        text=plain_text(misread.sentence),
        lines=_meant_lines(meant) or examples,
        buttons=near.buttons(meant, config),
    )


def refusal_card(refusal: Refusal, now: datetime, *, said: str = "", config: Config | None = None) -> Card:
    """Every reason, and the ways on. `said` is what was refused, where lines near it may be offered."""
    asked = parse(said)
    sentences = words.sentences(refusal, now, verb=asked.kind if isinstance(asked, Preview | Diff) else "")
    config = config or Config()
    meant = near.meant_by(said, config, refusal)
    title, *below = sentences[0].splitlines()  # a title is short wherever it is shown; a list of errors is not
    return Card(
        title=title,
        text=plain_text(sentences[0]),
        lines=(*below, *sentences[1:], *(_meant_lines(meant) or _example(refusal, sentences, said, config))),
        buttons=(*near.offered(refusal, config), *near.buttons(meant, config)),
    )


def _example(refusal: Refusal, sentences: Sequence[str], said: str, config: Config) -> tuple[str, ...]:
    """Where a name was wrong and nothing said so far would work: a line that does."""
    if refusal.nature is not Nature.MISREAD or refusal.offers or not config.services:
        return ()
    if any("`/deploy " in sentence for sentence in sentences):
        return ()
    line, *_ = like(heard(near.likeliest(said, config), config), config)
    return (f"For example: `/deploy {line}`",)


def _meant_lines(meant: tuple[str, ...]) -> tuple[str, ...]:
    return ("Did you mean " + " or ".join(f"`/deploy {line}`" for line in meant) + "?",) if meant else ()


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
        "answered": f"{it} in {where}: your answer counts.",
    }
    line = lines[accepted.done]
    return Card(title=line, text=plain_text(line))
