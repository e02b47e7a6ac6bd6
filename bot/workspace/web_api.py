"""The Web API's front: who calls, whether they may and how often; every call is logged. The methods are in api_*.py."""

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.workspace import api_chat, api_conversations, api_files, api_team, api_views
from bot.workspace.desk import Desk, Method
from bot.workspace.rates import Rates
from bot.workspace.wire import ApiError, Args, arguments, take_token

METHODS = {
    **api_team.METHODS,
    **api_chat.METHODS,
    **api_conversations.METHODS,
    **api_files.METHODS,
    **api_views.METHODS,
}
CALLS_KEPT = 20_000


@dataclass(frozen=True, kw_only=True)
class Call:
    """`at` on the monotonic clock; `args` without the token; `status` of HTTP."""

    method: str
    args: Args
    at: float
    status: int
    answer: dict[str, Any]


class WebApi:
    def __init__(self, desk: Desk, rates: Rates) -> None:
        self._desk = desk
        self._rates = rates
        self.calls: list[Call] = []
        self.delay = 0.0  # seconds each call is held up, for tests of slow times

    async def serve(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        headers = {"x-oauth-scopes": self._desk.seed.app.scopes, "x-slack-req-id": f"{time.time_ns():x}"}
        args: Args = {}
        status = 200
        try:
            args = await arguments(request)
            token = take_token(request, args)
            if self.delay:
                await asyncio.sleep(self.delay)
            self._admit(method, token)
            if wait := self._rates.wait(method, self._channel(args)):
                headers["Retry-After"], status = str(wait), 429
                raise ApiError("ratelimited")
            answer = {"ok": True, **METHODS[method].run(self._desk, args)}
        except ApiError as error:
            answer = error.answer
        self._log(Call(method=method, args=args, at=time.monotonic(), status=status, answer=answer))
        return web.json_response(answer, status=status, headers=headers)

    def _channel(self, args: Args) -> str:
        channel = self._desk.state.channel(str(args.get("channel") or ""))
        return channel.id if channel else ""

    def _admit(self, name: str, token: str) -> None:
        """Raises ApiError for a method there is not, and a token that is not for it."""
        method = METHODS.get(name)
        if method is None:
            raise ApiError("unknown_method", req_method=name)
        if method.open:
            return
        app = self._desk.seed.app
        if not token:
            raise ApiError("not_authed")
        if token not in (app.bot_token, app.app_token):
            raise ApiError("invalid_auth")
        if token != (app.app_token if method.app_token else app.bot_token):
            raise ApiError("not_allowed_token_type")
        self._scoped(method)

    def _scoped(self, method: Method) -> None:
        held = self._desk.scopes
        if method.scopes and not any(scope in held for scope in method.scopes):
            raise ApiError("missing_scope", needed=",".join(method.scopes), provided=",".join(held))

    def _log(self, call: Call) -> None:
        self.calls.append(call)
        del self.calls[:-CALLS_KEPT]

    async def log(self, _request: web.Request) -> web.Response:
        """Every call so far, a line of JSON each."""
        lines = (json.dumps(vars(call), default=str) + "\n" for call in self.calls)
        return web.Response(text="".join(lines), content_type="application/x-ndjson")
