"""What there is to choose from, as a card: lines that would deploy, and the button that opens the form."""

from handlers.chat import clicks
from handlers.chat.card import Card, plain_text
from handlers.chat.status_card import NOTHING
from pipelines.domain.refs import RefKind
from pipelines.domain.views import ChoicesView

SHOWN = 8


def choices_card(view: ChoicesView) -> Card:
    if not view.services or not view.environments:
        return Card(title=NOTHING, text=plain_text(NOTHING))
    title = f"Which version of {view.service}, and where?" if view.service else "What shall go where?"
    service = view.service or view.services[0]
    facts = [
        f"services: {_some(view.services)}" if view.service is None else "",
        f"versions: {_some(tuple(name.text for name in view.versions))}" if view.versions else "",
        f"environments: {_some(view.environments)}",
    ]
    version = next((name.text for name in view.versions if name.kind is RefKind.TAG), "latest")
    lines = [f"/deploy {service} {version} {environment}" for environment in view.environments[:SHOWN]]
    return Card(
        title=title,
        text=plain_text(f"{title} For example: {lines[0]}"),
        lines=(*filter(None, facts), *lines, "/deploy help — everything that can be said"),
        buttons=(clicks.choose(view.service),),
    )


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
