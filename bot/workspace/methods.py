"""The Web API's methods, as far as an app like ours needs them, with Slack's own errors."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.workspace import limits
from bot.workspace.payloads import as_list
from bot.workspace.seed import Channel, Seed, User
from bot.workspace.state import Message, State

Args = dict[str, Any]
Answer = dict[str, Any]


class ApiError(Exception):
    """A no of Slack's: its word, and what goes with it."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.answer: Answer = {"ok": False, "error": error, **more}


@dataclass
class Methods:
    seed: Seed
    state: State
    base_url: Callable[[], str]
    ticket: Callable[[], str]
    use_trigger: Callable[[str], str | None]  # why a trigger id is no good

    def find(self, method: str) -> Callable[[Args], Answer] | None:
        return getattr(self, method.replace(".", "_"), None) if "." in method else None

    def api_test(self, args: Args) -> Answer:
        return {"args": args}

    def auth_test(self, _args: Args) -> Answer:
        app = self.seed.app
        return {
            "url": self.base_url(),
            "team": self.seed.team_name,
            "user": app.name,
            "team_id": self.seed.team_id,
            "user_id": app.bot_user,
            "bot_id": app.bot_id,
            "is_enterprise_install": False,
        }

    def apps_connections_open(self, _args: Args) -> Answer:
        url = self.base_url().replace("http", "ws", 1)
        return {"url": f"{url}link/?ticket={self.ticket()}&app_id={self.seed.app.id}"}

    def team_info(self, _args: Args) -> Answer:
        return {"team": {"id": self.seed.team_id, "name": self.seed.team_name, "domain": self.seed.team_name}}

    def _channel(self, args: Args, *, post: bool = False) -> Channel:
        channel = self.state.channel(str(args.get("channel", "")))
        if channel is None or (channel.private and not channel.bot_is_member and not channel.id.startswith("D")):
            raise ApiError("channel_not_found")
        if post and not channel.bot_is_member and "chat:write.public" not in self.seed.app.scopes:
            raise ApiError("not_in_channel")
        return channel

    def _content(self, args: Args) -> dict[str, Any]:
        """The text and blocks of a message, checked."""
        text = str(args.get("text") or "")
        blocks = as_list(args.get("blocks")) if args.get("blocks") else None
        if blocks:
            if problems := limits.check_blocks(blocks):
                told = [f"[ERROR] {problem}" for problem in problems]
                raise ApiError("invalid_blocks", errors=problems, response_metadata={"messages": told})
            if limits.text_size(blocks) > limits.BLOCK_TEXT:
                raise ApiError("msg_blocks_too_long")
        if not text and not blocks:
            raise ApiError("no_text")
        found: dict[str, Any] = {"text": text[: limits.TEXT_TRUNCATED]}
        if blocks:
            found["blocks"] = [{**block, "block_id": block.get("block_id") or secrets.token_hex(3)} for block in blocks]
        if metadata := as_list(args.get("metadata")):
            found["metadata"] = metadata
        return found

    def _of_bot(self) -> Message:
        app = self.seed.app
        profile = {"id": app.bot_id, "app_id": app.id, "user_id": app.bot_user, "name": app.name, "deleted": False}
        return {
            "user": app.bot_user,
            "type": "message",
            "bot_id": app.bot_id,
            "app_id": app.id,
            "team": self.seed.team_id,
            "bot_profile": {**profile, "icons": {}, "updated": 0, "team_id": self.seed.team_id},
        }

    def chat_postMessage(self, args: Args) -> Answer:  # noqa: N802 (Slack's name)
        channel = self._channel(args, post=True)
        message = {**self._of_bot(), "ts": self.state.new_ts(), **self._content(args)}
        if thread := args.get("thread_ts"):
            if self.state.find(channel.id, str(thread)) is None:
                raise ApiError("thread_not_found")
            message["thread_ts"] = str(thread)
            message["_broadcast"] = str(args.get("reply_broadcast", "")).lower() in ("true", "1")
        self.state.add(channel.id, message)
        return {"channel": channel.id, "ts": message["ts"], "message": shown(message)}

    def chat_update(self, args: Args) -> Answer:
        channel = self._channel(args)
        message = self.state.find(channel.id, str(args.get("ts", "")))
        if message is None:
            raise ApiError("message_not_found")
        if message.get("bot_id") != self.seed.app.bot_id:
            raise ApiError("cant_update_message")
        content = self._content(args)
        if len(content["text"]) > limits.UPDATE_TEXT:
            raise ApiError("msg_too_long")
        if "blocks" not in content:
            message.pop("blocks", None)
            message["_edited"] = True
        message.update(content)
        self.state.tell(channel.id, message)
        return {"channel": channel.id, "ts": message["ts"], "text": message["text"], "message": shown(message)}

    def chat_delete(self, args: Args) -> Answer:
        channel = self._channel(args)
        message = self.state.find(channel.id, str(args.get("ts", "")))
        if message is None:
            raise ApiError("message_not_found")
        if message.get("bot_id") != self.seed.app.bot_id:
            raise ApiError("cant_delete_message")
        self.state.remove(channel.id, message["ts"])
        return {"channel": channel.id, "ts": message["ts"]}

    def chat_postEphemeral(self, args: Args) -> Answer:  # noqa: N802
        channel = self._channel(args)
        user = self.state.user(str(args.get("user", "")))
        if user is None:
            raise ApiError("user_not_in_channel")
        if not channel.bot_is_member:
            raise ApiError("not_in_channel")
        message = {**self._of_bot(), "ts": self.state.new_ts(), **self._content(args)}
        if args.get("thread_ts"):
            message["thread_ts"] = str(args["thread_ts"])
        self.state.whisper(channel.id, user.id, message)
        return {"message_ts": message["ts"]}

    def chat_getPermalink(self, args: Args) -> Answer:  # noqa: N802
        channel = self._channel(args)
        ts = str(args.get("message_ts", ""))
        if self.state.find(channel.id, ts) is None:
            raise ApiError("message_not_found")
        return {"channel": channel.id, "permalink": f"{self.base_url()}?channel={channel.name}#{ts}"}

    def conversations_info(self, args: Args) -> Answer:
        return {"channel": self._described(self._channel(args))}

    def conversations_list(self, args: Args) -> Answer:
        kinds = str(args.get("types") or "public_channel")
        fit = [
            c
            for c in self.seed.channels
            if ("private_channel" if c.private else "public_channel") in kinds and (c.bot_is_member or not c.private)
        ]
        return {"channels": [self._described(c) for c in fit], "response_metadata": {"next_cursor": ""}}

    def _described(self, channel: Channel) -> dict[str, Any]:
        direct = channel.id.startswith("D")
        return {
            "id": channel.id,
            "name": "" if direct else channel.name,
            "is_channel": not channel.private,
            "is_group": channel.private and not direct,
            "is_im": direct,
            "is_mpim": False,
            "is_private": channel.private,
            "is_archived": False,
            "is_member": channel.bot_is_member,
            **({"user": channel.id[1:]} if direct else {}),
        }

    def conversations_history(self, args: Args) -> Answer:
        channel = self._channel(args)
        if not channel.bot_is_member:
            raise ApiError("not_in_channel")
        found = [
            m for m in self.state.in_channel(channel.id) if m.get("thread_ts") in (None, m["ts"]) or m.get("_broadcast")
        ]
        return self._page(args, found[::-1])

    def conversations_replies(self, args: Args) -> Answer:
        channel = self._channel(args)
        found = self.state.replies(channel.id, str(args.get("ts", "")))
        if not found:
            raise ApiError("thread_not_found")
        return self._page(args, found)

    def _page(self, args: Args, found: list[Message]) -> Answer:
        oldest, latest = float(args.get("oldest") or 0), float(args.get("latest") or "inf")
        metadata = str(args.get("include_all_metadata", "")).lower() in ("true", "1")
        fit = [m for m in found if oldest < float(m["ts"]) <= latest]
        most = int(args.get("limit") or 100)
        return {"messages": [shown(m, metadata=metadata) for m in fit[:most]], "has_more": len(fit) > most}

    def conversations_members(self, args: Args) -> Answer:
        channel = self._channel(args)
        people = [u.id for u in self.seed.users if u.kind not in ("deleted", "bot")]
        return {"members": people + ([self.seed.app.bot_user] if channel.bot_is_member else [])}

    def conversations_open(self, args: Args) -> Answer:
        user = self.state.user(str(args.get("users", "")).split(",")[0])
        if user is None:
            raise ApiError("user_not_found")
        return {"channel": {"id": f"D{user.id}"}}

    def users_info(self, args: Args) -> Answer:
        user = self.state.user(str(args.get("user", "")))
        if user is None or user.id != args.get("user"):
            raise ApiError("user_not_found")
        return {"user": self.person(user)}

    def users_list(self, _args: Args) -> Answer:
        return {"members": [self.person(u) for u in self.seed.users], "response_metadata": {"next_cursor": ""}}

    def users_lookupByEmail(self, args: Args) -> Answer:  # noqa: N802
        fit = [u for u in self.seed.users if u.email == args.get("email")]
        if not fit:
            raise ApiError("users_not_found")
        return {"user": self.person(fit[0])}

    def person(self, user: User) -> dict[str, Any]:
        return {
            "id": user.id,
            "team_id": "T0OTHER" if user.kind == "stranger" else self.seed.team_id,
            "name": user.name,
            "real_name": user.real_name,
            "deleted": user.kind == "deleted",
            "is_admin": user.kind == "admin",
            "is_bot": user.kind == "bot",
            "is_restricted": user.kind == "guest",
            "is_ultra_restricted": False,
            "is_stranger": user.kind == "stranger",
            "profile": {"email": user.email, "real_name": user.real_name, "display_name": user.name},
        }

    def usergroups_list(self, _args: Args) -> Answer:
        groups = [{"id": f"S0{h.upper()}", "handle": h, "name": h, "date_delete": 0} for h, _ in self.seed.groups]
        return {"usergroups": groups}

    def usergroups_users_list(self, args: Args) -> Answer:
        for handle, users in self.seed.groups:
            if args.get("usergroup") == f"S0{handle.upper()}":
                return {"users": list(users)}
        raise ApiError("no_such_subteam")

    def files_getUploadURLExternal(self, args: Args) -> Answer:  # noqa: N802
        if not args.get("filename") or not str(args.get("length", "")).isdigit():
            raise ApiError("invalid_arguments")
        file = self.state.new_file(str(args["filename"]), int(args["length"]))
        return {"upload_url": f"{self.base_url()}upload/{file}", "file_id": file}

    def files_completeUploadExternal(self, args: Args) -> Answer:  # noqa: N802
        files = as_list(args.get("files")) or []
        ids = [str(one["id"]) for one in files]
        if not ids or any(one not in self.state.files for one in ids):
            raise ApiError("file_not_found")
        for one in files:
            self.state.files[str(one["id"])]["title"] = one.get("title", "")
        given = args.get("channel_id") or str(args.get("channels") or "").split(",")[0]
        if given:
            channel = self._channel({"channel": given}, post=True)
            message = {**self._of_bot(), "ts": self.state.new_ts(), "text": str(args.get("initial_comment") or "")}
            message["_files"] = ids
            message["files"] = [self.file(one) for one in ids]
            message["subtype"] = "file_share"
            if args.get("thread_ts"):
                message["thread_ts"] = str(args["thread_ts"])
            self.state.add(channel.id, message)
        return {"files": [self.file(one) for one in ids]}

    def files_info(self, args: Args) -> Answer:
        if args.get("file") not in self.state.files:
            raise ApiError("file_not_found")
        return {"file": self.file(str(args["file"]))}

    def file(self, file: str) -> dict[str, Any]:
        kept = self.state.files[file]
        url = f"{self.base_url()}files/{file}"
        return {
            "id": file,
            "name": kept["name"],
            "title": kept.get("title", ""),
            "size": kept["size"],
            "permalink": url,
        }

    def views_open(self, args: Args) -> Answer:
        if why := self.use_trigger(str(args.get("trigger_id", ""))):
            raise ApiError(why)
        view = as_list(args.get("view"))
        if not isinstance(view, dict) or view.get("type") != "modal":
            raise ApiError("invalid_arguments")
        return {"view": {**view, "id": f"V{secrets.token_hex(5).upper()}", "team_id": self.seed.team_id}}

    def reactions_add(self, args: Args) -> Answer:
        channel = self._channel(args)
        if self.state.find(channel.id, str(args.get("timestamp", ""))) is None:
            raise ApiError("message_not_found")
        return {}


def shown(message: Message, *, metadata: bool = True) -> Message:
    """A message as the API shows it."""
    hidden = () if metadata else ("metadata",)
    return {k: v for k, v in message.items() if not k.startswith("_") and k not in hidden}
