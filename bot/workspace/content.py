"""What a message of the app's is made of: its text and blocks, checked; who it is from; how the API shows it again."""

import secrets
from typing import Any

from bot.workspace import limits
from bot.workspace.blocks import check_blocks, text_size
from bot.workspace.seed import Seed
from bot.workspace.state import Message, State
from bot.workspace.wire import ApiError, Args, as_json, flag


def content(args: Args) -> dict[str, Any]:
    """The text, blocks and metadata that were sent. Raises ApiError with Slack's word for what it would not take."""
    blocks = as_json(args.get("blocks")) if args.get("blocks") else None
    if args.get("blocks") and blocks is None:
        raise invalid_blocks(["must be an array [json-pointer:/blocks]"])
    text = str(args.get("text") or "")
    if markdown := args.get("markdown_text"):
        if text or blocks:
            raise ApiError("markdown_text_conflict")
        text, blocks = str(markdown), [{"type": "markdown", "text": str(markdown)}]
    if blocks:
        _check(blocks)
    if not text and not blocks:
        raise ApiError("no_text")
    found: dict[str, Any] = {"text": text[: limits.TEXT_TRUNCATED]}
    if blocks:
        found["blocks"] = [{**block, "block_id": block.get("block_id") or secrets.token_hex(3)} for block in blocks]
    return found | _metadata(args)


def _check(blocks: Any) -> None:
    if problems := check_blocks(blocks):
        raise invalid_blocks(problems)
    if sum(block["type"] == "table" for block in blocks) > 1:
        raise ApiError("invalid_attachments", response_metadata={"messages": ["[ERROR] only_one_table_allowed"]})
    if text_size(blocks) > limits.BLOCK_TEXT:
        raise ApiError("msg_blocks_too_long")


def invalid_blocks(problems: list[str]) -> ApiError:
    told = [f"[ERROR] {problem}" for problem in problems]
    return ApiError("invalid_blocks", errors=problems, response_metadata={"messages": told})


def _metadata(args: Args) -> dict[str, Any]:
    if not args.get("metadata"):
        return {}
    metadata = as_json(args["metadata"])
    if not isinstance(metadata, dict) or not {"event_type", "event_payload"} <= metadata.keys():
        raise ApiError("invalid_metadata_format")
    return {"metadata": metadata}


def of_the_app(seed: Seed, ts: str) -> Message:
    """The frame of a message by the app."""
    app = seed.app
    profile = {"id": app.bot_id, "app_id": app.id, "user_id": app.bot_user, "name": app.name, "deleted": False}
    return {
        "user": app.bot_user,
        "type": "message",
        "ts": ts,
        "bot_id": app.bot_id,
        "app_id": app.id,
        "team": seed.team_id,
        "bot_profile": {**profile, "icons": {}, "updated": 0, "team_id": seed.team_id},
    }


def threaded(state: State, channel: str, args: Args) -> dict[str, Any]:
    """The part of a message that says in which thread it stands. Raises ApiError when there is no such message."""
    thread = args.get("thread_ts")
    if not thread:
        return {}
    root = state.find(channel, str(thread))
    if root is None:
        raise ApiError("thread_not_found")
    return {
        "thread_ts": str(thread),
        "parent_user_id": root.get("user", ""),
        "_broadcast": flag(args.get("reply_broadcast")),
    }


def shown(state: State, message: Message, base_url: str, *, metadata: bool = True) -> Message:
    """A message as the API shows it."""
    hidden = () if metadata else ("metadata",)
    seen = {k: v for k, v in message.items() if not k.startswith("_") and k not in hidden}
    if message.get("_files"):
        seen["files"] = [state.files.in_the_api(one, base_url) for one in message["_files"] if one in state.files.known]
    if message.get("_edited"):
        seen["edited"] = {"user": message.get("user", ""), "ts": message["_edited"]}
    return seen
