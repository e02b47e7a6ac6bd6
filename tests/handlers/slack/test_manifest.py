"""`manifest.json` says what `routes` does: no command, event or right more, and none less."""

import ast
import json
import re
import subprocess
from pathlib import Path
from typing import Any

from handlers.chat.verbs import COMMANDS
from handlers.slack import routes

ROOT = Path(__file__).parents[3]
NEEDED = {
    "apps_connections_open": (),  # the app token's own right
    "auth_test": (),
    "chat_postMessage": ("chat:write",),
    "chat_postEphemeral": ("chat:write",),
    "chat_update": ("chat:write",),
    "conversations_info": ("channels:read", "groups:read"),
    "conversations_list": ("channels:read", "groups:read"),
    "conversations_history": ("channels:history", "groups:history", "im:history"),
    "conversations_replies": ("channels:history", "groups:history", "im:history"),
    "files_upload_v2": ("files:write",),
    "usergroups_list": ("usergroups:read",),
    "usergroups_users_list": ("usergroups:read",),
    "users_info": ("users:read", "users:read.email"),
    "users_list": ("users:read", "users:read.email"),
    "views_open": (),
    "views_update": (),
}


def manifest() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "manifest.json").read_text())
    return found


def called() -> set[str]:
    """The methods of Slack's client that this package calls."""
    names = set()
    for file in (ROOT / "handlers/slack").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "_web":
                names.add(node.attr)
    return names - {"proxy", "base_url"}


def test_the_commands_are_those_of_the_routes() -> None:
    assert [one["command"] for one in manifest()["features"]["slash_commands"]] == list(COMMANDS)


def test_the_events_are_those_of_the_routes() -> None:
    subscriptions = manifest()["settings"].get("event_subscriptions", {})
    assert tuple(subscriptions.get("bot_events", ())) == routes.EVENTS


def test_the_rights_are_those_that_the_calls_need() -> None:
    scopes = manifest()["oauth_config"]["scopes"]
    assert tuple(scopes["bot"]) == routes.SCOPES
    assert tuple(scopes["bot_optional"]) == routes.OPTIONAL_SCOPES
    assert called() == set(NEEDED)
    needed = {"commands", "app_mentions:read"} | {scope for method in called() for scope in NEEDED[method]}
    assert needed == set(routes.SCOPES + routes.OPTIONAL_SCOPES) - {"chat:write.public"}


def test_buttons_and_socket_mode_are_on() -> None:
    settings = manifest()["settings"]
    assert settings["interactivity"]["is_enabled"]
    assert settings["socket_mode_enabled"]


def test_slacks_sizes_hold() -> None:
    whole = manifest()
    assert len(whole["display_information"]["name"]) <= 35
    assert len(whole["display_information"]["description"]) <= 140
    for command in whole["features"]["slash_commands"]:
        assert re.fullmatch(r"/\S{1,31}", command["command"])
        assert len(command["description"]) <= 2_000
        assert len(command["usage_hint"]) <= 1_000


def test_slacks_own_command_line_finds_the_manifest_and_starts_the_bot() -> None:
    hooks = json.loads((ROOT / ".slack/hooks.json").read_text())["hooks"]
    shown = subprocess.run(hooks["get-manifest"].split(), cwd=ROOT, capture_output=True, check=True)
    assert json.loads(shown.stdout) == manifest()
    script = hooks["start"].split()[-1]
    subprocess.run(["sh", "-n", script], cwd=ROOT, check=True)
