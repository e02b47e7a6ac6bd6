"""A card: what is shown of something, before any surface. Who renders it escapes it.

Every text of a card is plain; `text` is the one sentence that notifications and screen readers get.
"""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from handlers.chat.verbs import VERBS
from pipelines.domain.commands import Help
from pipelines.domain.model import Config

TEXT_LIMIT = 300


class Style(StrEnum):
    PLAIN = "plain"
    PRIMARY = "primary"
    DANGER = "danger"


@dataclass(frozen=True, kw_only=True)
class Confirm:
    title: str
    text: str
    yes: str


@dataclass(frozen=True, kw_only=True)
class Button:
    """`value` is opaque (see `clicks`); `say` are the words that do the same."""

    label: str
    action: str
    value: str
    say: str
    style: Style = Style.PLAIN
    confirm: Confirm | None = None


@dataclass(frozen=True, kw_only=True)
class Card:
    """`title` is the first line, `facts` stand beside it, `lines` below; `notes` are small print."""

    title: str
    text: str
    facts: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    buttons: tuple[Button, ...] = ()
    notes: tuple[str, ...] = ()


def plain_text(text: str) -> str:
    """A notification's sentence: one line, nothing hidden in it, at most 300 characters."""
    seen = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in text)
    line = " ".join(seen.replace("*", "").replace("`", "").replace("~", "").split())
    return line if len(line) <= TEXT_LIMIT else line[: TEXT_LIMIT - 1] + "…"


def help_card(help_: Help, config: Config) -> Card:
    """Examples that fit this configuration; for one verb, or for all that is built."""
    service = next(iter(config.services), "api")
    calm = [name for name, env in config.environments.items() if not env.protected]
    environment = next(iter(calm or config.environments), "staging")
    verbs = [verb for verb in VERBS if verb.built and help_.topic in (None, verb.name)]
    if help_.topic and not verbs:
        line = f"{help_.topic} is not built yet."
        return Card(title=line, text=line, lines=("See /deploy help for what is.",))
    lines = []
    for verb in verbs:
        examples = [usage.format(service=service, environment=environment) for usage in verb.usage]
        shown = examples if help_.topic else examples[:1]
        lines += [f"/deploy {example} — {verb.does}" for example in shown if not example.startswith("…")]
    title = "What shall go where?" if help_.first else "What Shipmate understands"
    return Card(title=title, text=f"{title} For example: /deploy {service} v1.4 {environment}", lines=tuple(lines))
