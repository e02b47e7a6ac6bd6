"""What Slack sends an app about modals, key by key, and about selects whose options the app itself finds."""

from typing import Any

from bot.workspace.payloads import TOKEN, acted, interaction, team_of
from bot.workspace.seed import Seed, User
from bot.workspace.views import View


def suggestion(seed: Seed, user: User, place: tuple[str, str], typed: str, where: dict[str, Any]) -> dict[str, Any]:
    """`where`: container and view, or container, channel and message. What else is filled in there is not told."""
    block_id, action_id = place
    return {
        "type": "block_suggestion",
        "user": {"id": user.id, "name": user.name, "team_id": team_of(user, seed)},
        "team": {"id": seed.team_id, "domain": seed.team_name},
        "api_app_id": seed.app.id,
        "token": TOKEN,
        "action_id": action_id,
        "block_id": block_id,
        "value": typed,
        **where,
    }


def in_view(view: View) -> dict[str, Any]:
    return {"container": {"type": "view", "view_id": view["id"]}, "view": view}


def action(seed: Seed, user: User, view: View, used: dict[str, Any], *, trigger: str) -> dict[str, Any]:
    """`view` with what is filled in."""
    return {
        "type": "block_actions",
        **interaction(seed, user),
        **in_view(view),
        "trigger_id": trigger,
        "actions": [acted(used)],
    }


def submission(seed: Seed, user: User, view: View, *, trigger: str) -> dict[str, Any]:
    """`view` with what is filled in."""
    told = interaction(seed, user)
    return {"type": "view_submission", **told, "trigger_id": trigger, "view": view, "response_urls": []}


def closed(seed: Seed, user: User, view: View, *, cleared: bool) -> dict[str, Any]:
    """`cleared`: the whole stack went, and `view` is the first of it."""
    return {"type": "view_closed", **interaction(seed, user), "view": view, "is_cleared": cleared}
