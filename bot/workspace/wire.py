"""How a request is read, and how a no is said: arguments in the address, as a form, as JSON or in parts."""

import json
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

Args = dict[str, Any]
Answer = dict[str, Any]


class ApiError(Exception):
    """A no of Slack's: its word, and what goes with it."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.answer: Answer = {"ok": False, "error": error, **more}


async def arguments(request: web.Request) -> Args:
    """What a client sent, whichever way. Raises ApiError for a body that cannot be read."""
    args: Args = dict(request.query)
    if request.method != "POST" or not request.can_read_body:
        return args
    match request.content_type:
        case "application/json":
            return args | _json_object(await request.read())
        case kind if kind.startswith("multipart/"):
            return args | {k: v for k, v in (await request.post()).items() if isinstance(v, str)}
        case _:
            try:
                return args | dict(parse_qsl((await request.read()).decode(), keep_blank_values=True))
            except ValueError:
                raise ApiError("invalid_form_data") from None


def _json_object(raw: bytes) -> Args:
    try:
        found = json.loads(raw)
    except ValueError:
        raise ApiError("invalid_json") from None
    if not isinstance(found, dict):
        raise ApiError("json_not_object")
    return found


def take_token(request: web.Request, args: Args) -> str:
    """The caller's token, from the header or the arguments; it is taken out of these, so that no log keeps it."""
    given = str(args.pop("token", ""))
    return request.headers.get("Authorization", "").removeprefix("Bearer ").strip() or given


def flag(value: Any) -> bool:
    """A yes or no as JSON has it, or as text."""
    return value is True or str(value).lower() in ("true", "1")


def as_json(value: Any) -> Any:
    """A list or mapping that a client may have sent as JSON text; None when the text is not JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return None


def whole(value: Any, default: int, most: int) -> int:
    """A count between 1 and `most`. Raises ApiError("invalid_limit")."""
    try:
        found = int(value or default)
    except (TypeError, ValueError):
        raise ApiError("invalid_limit") from None
    if found < 1:
        raise ApiError("invalid_limit")
    return min(found, most)
