"""What Slack sends an app, key by key: slash commands, clicks, events."""

import json
import secrets
import time
from typing import Any

from bot.workspace.seed import App, Channel, Seed, User

TOKEN = "local-verification-token"  # noqa: S105 (deprecated by Slack, sent all the same)


def team_of(user: User, seed: Seed) -> str:
    return "T0OTHER" if user.kind == "stranger" else seed.team_id


def channel_name(channel: Channel) -> str:
    if channel.id.startswith("D"):
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
    trigger: str,
    response_url: str,
) -> dict[str, Any]:
    ephemeral = "_for" in message
    container = {
        "type": "message",
        "message_ts": message["ts"],
        "channel_id": channel.id,
        "is_ephemeral": ephemeral,
    }
    if message.get("thread_ts"):
        container["thread_ts"] = message["thread_ts"]
    shown = {key: value for key, value in message.items() if not key.startswith("_")}
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
        payload["message"] = shown
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


def pressed(message: dict[str, Any], block_id: str, action_id: str) -> dict[str, Any] | None:
    """The element of a message that was pressed, as Slack describes it in `actions`."""
    for block in message.get("blocks") or []:
        elements = block.get("elements", []) + ([block["accessory"]] if "accessory" in block else [])
        for element in elements:
            if block.get("block_id") == block_id and element.get("action_id") == action_id:
                kept = {
                    k: v for k, v in element.items() if k in ("action_id", "text", "value", "style", "type", "confirm")
                }
                return {**kept, "block_id": block_id}
    return None


def labelled(message: dict[str, Any], label: str) -> tuple[str, str] | None:
    """The block and action ids of the first button whose text begins so."""
    for block in message.get("blocks") or []:
        for element in block.get("elements", []) + ([block["accessory"]] if "accessory" in block else []):
            text = element.get("text")
            if isinstance(text, dict) and str(text.get("text", "")).startswith(label):
                return str(block.get("block_id", "")), str(element.get("action_id", ""))
    return None


def as_list(value: Any) -> Any:
    """A list or mapping that a client sent as JSON text."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return None
    return value
