"""Web API: channels, who is in them, what was said in them."""

from typing import Any

from bot.workspace.content import shown
from bot.workspace.desk import Desk, Method
from bot.workspace.seed import Channel
from bot.workspace.state import Message
from bot.workspace.wire import Answer, ApiError, Args, flag, whole

MOST = 999
READ = ("channels:read", "groups:read", "im:read")
HISTORY = ("channels:history", "groups:history", "im:history")


def info(desk: Desk, args: Args) -> Answer:
    return {"channel": _described(desk, desk.channel(args))}


def list_all(desk: Desk, args: Args) -> Answer:
    kinds = str(args.get("types") or "public_channel").split(",")
    fit = [
        channel
        for channel in desk.state.channels()
        if ("private_channel" if channel.private else "public_channel") in kinds
        and (channel.bot_is_member or not channel.private)
    ]
    start, most = _cursor(args), whole(args.get("limit"), 100, MOST)
    described = [_described(desk, channel) for channel in fit[start : start + most]]
    return {"channels": described, "response_metadata": {"next_cursor": _next(start + most, len(fit))}}


def _described(desk: Desk, channel: Channel) -> dict[str, Any]:
    shared = {
        "id": channel.id,
        "is_im": channel.direct,
        "is_private": channel.private,
        "is_archived": False,
        "is_mpim": False,
        "context_team_id": desk.seed.team_id,
    }
    if channel.direct:
        return {**shared, "is_channel": False, "is_group": False, "user": channel.id[1:]}
    kind = {"is_channel": not channel.private, "is_group": channel.private}
    names = {"name": channel.name, "name_normalized": channel.name}
    return {**shared, **kind, **names, "is_member": channel.bot_is_member, "is_general": channel.name == "general"}


def history(desk: Desk, args: Args) -> Answer:
    channel = _heard(desk, args)
    return _page(desk, args, desk.state.top_level(channel.id)[::-1])


def replies(desk: Desk, args: Args) -> Answer:
    channel = _heard(desk, args)
    found = desk.state.replies(channel.id, str(args.get("ts") or ""))
    if not found:
        raise ApiError("thread_not_found")
    return _page(desk, args, found)


def _heard(desk: Desk, args: Args) -> Channel:
    channel = desk.channel(args)
    if not channel.bot_is_member:
        raise ApiError("not_in_channel")
    return channel


def _page(desk: Desk, args: Args, found: list[Message]) -> Answer:
    try:
        oldest, latest = float(args.get("oldest") or 0), float(args.get("latest") or "inf")
    except (TypeError, ValueError):
        raise ApiError("invalid_arguments") from None
    inclusive = flag(args.get("inclusive"))
    fit = [m for m in found if oldest < float(m["ts"]) < latest or (inclusive and float(m["ts"]) in (oldest, latest))]
    start, most = _cursor(args), whole(args.get("limit"), 100, MOST)
    metadata = flag(args.get("include_all_metadata"))
    page = [shown(desk.state, m, desk.base_url(), metadata=metadata) for m in fit[start : start + most]]
    cursor = _next(start + most, len(fit))
    return {"messages": page, "has_more": bool(cursor), "response_metadata": {"next_cursor": cursor}}


def _cursor(args: Args) -> int:
    cursor = str(args.get("cursor") or "0")
    if not cursor.isdigit():
        raise ApiError("invalid_cursor")
    return int(cursor)


def _next(end: int, of: int) -> str:
    return str(end) if end < of else ""


def members(desk: Desk, args: Args) -> Answer:
    channel = desk.channel(args)
    people = [user.id for user in desk.seed.users if user.kind not in ("deleted", "bot") and channel.has(user)]
    bot = [desk.seed.app.bot_user] if channel.bot_is_member else []
    return {"members": [*people, *bot], "response_metadata": {"next_cursor": ""}}


def join(desk: Desk, args: Args) -> Answer:
    channel = desk.channel(args)
    if channel.private:
        raise ApiError("method_not_supported_for_channel_type")
    desk.state.join(channel)
    return {"channel": _described(desk, desk.channel(args))}


def open_direct(desk: Desk, args: Args) -> Answer:
    user = desk.state.user(str(args.get("users") or "").split(",")[0])
    if user is None:
        raise ApiError("user_not_found")
    return {"channel": {"id": f"D{user.id}"}}


METHODS = {
    "conversations.info": Method(run=info, scopes=READ),
    "conversations.list": Method(run=list_all, scopes=READ),
    "conversations.history": Method(run=history, scopes=HISTORY),
    "conversations.replies": Method(run=replies, scopes=HISTORY),
    "conversations.members": Method(run=members, scopes=READ),
    "conversations.join": Method(run=join, scopes=("channels:join",)),
    "conversations.open": Method(run=open_direct, scopes=("im:write",)),
}
