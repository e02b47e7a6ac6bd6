"""The workspace as a server on loopback: routes, who may call, and a log of every call for tests.

Anything whose Host is not this machine is refused, and so is a page of another origin: no web site that somebody has
open can reach it.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from bot.workspace.delivery import Deliverer
from bot.workspace.methods import ApiError, Args, Methods
from bot.workspace.page import Page
from bot.workspace.payloads import labelled
from bot.workspace.people import People
from bot.workspace.rates import Rates
from bot.workspace.seed import Seed, User
from bot.workspace.state import Message, State

STATIC = Path(__file__).parent / "static"
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ws:; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
BODY = 8 * 1024 * 1024
CALLS_KEPT = 20_000


@dataclass(frozen=True, kw_only=True)
class Call:
    method: str
    args: Args
    at: float
    answer: dict[str, Any]


class Workspace:
    """`data`: the folder in which its state is kept; None: nowhere."""

    def __init__(self, seed: Seed, data: Path | None = None) -> None:
        self.seed = seed
        self.page_url = ""
        self.state = State(seed=seed, file=data / "workspace.json" if data else None)
        self.rates = Rates()
        self.calls: list[Call] = []
        self.deliverer = Deliverer(seed.app, self._connections_changed)
        self.people = People(seed=seed, state=self.state, deliverer=self.deliverer, base_url=lambda: self.page_url)
        self.page = Page(seed=seed, state=self.state, people=self.people, connections=self._connections)
        self.methods = Methods(
            seed=seed,
            state=self.state,
            base_url=lambda: self.page_url,
            ticket=self.deliverer.sockets.ticket,
            use_trigger=self.people.use_trigger,
        )
        self.people.on_notice = self.page.notice
        self.state.changed.append(self.page.changed)
        self._runner: web.AppRunner | None = None

    @property
    def api_url(self) -> str:
        return f"{self.page_url}api/"

    def _connections(self) -> int:
        return len(self.deliverer.sockets.connections)

    def _connections_changed(self) -> None:
        self.page.app_changed()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Raises OSError when the port is taken, ValueError for a host that is not this machine."""
        if host not in LOOPBACK:
            raise ValueError("the local workspace is for this machine alone: 127.0.0.1 or localhost")
        self.state.load()
        site = web.Application(middlewares=[_guard], client_max_size=BODY)
        site.router.add_route("*", "/api/{method}", self._api)
        site.router.add_get("/link/", self.deliverer.connect)
        site.router.add_post("/respond/{key}", self._respond)
        site.router.add_post("/upload/{file}", self._upload)
        site.router.add_get("/files/{file}", self._file)
        site.router.add_get("/page", self.page.serve)
        site.router.add_get("/", self._index)
        site.router.add_static("/static/", STATIC)
        site.router.add_get("/_log", self._log)
        site.router.add_post("/_person", self._person)
        self._runner = web.AppRunner(site, access_log=None, shutdown_timeout=1, handle_signals=False)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        self.page_url = f"http://{host}:{self._runner.addresses[0][1]}/"

    async def stop(self) -> None:
        await self.deliverer.stop()
        for tab in list(self.page.tabs):
            await tab.socket.close()
        if self._runner is not None:
            await self._runner.cleanup()
        self.state.close()

    async def _api(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        args = await arguments(request)
        token = _token(request, args)
        headers = {"x-oauth-scopes": self.seed.app.scopes, "x-slack-req-id": f"{time.time_ns():x}"}
        channel = self.state.channel(str(args.get("channel", "")))
        wait = self.rates.wait(method, channel.id if channel else "")
        status = 200
        if wait:
            answer, status = {"ok": False, "error": "ratelimited"}, 429
            headers["Retry-After"] = str(wait)
        else:
            answer = self._answer(method, token, args)
        self.calls.append(Call(method=method, args=args, at=time.monotonic(), answer=answer))
        del self.calls[:-CALLS_KEPT]
        return web.json_response(answer, status=status, headers=headers)

    def _answer(self, method: str, token: str, args: Args) -> dict[str, Any]:
        handler = self.methods.find(method)
        if handler is None:
            return {"ok": False, "error": "unknown_method", "req_method": method}
        app = self.seed.app
        if method != "api.test":
            if not token:
                return {"ok": False, "error": "not_authed"}
            if token != (app.app_token if method == "apps.connections.open" else app.bot_token):
                wrong = "not_allowed_token_type" if token in (app.app_token, app.bot_token) else "invalid_auth"
                return {"ok": False, "error": wrong}
        try:
            return {"ok": True, **handler(args)}
        except ApiError as error:
            return error.answer
        except (TypeError, ValueError, AttributeError) as error:
            return {"ok": False, "error": "invalid_arguments", "response_metadata": {"messages": [str(error)]}}

    async def _respond(self, request: web.Request) -> web.Response:
        body = await arguments(request)
        try:
            content = {} if body.get("delete_original") else self.methods._content(body)
        except ApiError as error:
            return web.Response(status=400, text=str(error.answer["error"]))
        refused = self.people.respond(request.match_info["key"], body, self.methods._of_bot(), content)
        return web.Response(status=404, text=refused) if refused else web.Response(text="ok")

    async def _upload(self, request: web.Request) -> web.Response:
        file = self.state.files.get(request.match_info["file"])
        if file is None:
            return web.Response(status=404, text="no such file")
        if request.content_type.startswith("multipart/"):
            parts = await request.post()
            found = next((p for p in parts.values() if isinstance(p, web.FileField)), None)
            raw = found.file.read() if found else b""
        else:
            raw = await request.read()
        file["content"], file["size"] = raw.decode(errors="replace"), len(raw)
        return web.Response(text=f"OK - {len(raw)}")

    async def _file(self, request: web.Request) -> web.Response:
        file = self.state.files.get(request.match_info["file"])
        if file is None:
            return web.Response(status=404, text="no such file")
        headers = {"X-Content-Type-Options": "nosniff", "Content-Disposition": "inline", "Content-Security-Policy": CSP}
        return web.Response(text=file["content"], content_type="text/plain", headers=headers)

    async def _index(self, _request: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": CSP, "Cache-Control": "no-store"}
        return web.Response(text=(STATIC / "index.html").read_text(), content_type="text/html", headers=headers)

    async def _log(self, _request: web.Request) -> web.Response:
        lines = (
            json.dumps({"method": c.method, "args": c.args, "at": c.at, "answer": c.answer}, default=str)
            for c in self.calls
        )
        return web.Response(text="\n".join(lines) + "\n", content_type="application/x-ndjson")

    async def _person(self, request: web.Request) -> web.Response:
        said = await request.json()
        person = self.person(str(said["user"]))
        if "command" in said:
            await person.command(said["channel"], said["command"], said.get("text", ""))
        elif "click" in said:
            await person.click_at(
                said["channel"], str(said["ts"]), said["click"], ephemeral=bool(said.get("ephemeral"))
            )
        else:
            await person.say(said["channel"], said["say"], said.get("thread_ts"))
        return web.json_response({"ok": True})

    def messages(self, channel: str) -> list[Message]:
        """The messages in a channel itself, oldest first."""
        found = self.state.channel(channel)
        assert found is not None, channel
        return [
            m for m in self.state.in_channel(found.id) if m.get("thread_ts") in (None, m["ts"]) or m.get("_broadcast")
        ]

    def thread(self, channel: str, ts: str) -> list[Message]:
        """The replies below a message, oldest first."""
        found = self.state.channel(channel)
        assert found is not None, channel
        return [m for m in self.state.replies(found.id, ts) if m["ts"] != ts]

    def whispers(self, user: str) -> list[Message]:
        """What only this person sees."""
        found = self.state.user(user)
        assert found is not None, user
        return [m for m in self.state.ephemerals if m["_for"] == found.id]

    def ephemerals(self, user: str) -> list[Message]:
        """The same as `whispers`, by Slack's name for them."""
        return self.whispers(user)

    def person(self, name: str) -> "PersonAtWork":
        """Somebody who types and clicks."""
        user = self.state.user(name)
        if user is None:
            raise KeyError(f"nobody is called {name}")
        return PersonAtWork(workspace=self, user=user)

    async def wait_for(self, condition: Callable[[], Any], timeout: float = 10.0) -> Any:
        """Wait until something holds; what it gave. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            while not (found := condition()):  # noqa: ASYNC110 (any condition, told by nobody)
                await asyncio.sleep(0.01)
        return found


@dataclass(frozen=True, kw_only=True)
class PersonAtWork:
    workspace: Workspace
    user: User

    async def command(self, channel: str, command: str, text: str = "") -> None:
        await self.workspace.people.command(self.user, self._channel(channel), f"{command} {text}".rstrip())

    async def say(self, channel: str, text: str, thread_ts: str | None = None) -> Message:
        return await self.workspace.people.say(self.user, self._channel(channel), text, thread_ts)

    async def click(self, message: Message, label: str, channel: str = "#deploys") -> None:
        """Click the first button whose text begins with `label`. Raises KeyError when there is none."""
        ids = labelled(message, label)
        if ids is None:
            raise KeyError(f"no button {label!r} in: {message.get('text')}")
        where = self._channel(str(message.get("_channel") or channel))
        await self.workspace.people.click(self.user, where, message, *ids)

    async def click_at(self, channel: str, ts: str, label: str, *, ephemeral: bool = False) -> None:
        message = self.workspace.people.message(self._channel(channel), ts, self.user, ephemeral=ephemeral)
        if message is None:
            raise KeyError(f"no message {ts} in {channel}")
        await self.click(message, label, channel)

    def _channel(self, given: str) -> Any:
        channel = self.workspace.state.channel(given)
        if channel is None:
            raise KeyError(f"no channel {given}")
        return channel


async def arguments(request: web.Request) -> Args:
    """What a client sent: in the address, as a form, as JSON, or in parts."""
    args: Args = dict(request.query)
    if request.method == "POST" and request.can_read_body:
        if request.content_type == "application/json":
            found = await request.json()
            args |= found if isinstance(found, dict) else {}
        elif request.content_type.startswith("multipart/"):
            args |= {k: v for k, v in (await request.post()).items() if isinstance(v, str)}
        else:
            args |= dict(parse_qsl((await request.read()).decode(), keep_blank_values=True))
    return args


def _token(request: web.Request, args: Args) -> str:
    header = request.headers.get("Authorization", "")
    return header.removeprefix("Bearer ").strip() or str(args.pop("token", ""))


@web.middleware
async def _guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    host = request.headers.get("Host", "")
    if host.rsplit(":", 1)[0] not in LOOPBACK:
        return web.Response(status=403, text="This server is for this machine alone.")
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{host}":
        return web.Response(status=403, text="Another site's page may not talk to this server.")
    return await handler(request)
