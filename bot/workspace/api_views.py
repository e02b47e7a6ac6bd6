"""Web API: modals, opened, changed, and refused as Slack would. The page does not show them yet."""

import json
import secrets
from typing import Any

from bot.workspace import limits
from bot.workspace.blocks import check_modal_blocks
from bot.workspace.desk import Desk, Method
from bot.workspace.elements import text
from bot.workspace.wire import Answer, ApiError, Args, as_json

KEPT = 100


def open_view(desk: Desk, args: Args) -> Answer:
    if not args.get("trigger_id"):
        raise _unfit(["missing required field: trigger_id"])
    view = _checked(args)
    if why := desk.triggers.use(str(args["trigger_id"])):
        raise ApiError(why)
    ident = f"V{secrets.token_hex(5).upper()}"
    return {"view": _keep(desk, view, ident)}


def update(desk: Desk, args: Args) -> Answer:
    view = _checked(args)
    kept = desk.views.get(str(args.get("view_id") or ""))
    if kept is None:
        raise ApiError("not_found")
    if args.get("hash") and args["hash"] != kept["hash"]:
        raise ApiError("hash_conflict")
    return {"view": _keep(desk, view, kept["id"])}


def _keep(desk: Desk, view: dict[str, Any], ident: str) -> dict[str, Any]:
    app = desk.seed.app
    blocks = [{**block, "block_id": block.get("block_id") or secrets.token_hex(3)} for block in view["blocks"]]
    desk.views[ident] = {
        "callback_id": "",
        "private_metadata": "",
        "external_id": "",
        "submit": None,
        "close": None,
        "clear_on_close": False,
        "notify_on_close": False,
        **view,
        "blocks": blocks,
        "id": ident,
        "team_id": desk.seed.team_id,
        "app_id": app.id,
        "bot_id": app.bot_id,
        "app_installed_team_id": desk.seed.team_id,
        "root_view_id": ident,
        "previous_view_id": None,
        "state": {"values": {}},
        "hash": f"{desk.state.new_ts()}.{secrets.token_hex(4)}",
    }
    for old in list(desk.views)[:-KEPT]:
        del desk.views[old]
    return desk.views[ident]


def _checked(args: Args) -> dict[str, Any]:
    view = as_json(args.get("view"))
    if not isinstance(view, dict):
        raise _unfit(["missing required field: view"])
    if view.get("type") != "modal":
        raise _unfit([f"unsupported type: {view.get('type')} [json-pointer:/view/type]"])
    problems = [*text(view.get("title"), "/view/title", limits.MODAL_TITLE, ("plain_text",))]
    for name in (name for name in ("submit", "close") if view.get(name)):
        problems += text(view[name], f"/view/{name}", limits.MODAL_TITLE, ("plain_text",))
    problems += check_modal_blocks(view.get("blocks"))
    if not problems and not view.get("submit"):
        problems += [
            f"must define `submit` to use an `input` block in modals [json-pointer:/view/blocks/{i}/input]"
            for i, block in enumerate(view["blocks"])
            if block["type"] == "input"
        ]
    if len(str(view.get("private_metadata") or "")) > limits.PRIVATE_METADATA:
        most = limits.PRIVATE_METADATA + 1
        problems.append(f"must be less than {most} characters [json-pointer:/view/private_metadata]")
    if problems:
        raise _unfit(problems)
    if len(json.dumps(view)) > limits.VIEW_BYTES:
        raise ApiError("view_too_large")
    return view


def _unfit(problems: list[str]) -> ApiError:
    return ApiError("invalid_arguments", response_metadata={"messages": [f"[ERROR] {one}" for one in problems]})


METHODS = {"views.open": Method(run=open_view), "views.update": Method(run=update)}
