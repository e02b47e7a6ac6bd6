"""Web API: messages."""

from bot.workspace import limits
from bot.workspace.content import content, of_the_app, shown, threaded
from bot.workspace.desk import Desk, Method
from bot.workspace.wire import Answer, ApiError, Args


def post_message(desk: Desk, args: Args) -> Answer:
    channel = desk.place(args)
    thread = threaded(desk.state, channel.id, args)
    message = {**of_the_app(desk.seed, desk.state.new_ts()), **content(args), **thread}
    desk.state.add(channel.id, message)
    answer: Answer = {
        "channel": channel.id,
        "ts": message["ts"],
        "message": shown(desk.state, message, desk.base_url()),
    }
    if len(str(args.get("text") or "")) > limits.TEXT_TRUNCATED:
        told = {"warnings": ["message_truncated"]}
        answer |= {"warning": "message_truncated", "response_metadata": told}
    return answer


def update(desk: Desk, args: Args) -> Answer:
    channel, message = desk.own_message(args, "cant_update_message")
    if len(str(args.get("text") or "")) > limits.UPDATE_TEXT:
        raise ApiError("msg_too_long")
    fresh = content(args)
    if "blocks" not in fresh:
        message.pop("blocks", None)
        message["_edited"] = desk.state.new_ts()
    message.update(fresh)
    desk.state.tell(channel.id, message)
    seen = shown(desk.state, message, desk.base_url())
    return {"channel": channel.id, "ts": message["ts"], "text": message["text"], "message": seen}


def delete(desk: Desk, args: Args) -> Answer:
    channel, message = desk.own_message(args, "cant_delete_message")
    desk.state.remove(channel.id, message)
    return {"channel": channel.id, "ts": message["ts"]}


def post_ephemeral(desk: Desk, args: Args) -> Answer:
    channel = desk.channel(args)
    if not channel.bot_is_member:
        raise ApiError("not_in_channel")
    user = desk.state.user(str(args.get("user") or ""))
    if user is None or user.id != args.get("user") or user.kind == "deleted" or not channel.has(user):
        raise ApiError("user_not_in_channel")
    message = {**of_the_app(desk.seed, desk.state.new_ts()), **content(args)}
    if args.get("thread_ts"):
        message["thread_ts"] = str(args["thread_ts"])
    desk.state.whisper(channel.id, user.id, message)
    return {"message_ts": message["ts"]}


def get_permalink(desk: Desk, args: Args) -> Answer:
    channel = desk.channel(args)
    message = desk.state.find(channel.id, str(args.get("message_ts") or ""))
    if message is None:
        raise ApiError("message_not_found")
    thread = message.get("thread_ts") or message["ts"]
    return {"channel": channel.id, "permalink": f"{desk.base_url()}?channel={channel.id}&thread={thread}"}


def add_reaction(desk: Desk, args: Args) -> Answer:
    channel = desk.channel(args)
    message = desk.state.find(channel.id, str(args.get("timestamp") or ""))
    name = str(args.get("name") or "").strip(":")
    if message is None:
        raise ApiError("message_not_found")
    if not name:
        raise ApiError("invalid_name")
    me = desk.seed.app.bot_user
    reactions = message.setdefault("reactions", [])
    found = next((one for one in reactions if one["name"] == name), None)
    if found is None:
        found = {"name": name, "users": [], "count": 0}
        reactions.append(found)
    if me in found["users"]:
        raise ApiError("already_reacted")
    found["users"].append(me)
    found["count"] += 1
    desk.state.tell(channel.id, message)
    return {}


METHODS = {
    "chat.postMessage": Method(run=post_message, scopes=("chat:write",)),
    "chat.update": Method(run=update, scopes=("chat:write",)),
    "chat.delete": Method(run=delete, scopes=("chat:write",)),
    "chat.postEphemeral": Method(run=post_ephemeral, scopes=("chat:write",)),
    "chat.getPermalink": Method(run=get_permalink),
    "reactions.add": Method(run=add_reaction, scopes=("reactions:write",)),
}
