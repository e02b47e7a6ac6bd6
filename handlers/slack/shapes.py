"""Whether a delivery has the shape that Bolt takes for granted: without it Bolt raises where nobody can answer."""

from typing import Any


def sound(body: Any) -> bool:
    """True for what can be handed on. What it asks for, and who asks, is looked at later."""
    if not isinstance(body, dict):
        return False
    event = body.get("event")
    if "event" in body and not (isinstance(event, dict) and isinstance(event.get("type"), str)):
        return False
    for name in ("team", "user", "channel", "container", "enterprise", "view"):
        if not isinstance(body.get(name), dict | str | None):
            return False
    if "command" in body and not _command(body):
        return False
    if body.get("type") in ("view_submission", "view_closed", "block_suggestion") and not _of_a_person(body):
        return False
    return body.get("type") != "block_actions" or _click(body)


def _command(body: dict[str, Any]) -> bool:
    return all(isinstance(body.get(name), str) for name in ("command", "user_id", "trigger_id"))


def _of_a_person(body: dict[str, Any]) -> bool:
    user = body.get("user")
    return isinstance(user, dict) and isinstance(user.get("id"), str) and isinstance(body.get("view"), dict | None)


def _click(body: dict[str, Any]) -> bool:
    actions = body.get("actions")
    return (
        isinstance(actions, list)
        and bool(actions)
        and isinstance(actions[0], dict)
        and isinstance(actions[0].get("action_id"), str)
        and _of_a_person(body)
        and all(isinstance(body.get(name), dict | None) for name in ("team", "channel", "container"))
    )
