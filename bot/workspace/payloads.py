"""What Slack sends an app, key by key: slash commands, clicks, events."""

import html
import re
import secrets
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.workspace.seed import App, Channel, Seed, User

TOKEN = "local-verification-token"  # noqa: S105 (deprecated by Slack, sent all the same)

REFERENCE = re.compile(r"<([@#])(\w+)(?:\|[^>]*)?>")
SHOWN_IN_ACTIONS = ("action_id", "text", "value", "style", "type", "confirm", "placeholder")


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """`kind` is Socket Mode's: slash_commands, interactive or events_api. `answerable`: the acknowledgement may carry
    an answer."""

    kind: str
    payload: dict[str, Any]
    answerable: bool = False


def team_of(user: User, seed: Seed) -> str:
    return "T0OTHER" if user.kind == "stranger" else seed.team_id


def channel_name(channel: Channel) -> str:
    if channel.direct:
        return "directmessage"
    return "privategroup" if channel.private else channel.name


def slash(
    seed: Seed, user: User, channel: Channel, command: str, text: str, *, trigger: str, response_url: str
) -> dict[str, Any]:
    return {
        "token": TOKEN,
        "team_id": team_of(user, seed),
        "team_domain": seed.team_name,
        "channel_id": channel.id,
        "channel_name": channel_name(channel),
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": seed.app.id,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger,
    }


def click(
    seed: Seed,
    user: User,
    channel: Channel,
    message: dict[str, Any],
    action: dict[str, Any],
    *,
    ephemeral: bool,
    trigger: str,
    response_url: str,
) -> dict[str, Any]:
    """`message` as the API shows it; one that is private is not told to the app."""
    container: dict[str, Any] = {
        "type": "message",
        "message_ts": message["ts"],
        "channel_id": channel.id,
        "is_ephemeral": ephemeral,
    }
    if message.get("thread_ts"):
        container["thread_ts"] = message["thread_ts"]
    payload: dict[str, Any] = {
        "type": "block_actions",
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": team_of(user, seed)},
        "api_app_id": seed.app.id,
        "token": TOKEN,
        "container": container,
        "trigger_id": trigger,
        "team": {"id": seed.team_id, "domain": seed.team_name},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": channel.id, "name": channel_name(channel)},
        "state": {"values": {}},
        "response_url": response_url,
        "actions": [{**action, "action_ts": f"{time.time():.6f}"}],
    }
    if not ephemeral:
        payload["message"] = message
    return payload


def event(seed: Seed, inner: dict[str, Any]) -> dict[str, Any]:
    app: App = seed.app
    return {
        "token": TOKEN,
        "team_id": seed.team_id,
        "context_team_id": seed.team_id,
        "context_enterprise_id": None,
        "api_app_id": app.id,
        "type": "event_callback",
        "event_id": f"Ev{secrets.token_hex(5).upper()}",
        "event_time": int(time.time()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": seed.team_id,
                "user_id": app.bot_user,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": f"4-{secrets.token_hex(12)}",
        "event": inner,
    }


def typed(seed: Seed, user: User, channel: Channel, text: str, ts: str) -> dict[str, Any]:
    """A message that a person wrote; `text` is escaped already."""
    words = {"type": "rich_text_section", "elements": list(_rich(text))}
    return {
        "client_msg_id": str(uuid.uuid4()),
        "type": "message",
        "text": text,
        "user": user.id,
        "ts": ts,
        "team": team_of(user, seed),
        "blocks": [{"type": "rich_text", "block_id": secrets.token_hex(3), "elements": [words]}],
    }


def _rich(text: str) -> Iterator[dict[str, Any]]:
    """Escaped text as the elements of rich text, which hold it as it was typed."""
    done = 0
    for found in REFERENCE.finditer(text):
        if found.start() > done:
            yield {"type": "text", "text": html.unescape(text[done : found.start()])}
        mark, ident = found.groups()
        yield {"type": "user", "user_id": ident} if mark == "@" else {"type": "channel", "channel_id": ident}
        done = found.end()
    if done < len(text):
        yield {"type": "text", "text": html.unescape(text[done:])}


def _elements(message: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for block in message.get("blocks") or []:
        inside = [*block.get("elements", []), *([block["accessory"]] if "accessory" in block else [])]
        yield from ((str(block.get("block_id", "")), one) for one in inside if isinstance(one, dict))


def pressed(
    message: dict[str, Any], block_id: str, action_id: str, option: dict[str, Any] | None = None
) -> dict[str, Any] | None:
    """The element of a message that was used, as Slack describes it in `actions`; `option`: what was selected. None
    when there is no such element, or it does not offer that option."""
    for block, element in _elements(message):
        if (block, element.get("action_id")) != (block_id, action_id):
            continue
        shown = {name: value for name, value in element.items() if name in SHOWN_IN_ACTIONS}
        offered = _offered(element)
        if offered is not None:
            chosen = offered.get(str((option or {}).get("value")))
            return {**shown, "block_id": block_id, "selected_option": chosen} if chosen else None
        return {**shown, "block_id": block_id}
    return None


def _offered(element: dict[str, Any]) -> dict[str, dict[str, Any]] | None:
    """What a select or menu offers, by value; None for an element that is pressed."""
    groups = element.get("option_groups") or ([element] if "options" in element else None)
    if groups is None:
        return None
    return {str(option.get("value")): option for group in groups for option in group["options"]}


def labelled(message: dict[str, Any], label: str) -> tuple[str, str] | None:
    """The block and action ids of the first button whose text begins so."""
    for block, element in _elements(message):
        text = element.get("text")
        if isinstance(text, dict) and str(text.get("text", "")).startswith(label):
            return block, str(element.get("action_id", ""))
    return None
