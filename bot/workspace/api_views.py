"""Web API: modals, opened for the person whose trigger it is, changed, stacked, and refused as Slack would."""

from bot.workspace.desk import Desk, Method
from bot.workspace.modals import Shown
from bot.workspace.triggers import Trigger
from bot.workspace.views import View, checked, unfit
from bot.workspace.wire import Answer, ApiError, Args, as_json


def open_view(desk: Desk, args: Args) -> Answer:
    view, trigger = _with_trigger(desk, args)
    return {"view": desk.modals.open(trigger.user, view).view}


def push(desk: Desk, args: Args) -> Answer:
    """On top of the view in which the person did something: its trigger tells which."""
    view, trigger = _with_trigger(desk, args)
    below = desk.modals.find(view_id=trigger.view or "")
    if below is None:
        raise ApiError("not_found")
    return {"view": desk.modals.push(below, view).view}


def update(desk: Desk, args: Args) -> Answer:
    view = checked(as_json(args.get("view")))
    shown = _meant(desk, args)
    if args.get("hash") and args["hash"] != shown.view["hash"]:
        raise ApiError("hash_conflict")
    return {"view": desk.modals.update(shown, view).view}


def _with_trigger(desk: Desk, args: Args) -> tuple[View, Trigger]:
    if not args.get("trigger_id"):
        raise unfit(["missing required field: trigger_id"])
    view = checked(as_json(args.get("view")))
    return view, desk.triggers.use(str(args["trigger_id"]))


def _meant(desk: Desk, args: Args) -> Shown:
    view_id, external_id = str(args.get("view_id") or ""), str(args.get("external_id") or "")
    if view_id and external_id:
        raise unfit(["Cannot provide both `view_id` and `external_id`"])
    if not view_id and not external_id:
        raise unfit(["missing required field: view_id"])
    shown = desk.modals.find(view_id=view_id, external_id=external_id)
    if shown is None:
        raise ApiError("not_found")
    return shown


METHODS = {"views.open": Method(run=open_view), "views.push": Method(run=push), "views.update": Method(run=update)}
