"""A small Slack for tests of the Slack door: keeps what it is told, fails when it is told to, and checks nothing.

The local workspace is the strict one; this one can be away, forget an answer, or look different."""

import asyncio
import itertools
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

TEAM, BOT_USER, BOT = "T1", "UBOT", "BBOT"
Data = dict[str, Any]
Fate = Callable[[Data], web.Response | None]


def user(slack_id: str, name: str, **more: Any) -> Data:
    return {"id": slack_id, "name": name, "team_id": TEAM, "profile": {"email": f"{name}@example.test"}, **more}


def failing(error: str, *, times: int = 1, status: int = 200, retry_after: str | None = None) -> Fate:
    """A fate that answers `error` so often, then lets calls pass."""
    headers = {"Retry-After": retry_after} if retry_after is not None else {}
    left = itertools.count(times, -1)

    def fate(_call: Data) -> web.Response | None:
        if next(left) <= 0:
            return None
        return web.json_response({"ok": False, "error": error}, status=status, headers=headers)

    return fate


@dataclass
class Slack:
    """`calls` is every call in order with the moment it came; `messages` what stands in channels; `private` what came
    to response addresses. `fates` decide a method's answer before it is carried out, `lost` after."""

    url: str = ""
    users: dict[str, Data] = field(default_factory=dict)
    channels: dict[str, Data] = field(default_factory=dict)
    groups: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    scopes: str | None = "chat:write,chat:write.public"
    calls: list[tuple[float, str, Data]] = field(default_factory=list)
    messages: list[Data] = field(default_factory=list)
    files: list[Data] = field(default_factory=list)
    private: list[Data] = field(default_factory=list)
    fates: dict[str, Fate] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    acks: list[Data] = field(default_factory=list)
    tickets: set[str] = field(default_factory=set)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    number: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def of(self, method: str) -> list[Data]:
        return [data for _, called, data in self.calls if called == method]

    def at(self, method: str, **wanted: str) -> list[float]:
        """When a method was called with these arguments."""
        return [at for at, called, data in self.calls if called == method and wanted.items() <= data.items()]

    def thread(self, ts: str) -> list[Data]:
        return [message for message in self.messages if message.get("thread_ts") == ts]

    async def until(self, condition: Callable[[], object], seconds: float = 45.0) -> None:
        """Wait until something holds of what Slack was told."""
        try:
            async with asyncio.timeout(seconds), self.changed:
                await self.changed.wait_for(lambda: bool(condition()))
        except TimeoutError:
            raise AssertionError(f"waited in vain; calls were {[(m, d) for _, m, d in self.calls][-12:]}") from None

    async def api(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        data = await _arguments(request)
        self.calls.append((time.monotonic(), method, data))
        fate = self.fates.get(method)
        answer = fate(data) if fate else None
        if answer is None:
            handler = getattr(self, "do_" + method.replace(".", "_"), None)
            body = handler(data) if handler else {"ok": False, "error": "unknown_method"}
            answer = web.json_response(body, headers={"x-oauth-scopes": self.scopes} if self.scopes else {})
        async with self.changed:
            self.changed.notify_all()
        if self.lost[method] > 0:
            self.lost[method] -= 1
            assert request.transport is not None
            request.transport.close()
        return answer

    def do_auth_test(self, _data: Data) -> Data:
        return {"ok": True, "team_id": TEAM, "user_id": BOT_USER, "bot_id": BOT}

    def do_users_info(self, data: Data) -> Data:
        found = self.users.get(data["user"])
        return {"ok": True, "user": found} if found else {"ok": False, "error": "user_not_found"}

    def do_users_list(self, _data: Data) -> Data:
        return {"ok": True, "members": list(self.users.values())}

    def do_usergroups_list(self, _data: Data) -> Data:
        return {"ok": True, "usergroups": [{"id": key, "handle": name} for key, (name, _) in self.groups.items()]}

    def do_usergroups_users_list(self, data: Data) -> Data:
        return {"ok": True, "users": self.groups[data["usergroup"]][1]}

    def do_conversations_list(self, _data: Data) -> Data:
        return {"ok": True, "channels": list(self.channels.values())}

    def do_conversations_info(self, data: Data) -> Data:
        found = self.channels.get(data["channel"])
        return {"ok": True, "channel": found} if found else {"ok": False, "error": "channel_not_found"}

    def do_chat_postMessage(self, data: Data) -> Data:  # noqa: N802 (Slack's name)
        ts = f"17000000{next(self.number):02d}.000100"
        self.messages.append({**data, "ts": ts, "edits": []})
        return {"ok": True, "channel": data["channel"], "ts": ts}

    def do_chat_postEphemeral(self, data: Data) -> Data:  # noqa: N802
        if data["channel"] not in self.channels:
            return {"ok": False, "error": "channel_not_found"}
        self.private.append(data)
        return {"ok": True, "message_ts": "1"}

    def do_chat_update(self, data: Data) -> Data:
        for message in self.messages:
            if (message["channel"], message["ts"]) == (data["channel"], data["ts"]):
                message["edits"].append(time.monotonic())
                message.update(data)
                return {"ok": True, "channel": data["channel"], "ts": data["ts"]}
        return {"ok": False, "error": "message_not_found"}

    def do_conversations_history(self, data: Data) -> Data:
        found = [m for m in self.messages if m["channel"] == data["channel"] and not m.get("thread_ts")]
        return {"ok": True, "messages": found[::-1]}

    def do_conversations_replies(self, data: Data) -> Data:
        files = [{"ts": "1.0", "files": file["files"]} for file in self.files if file["thread_ts"] == data["ts"]]
        return {"ok": True, "messages": self.thread(data["ts"]) + files}

    def do_files_getUploadURLExternal(self, data: Data) -> Data:  # noqa: N802
        number = next(self.number)
        self.files.append({"id": f"F{number}", "name": data["filename"], "thread_ts": "", "files": []})
        return {"ok": True, "upload_url": f"{self.url}upload/F{number}", "file_id": f"F{number}"}

    def do_files_completeUploadExternal(self, data: Data) -> Data:  # noqa: N802
        wanted = data["files"] if isinstance(data["files"], list) else json.loads(data["files"])
        for file in self.files:
            if file["id"] == wanted[0]["id"]:
                file |= {"thread_ts": data["thread_ts"], "files": [{"id": file["id"], "name": file["name"]}]}
        return {"ok": True, "files": [{"id": wanted[0]["id"]}]}

    def do_apps_connections_open(self, _data: Data) -> Data:
        ticket = f"ticket-{next(self.number)}"
        self.tickets.add(ticket)
        return {"ok": True, "url": f"{self.url.replace('http', 'ws')}link?ticket={ticket}"}

    async def upload(self, request: web.Request) -> web.Response:
        for file in self.files:
            if file["id"] == request.match_info["file"]:
                file["content"] = await request.read()
        return web.Response(text="OK")

    async def reply(self, request: web.Request) -> web.Response:
        if request.match_info["state"] == "used":
            return web.Response(status=404, text="used_url")
        async with self.changed:
            self.private.append(await request.json())
            self.changed.notify_all()
        return web.Response(text="ok")

    async def link(self, request: web.Request) -> web.WebSocketResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self.tickets:
            raise web.HTTPUnauthorized
        self.tickets.discard(ticket)
        socket = web.WebSocketResponse(autoping=True)
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1})
        self.sockets.append(socket)
        async with self.changed:
            self.changed.notify_all()
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                async with self.changed:
                    self.acks.append(json.loads(message.data))
                    self.changed.notify_all()
        return socket

    async def deliver(self, kind: str, payload: Mapping[str, Any]) -> str:
        """Send an envelope over the newest socket; its id."""
        envelope = f"e{next(self.number)}"
        await self.sockets[-1].send_json({"type": kind, "envelope_id": envelope, "payload": payload})
        return envelope

    def acked(self, envelope: str) -> bool:
        return any(ack["envelope_id"] == envelope for ack in self.acks)


async def _arguments(request: web.Request) -> Data:
    data: Data = dict(request.query)
    if request.content_type == "application/json":
        data |= await request.json()
    elif request.can_read_body:
        data |= {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
    return {
        key: json.loads(v) if key in ("blocks", "metadata") and isinstance(v, str) else v for key, v in data.items()
    }


@asynccontextmanager
async def running(slack: Slack) -> AsyncIterator[Slack]:
    """Serve on a free port of this machine."""
    site = web.Application()
    site.router.add_route("*", "/api/{method}", slack.api)
    site.router.add_post("/upload/{file}", slack.upload)
    site.router.add_post("/reply/{state}", slack.reply)
    site.router.add_get("/link", slack.link)
    runner = web.AppRunner(site, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        slack.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        yield slack
    finally:
        for socket in slack.sockets:
            await socket.close()
        await runner.cleanup()
