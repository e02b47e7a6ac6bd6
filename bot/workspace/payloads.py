"""What Slack sends an app, key by key: slash commands, clicks in messages, events. Modals: payloads_of_modals.py."""

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


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """`kind` is Socket Mode's: slash_commands, interactive or events_api. `answerable`: the acknowledgement may carry
    an answer."""

    kind: str
    payload: dict[str, Any]
    answerable: bool = False

    @property
    def repeated(self) -> bool:
        """Whether it comes again for want of an acknowledgement. Nobody waits any more for an answer to a modal."""
        return not (self.answerable and self.kind == "interactive")


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
    values: dict[str, Any],
    ephemeral: bool,
    trigger: str,
    response_url: str,
) -> dict[str, Any]:
    """`message` as the API shows it; one that is private is not told to the app. `values`: what is selected in it."""
    payload: dict[str, Any] = {
        "type": "block_actions",
        **interaction(seed, user),
        "container": container(channel, message, ephemeral=ephemeral),
        "trigger_id": trigger,
        "channel": {"id": channel.id, "name": channel_name(channel)},
        "state": {"values": values},
        "response_url": response_url,
        "actions": [acted(action)],
    }
    if not ephemeral:
        payload["message"] = message
    return payload


def interaction(seed: Seed, user: User) -> dict[str, Any]:
    """What every interaction tells: who did it, and where the app is installed."""
    return {
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": team_of(user, seed)},
        "api_app_id": seed.app.id,
        "token": TOKEN,
        "team": {"id": seed.team_id, "domain": seed.team_name},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def container(channel: Channel, message: dict[str, Any], *, ephemeral: bool) -> dict[str, Any]:
    found = {
        "type": "message",
        "message_ts": message["ts"],
        "channel_id": channel.id,
        "is_ephemeral": ephemeral,
    }
    return found | ({"thread_ts": message["thread_ts"]} if message.get("thread_ts") else {})


def acted(action: dict[str, Any]) -> dict[str, Any]:
    return {**action, "action_ts": f"{time.time():.6f}"}


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
