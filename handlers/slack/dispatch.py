"""Handing a delivery to Bolt, over either transport: what Bolt cannot handle is acknowledged all the same, for Slack
would deliver it again and again. The one thing that is not acknowledged is an ask that could not be kept."""

import logging
from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from handlers.slack.figures import ACKS
from pipelines.shipmate import noted

log = logging.getLogger(__name__)

KINDS = {
    "block_actions": "click",
    "block_suggestion": "suggestion",
    "event_callback": "message",
    "view_submission": "form",
    "view_closed": "form",
}

NOT_KEPT = "not_kept"  # a listener sets this in the request's context before it raises


async def dispatched(app: AsyncApp, request: AsyncBoltRequest) -> BoltResponse:
    """Bolt's answer: 200, or 500 for an ask that could not be kept. Never raises."""
    with ACKS.labels(kind_of(request.body)).time():
        return await _dispatched(app, request)


def kind_of(body: Mapping[str, Any]) -> str:
    """What kind of delivery this is, in words of ours alone: they become labels of figures."""
    if "command" in body:
        return "command"
    return KINDS.get(str(body.get("type")), "other")


async def _dispatched(app: AsyncApp, request: AsyncBoltRequest) -> BoltResponse:
    try:
        answer = await app.async_dispatch(request)
    except Exception as error:
        noted(log, "Bolt handled a delivery, which is acknowledged all the same", error)
        return BoltResponse(status=200)
    if answer.status == 200 or request.context.get(NOT_KEPT):
        return answer
    log.info("nobody handles this kind of delivery (Bolt says %d); it is acknowledged", answer.status)
    return BoltResponse(status=200)
