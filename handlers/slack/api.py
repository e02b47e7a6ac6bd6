"""Slack's Web API as this door uses it: one client, one time limit, one kind of failure.

Which methods are called, and what follows from a failure, is decided by the callers.
"""

import asyncio
import logging
import math
import random
from collections.abc import Awaitable, Mapping
from enum import StrEnum
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from handlers.slack import limits
from handlers.slack.figures import CALLS, LIMITED

DEFAULT_WAIT = 5.0
LONGEST_WAIT = 300.0
SHORT_WAIT = 20.0  # what an answer to a person may be held up by


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


async def call(answer: Awaitable[Any], *, within: float = limits.CALL) -> dict[str, Any]:
    """What Slack answers, as a dict; `headers` of the answer are under `_headers`. Raises Fault, nothing else."""
    try:
        async with asyncio.timeout(within):
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


class WaitOnce(AsyncRateLimitErrorRetryHandler):
    """Wait as long as Slack says and call again, once, when that is not long."""

    def __init__(self) -> None:
        super().__init__(max_retry_count=1)

    async def prepare_for_next_attempt_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> None:
        wait = retry_after(response.headers) if response is not None else LONGEST_WAIT
        if wait > SHORT_WAIT:
            return
        LIMITED.labels(urlsplit(request.url).path.rsplit("/", 1)[-1]).inc()
        await asyncio.sleep(wait + random.random() / 2)  # noqa: S311 (spreads callers, keeps no secret)
        state.next_attempt_requested = True
        state.increment_current_attempt()


class Counting(AsyncWebClient):
    """The SDK's client, whose calls are counted."""

    async def api_call(self, api_method: str, **more: Any) -> AsyncSlackResponse:
        result = str(Trouble.AWAY)
        try:
            answer = await super().api_call(api_method, **more)
            result = "ok"
        except SlackApiError as error:
            result = _fault(error).trouble
            raise
        finally:
            counted(api_method, result)
        return answer


def counted(method: str, result: str) -> None:
    CALLS.labels(method, result).inc()
    if result == Trouble.BUSY:
        LIMITED.labels(method).inc()


def client(token: str, api_url: str, session: aiohttp.ClientSession, *, patient: bool) -> AsyncWebClient:
    """A client on the shared session. `patient` waits out a rate limit; painters do their own waiting."""
    made = Counting(
        token=token,
        base_url=api_url,
        session=session,
        retry_handlers=[WaitOnce()] if patient else [],
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
