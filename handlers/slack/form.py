"""The form in which service, version and environment are chosen: built, and read when it comes back. Pure.

The form carries in its metadata where it was opened and which service is chosen: Slack does not tell the other fields
when it asks for the versions that fit what is typed.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from handlers.chat.seen import visible
from handlers.slack.limits import OPTION, OPTION_VALUE, OPTIONS
from handlers.slack.mrkdwn import shortened
from pipelines.domain.model import Config
from pipelines.domain.refusals import Code, Gate
from pipelines.domain.views import Name

FORM = "deploy"
SERVICE, VERSION, ENVIRONMENT = "service", "version", "environment"
OF_SERVICE = frozenset({Code.UNKNOWN_SERVICE})
OF_VERSION = frozenset(
    {
        Code.UNKNOWN_VERSION,
        Code.BAD_VERSION,
        Code.AMBIGUOUS_VERSION,
        Code.UNREACHABLE_COMMIT,
        Code.REPOSITORY_AWAY,
        Code.BAD_RECIPE,
    }
)
View = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Opened:
    """Where a form was opened, and the service that is chosen in it."""

    service: str | None = None
    channel: str | None = None
    thread: str | None = None

    @classmethod
    def of(cls, view: Mapping[str, Any]) -> "Opened":
        """Empty for metadata that is not ours."""
        try:
            found = json.loads(str(view.get("private_metadata") or "{}"))
            return cls(**{name: found.get(name) for name in ("service", "channel", "thread")})
        except (ValueError, AttributeError, TypeError):
            return cls()

    def metadata(self) -> str:
        return json.dumps({name: value for name, value in vars(self).items() if value}, separators=(",", ":"))


def form(opened: Opened, config: Config) -> View:
    """An environment is chosen beforehand only where there is but one that is not protected."""
    calm = [name for name, environment in config.environments.items() if not environment.protected]
    environment: dict[str, Any] = {
        "type": "static_select",
        "action_id": ENVIRONMENT,
        "placeholder": _plain("Where"),
        "options": options(list(config.environments)),
    }
    if len(calm) == 1:
        environment["initial_option"] = option(calm[0])
    return {
        "type": "modal",
        "callback_id": FORM,
        "title": _plain("Deploy"),
        "submit": _plain("Deploy"),
        "close": _plain("Cancel"),
        "private_metadata": opened.metadata(),
        "blocks": [
            _input(SERVICE, "Service", _search(SERVICE, opened.service), dispatch=True),
            # its own name for each service: a version of another one does not stay chosen
            _input(version_block(opened.service), "Version", _search(VERSION, None)),
            _input(ENVIRONMENT, "Environment", environment),
        ],
    }


def version_block(service: str | None) -> str:
    return f"{VERSION}-{service or 'any'}"


def _input(block_id: str, label: str, element: dict[str, Any], *, dispatch: bool = False) -> View:
    block: View = {"type": "input", "block_id": block_id, "label": _plain(label), "element": element}
    return block | ({"dispatch_action": True} if dispatch else {})


def _search(name: str, chosen: str | None) -> dict[str, Any]:
    hints = {SERVICE: "Which service", VERSION: "A tag or a branch"}
    select: dict[str, Any] = {
        "type": "external_select",
        "action_id": name,
        "min_query_length": 0,
        "placeholder": _plain(hints[name]),
    }
    return select | ({"initial_option": option(chosen)} if chosen else {})


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def option(name: str, shown: str = "") -> dict[str, Any]:
    return {"text": _plain(shortened(visible(shown or name), OPTION)), "value": name}


def options(names: Iterable[str | Name]) -> list[dict[str, Any]]:
    """What a select shows. A name too long for Slack to send back cannot be chosen: it has to be typed."""
    texts = [name if isinstance(name, str) else name.text for name in names]
    return [option(text) for text in texts if len(text) <= OPTION_VALUE][:OPTIONS]


def chosen(view: Mapping[str, Any]) -> dict[str, str]:
    """The values that were chosen, by field; a field without one is missing."""
    values = (view.get("state") or {}).get("values") or {}
    found: dict[str, str] = {}
    for fields in values.values():
        for action, field in fields.items():
            value = (field.get("selected_option") or {}).get("value") if isinstance(field, dict) else None
            if action in (SERVICE, VERSION, ENVIRONMENT) and value:
                found[action] = str(value)
    return found


def fields_of(gates: Iterable[tuple[Gate, str]], service: str | None) -> dict[str, str]:
    """The sentences of a refusal, each at the field that it is about."""
    found: dict[str, list[str]] = {}
    for gate, sentence in gates:
        if gate.code in OF_SERVICE:
            block = SERVICE
        else:
            block = version_block(service) if gate.code in OF_VERSION else ENVIRONMENT
        found.setdefault(block, []).append(sentence.replace("`", ""))
    return {block: " ".join(sentences)[:1_000] for block, sentences in found.items()}
