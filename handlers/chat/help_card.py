"""Help: lines that fit this configuration, for one verb or for all that are built."""

from handlers.chat.card import Card, plain_text
from handlers.chat.examples import fill
from handlers.chat.verbs import VERBS
from pipelines.domain.commands import Help
from pipelines.domain.model import Config


def help_card(help_: Help, config: Config) -> Card:
    verbs = [verb for verb in VERBS if verb.built and help_.topic in (None, verb.name)]
    if help_.topic and not verbs:
        line = f"{help_.topic} is not built yet."
        return Card(title=line, text=line, lines=("See /deploy help for what is.",))
    lines = [
        f"/deploy {fill(usage, config)} — {verb.does}"
        for verb in verbs
        for usage in (verb.usage if help_.topic else verb.usage[:1])
    ]
    title = "What Shipmate understands"
    return Card(title=title, text=plain_text(f"{title}. For example: {lines[0]}"), lines=tuple(lines))
