"""Handing a delivery to Bolt, over either transport: what Bolt cannot handle is acknowledged all the same, for Slack
would deliver it again and again. The one thing that is not acknowledged is an ask that could not be kept."""

import logging

from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from pipelines.shipmate import noted

log = logging.getLogger(__name__)

NOT_KEPT = "not_kept"  # a listener sets this in the request's context before it raises


async def dispatched(app: AsyncApp, request: AsyncBoltRequest) -> BoltResponse:
    """Bolt's answer: 200, or 500 for an ask that could not be kept. Never raises."""
    try:
        answer = await app.async_dispatch(request)
    except Exception as error:
        noted(log, "Bolt handled a delivery, which is acknowledged all the same", error)
        return BoltResponse(status=200)
    if answer.status == 200 or request.context.get(NOT_KEPT):
        return answer
    log.info("nobody handles this kind of delivery (Bolt says %d); it is acknowledged", answer.status)
    return BoltResponse(status=200)
