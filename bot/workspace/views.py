"""What a modal's view is: judged as Slack would, and completed with what Slack adds to it."""

import json
import secrets
import time
from typing import Any

from bot.workspace import limits
from bot.workspace.blocks import check_modal_blocks
from bot.workspace.seed import Seed
from bot.workspace.sentences import PLAIN, Problem, extra, flags, mismatch, missing, text, too_long, unsupported
from bot.workspace.wire import ApiError

View = dict[str, Any]

KEYS = "title blocks close submit private_metadata callback_id clear_on_close notify_on_close external_id"
BEGINNING: View = {
    "callback_id": "",
    "private_metadata": "",
    "external_id": "",
    "submit": None,
    "close": None,
    "clear_on_close": False,
    "notify_on_close": False,
}


def checked(view: Any) -> View:
    """The view, when Slack would take it. Raises ApiError."""
    if not isinstance(view, dict):
        raise unfit([missing("view", "")])
    if problems := _problems(view):
        raise unfit(problems)
    if len(json.dumps(view)) > limits.VIEW_BYTES:
        raise ApiError("view_too_large")
    return view


def unfit(problems: list[Problem]) -> ApiError:
    return ApiError("invalid_arguments", response_metadata={"messages": [f"[ERROR] {one}" for one in problems]})


def _problems(view: View) -> list[Problem]:
    if view.get("type") != "modal":
        return [unsupported(view.get("type"), "/view")]
    unknown = list(extra(view, KEYS, "/view"))
    problems = [mismatch("/view"), *unknown] if unknown else []
    problems += [missing(name, "/view") for name in ("title", "blocks") if name not in view]
    for name in (name for name in ("title", "submit", "close") if view.get(name)):
        problems += text(view[name], f"/view/{name}", limits.MODAL_TITLE, PLAIN)
    problems += too_long(view.get("private_metadata"), limits.PRIVATE_METADATA, "/view/private_metadata")
    for name in ("callback_id", "external_id"):
        problems += too_long(view.get(name), limits.ID, f"/view/{name}")
    problems += flags(view, ("clear_on_close", "notify_on_close"), "/view")
    if "blocks" in view:
        problems += check_modal_blocks(view["blocks"])
    return problems or _without_submit(view)


def _without_submit(view: View) -> list[Problem]:
    if view.get("submit"):
        return []
    return [
        f"must define `submit` to use an `input` block in modals [json-pointer:/view/blocks/{i}/input]"
        for i, block in enumerate(view["blocks"])
        if block["type"] == "input"
    ]


def completed(seed: Seed, view: View, *, ident: str, root: str, previous: str | None) -> View:
    """As the API shows it: with ids where the app gave none, and a new hash."""
    app = seed.app
    return {
        **BEGINNING,
        **view,
        "title": dressed(view["title"]),
        "blocks": [_with_ids(block) for block in dressed(view["blocks"])],
        "id": ident,
        "team_id": seed.team_id,
        "app_id": app.id,
        "bot_id": app.bot_id,
        "app_installed_team_id": seed.team_id,
        "root_view_id": root,
        "previous_view_id": previous,
        "state": {"values": {}},
        "hash": f"{int(time.time())}.{secrets.token_hex(4)}",
    }


def dressed(found: Any) -> Any:
    """Slack shows a text with what it means when an app leaves it out: emoji, or nothing verbatim."""
    if isinstance(found, list):
        return [dressed(one) for one in found]
    if not isinstance(found, dict):
        return found
    more = {"plain_text": {"emoji": True}, "mrkdwn": {"verbatim": False}}.get(str(found.get("type")), {})
    return more | {name: dressed(value) for name, value in found.items()}


def _with_ids(block: dict[str, Any]) -> dict[str, Any]:
    """Its own id, and one for each of its elements that can be used."""
    found = {**block, "block_id": block.get("block_id") or _id()}
    for name in (name for name in ("element", "accessory") if name in block):
        found[name] = _named(block[name])
    if block["type"] == "actions":
        found["elements"] = [_named(one) for one in block["elements"]]
    return found


def _named(element: dict[str, Any]) -> dict[str, Any]:
    return element if element["type"] == "image" else {**element, "action_id": element.get("action_id") or _id()}


def _id() -> str:
    return secrets.token_hex(3)
