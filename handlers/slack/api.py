"""Slack's Web API as this door uses it: one client, one time limit, one kind of failure.

Which methods are called, and what follows from a failure, is decided by the callers.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Coroutine, Mapping
from enum import StrEnum
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from handlers.slack import limits
from handlers.slack.budget import EDIT, POST, Budgets
from handlers.slack.figures import CALLS, LIMITED

DEFAULT_WAIT = 5.0
LONGEST_WAIT = 300.0


class Trouble(StrEnum):
    """What a failure means for whoever called."""

    AWAY = "away"  # Slack did not answer or is not well: try again later; whether it was done is not known
    BUSY = "busy"  # refused for its rate: not done, try again after `wait`
    NO_ROOM = "no_room"  # we cannot post there
    GONE = "gone"  # the message is not there any more
    FIXED = "fixed"  # the message may not be edited any more
    SHAPE = "shape"  # Slack does not take what we sent
    REFUSED = "refused"  # anything else that Slack says no to


_TROUBLES: Mapping[str, Trouble] = {
    **dict.fromkeys(("ratelimited", "rate_limited", "message_limit_exceeded"), Trouble.BUSY),
    **dict.fromkeys(
        ("internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"), Trouble.AWAY
    ),
    **dict.fromkeys(
        ("not_in_channel", "channel_not_found", "is_archived", "is_inactive", "restricted_action", "invalid_channel"),
        Trouble.NO_ROOM,
    ),
    **dict.fromkeys(("message_not_found", "thread_not_found"), Trouble.GONE),
    **dict.fromkeys(("cant_update_message", "edit_window_closed"), Trouble.FIXED),
    **dict.fromkeys(
        ("invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "invalid_arguments"),
        Trouble.SHAPE,
    ),
}


class Fault(Exception):  # noqa: N818 (a value as much as an exception)
    """A call that failed. `error` is Slack's own word, or ours for no answer; `wait` is in seconds."""

    def __init__(self, *, error: str, trouble: Trouble, wait: float = 0.0) -> None:
        super().__init__(error)
        self.error = error
        self.trouble = trouble
        self.wait = wait


def refused(token: str, fault: Fault) -> str:
    """What to do about a token, named by its variable, that Slack does not take."""
    return (
        f"Slack refuses {token} ({fault}), so nothing is heard or told there. What to do about it says: shipmate doctor"
    )


async def call(answer: Awaitable[Any]) -> dict[str, Any]:
    """What Slack answers, as a dict; `headers` of the answer are under `_headers`. Raises Fault, nothing else."""
    try:
        found = await answer
    except TimeoutError:
        raise Fault(error="no answer in time", trouble=Trouble.AWAY) from None
    except SlackApiError as error:
        raise _fault(error) from None
    except (aiohttp.ClientError, SlackClientError, OSError, ValueError) as error:
        raise Fault(error=f"no answer ({type(error).__name__})", trouble=Trouble.AWAY) from None
    data = dict(found.data) if isinstance(found.data, dict) else {}
    return data | {"_headers": found.headers}


def _fault(error: SlackApiError) -> Fault:
    answer = error.response
    status = int(getattr(answer, "status_code", None) or getattr(answer, "status", None) or 0)
    data = getattr(answer, "data", None)
    word = str(data.get("error", "")) if isinstance(data, dict) else ""
    if status == 429 or _TROUBLES.get(word) is Trouble.BUSY:
        return Fault(error="ratelimited", trouble=Trouble.BUSY, wait=retry_after(dict(answer.headers)))
    if status >= 500 or not word:
        return Fault(error=word or f"HTTP {status}", trouble=Trouble.AWAY)
    return Fault(error=word, trouble=_TROUBLES.get(word, Trouble.REFUSED))


def retry_after(headers: Mapping[str, Any]) -> float:
    """The seconds in a Retry-After header; a default for one that is missing or odd, never more than five minutes."""
    found = next((value for name, value in headers.items() if name.lower() == "retry-after"), None)
    text = found[0] if isinstance(found, list) and found else found
    try:
        seconds = float(str(text))
    except ValueError:
        return DEFAULT_WAIT
    return min(max(seconds, 0.0), LONGEST_WAIT) if math.isfinite(seconds) else DEFAULT_WAIT


class Client(AsyncWebClient):
    """The SDK's client, whose calls keep to the budgets of the workspace, have a time limit, and are counted.

    `patient`: a short rate limit is waited out once, and nobody is held up for long. Who paints waits as long as it
    takes, and decides what to do about a rate limit."""

    def __init__(self, *, budgets: Budgets, patient: bool, **more: Any) -> None:
        super().__init__(retry_handlers=[], **more)
        self._budgets = budgets
        self._patient = patient

    async def api_call(self, api_method: str, **more: Any) -> AsyncSlackResponse:
        try:
            return await self._in_turn(api_method, more)
        except SlackApiError as error:
            fault = _fault(error)
            if not self._patient or fault.trouble is not Trouble.BUSY or fault.wait > limits.HELD_UP:
                raise
        return await self._in_turn(api_method, more)

    async def _in_turn(self, method: str, given: dict[str, Any]) -> AsyncSlackResponse:
        channel = (given.get("json") or {}).get("channel")
        if self._patient or method not in (EDIT, POST):
            await self._turn(self._budgets.turn(method, channel))
        result: Trouble | None = Trouble.AWAY
        try:
            async with asyncio.timeout(limits.CALL):
                answer = await super().api_call(method, **given)
            result = None
        except SlackApiError as error:
            fault = _fault(error)
            result = fault.trouble
            if fault.trouble is Trouble.BUSY:
                self._budgets.refused(method, fault.wait, channel)
            raise
        finally:
            counted(method, result or "ok")
            if result is not Trouble.BUSY:  # who is told to come less often is kept waiting by the budgets
                self._budgets.outage.noted(answered=result is not Trouble.AWAY)
        return answer

    async def _turn(self, turn: Coroutine[Any, Any, None]) -> None:
        try:
            async with asyncio.timeout(limits.HELD_UP if self._patient else None):
                await turn
        except TimeoutError:
            raise Fault(error="ratelimited", trouble=Trouble.BUSY) from None


def counted(method: str, result: str) -> None:
    CALLS.labels(method, result).inc()
    if result == Trouble.BUSY:
        LIMITED.labels(method).inc()


def client(token: str, api_url: str, session: aiohttp.ClientSession, *, budgets: Budgets, patient: bool) -> Client:
    """A client on the shared session."""
    made = Client(
        token=token,
        base_url=api_url,
        session=session,
        budgets=budgets,
        patient=patient,
        logger=quiet(),
        timeout=int(limits.CALL),
    )
    made.proxy = proxy_for(api_url, made.proxy)
    return made


def proxy_for(url: str, proxy: str | None) -> str | None:
    """The proxy towards `url`: none for this machine, nor for what NO_PROXY names."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or proxy_bypass(host):
        return None
    try:
        return None if ip_address(host).is_loopback else proxy
    except ValueError:
        return proxy


def quiet() -> logging.Logger:
    """The logger that Bolt and the SDK get: their warnings quote whole payloads."""
    logger = logging.getLogger("handlers.slack.sdk")
    logger.setLevel(logging.ERROR)
    return logger
