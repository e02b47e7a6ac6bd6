"""Help: lines that fit this configuration, for one verb or for all that are built."""

from itertools import zip_longest

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
    if help_.topic:
        [verb] = verbs
        title, lines = (
            f"{verb.name}: {verb.does}",
            [
                f"/deploy {fill(usage, config)}" + (f" — {note}" if note else "")
                for usage, note in zip_longest(verb.usage, verb.notes, fillvalue="")
            ],
        )
    else:
        title = "What Shipmate understands"
        lines = [f"/deploy {fill(verb.usage[0], config)} — {verb.does}" for verb in verbs]
    return Card(title=title, text=plain_text(f"{title}. For example: {lines[0]}"), lines=tuple(lines))
