"""Web API: files, in the three steps that Slack asks for: an address, the bytes, the place they belong to."""

from bot.workspace.content import of_the_app, threaded
from bot.workspace.desk import Desk, Method
from bot.workspace.wire import Answer, ApiError, Args, as_json


def get_upload_url(desk: Desk, args: Args) -> Answer:
    length = str(args.get("length") or "")
    if not args.get("filename"):
        raise ApiError(
            "invalid_arguments", response_metadata={"messages": ["[ERROR] missing required field: filename"]}
        )
    if not length.isdigit() or int(length) < 1:
        raise ApiError("invalid_arguments", response_metadata={"messages": ["[ERROR] missing required field: length"]})
    file = desk.state.files.announce(str(args["filename"]), int(length))
    return {"upload_url": f"{desk.base_url()}upload/{file}", "file_id": file}


def complete_upload(desk: Desk, args: Args) -> Answer:
    asked = as_json(args.get("files"))
    files = desk.state.files
    if not isinstance(asked, list) or not asked or not all(isinstance(one, dict) for one in asked):
        raise ApiError("invalid_arguments", response_metadata={"messages": ["[ERROR] missing required field: files"]})
    ids = [str(one.get("id")) for one in asked]
    if any(one not in files.known or not files.known[one]["here"] for one in ids):
        raise ApiError("file_not_found")
    for one, told in zip(ids, asked, strict=True):
        files.known[one]["title"] = str(told.get("title") or files.known[one]["name"])
    for given in filter(None, str(args.get("channel_id") or args.get("channels") or "").split(",")):
        _share(desk, given, ids, args)
    return {"files": [files.in_the_api(one, desk.base_url()) for one in ids]}


def _share(desk: Desk, given: str, ids: list[str], args: Args) -> None:
    channel = desk.channel({"channel": given})
    if not channel.bot_is_member:
        raise ApiError("not_in_channel")
    message = {**of_the_app(desk.seed, desk.state.new_ts()), "text": str(args.get("initial_comment") or "")}
    message |= {"_files": ids, "upload": True, **threaded(desk.state, channel.id, {"thread_ts": args.get("thread_ts")})}
    desk.state.add(channel.id, message)


def info(desk: Desk, args: Args) -> Answer:
    file = str(args.get("file") or "")
    if file not in desk.state.files.known:
        raise ApiError("file_not_found")
    return {"file": desk.state.files.in_the_api(file, desk.base_url())}


METHODS = {
    "files.getUploadURLExternal": Method(run=get_upload_url, scopes=("files:write",)),
    "files.completeUploadExternal": Method(run=complete_upload, scopes=("files:write",)),
    "files.info": Method(run=info, scopes=("files:read",)),
}
