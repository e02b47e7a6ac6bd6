"""The whole Slack surface, on one page: what we take from Slack. `manifest.json` says the same, and a test compares.

A listener acknowledges and ends; it never raises after it acknowledged, for Bolt would take the acknowledgement back.
Whatever nobody here knows is acknowledged too: Slack would deliver it again and again.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from handlers.chat.verbs import COMMANDS
from handlers.slack.api import quiet
from handlers.slack.choosing import Choosing
from handlers.slack.dispatch import NOT_KEPT
from handlers.slack.form import FORM, SERVICE, VERSION
from handlers.slack.inbox import After, Inbox
from handlers.slack.tasks import Tasks
from handlers.slack.workspace import Workspace
from pipelines.shipmate import noted

log = logging.getLogger(__name__)

# Events that are subscribed to: what is written to us.
EVENTS: tuple[str, ...] = ("app_mention", "message.im")
# What the methods that are called need.
SCOPES = (
    "app_mentions:read",
    "channels:read",
    "chat:write",
    "commands",
    "files:write",
    "groups:read",
    "im:history",
    "usergroups:read",
    "users:read",
    "users:read.email",
)
# Without these a post whose answer was lost in a crash may appear twice, and public channels need an invitation.
OPTIONAL_SCOPES = ("channels:history", "chat:write.public", "groups:history")

ANYTHING = re.compile(r"", re.DOTALL)

Ack = Callable[..., Awaitable[Any]]
Context = MutableMapping[str, Any]


def build_app(web: AsyncWebClient, workspace: Workspace, inbox: Inbox, choosing: Choosing, tasks: Tasks) -> AsyncApp:
    """Bolt, without what it does of itself before a listener: signatures are the edge's, who we are is known."""

    async def authorize() -> AuthorizeResult:
        known = workspace.identity
        return AuthorizeResult(
            enterprise_id=None,
            team_id=known.team if known else None,
            bot_user_id=known.bot_user if known else None,
            bot_id=known.bot if known else None,
            bot_token=web.token,
        )

    app = AsyncApp(
        name="shipmate",
        client=web,
        authorize=authorize,
        request_verification_enabled=False,
        process_before_response=True,  # else messages would be acknowledged before they are kept
        logger=quiet(),
    )
    for name in COMMANDS:
        app.command(name)(_command(inbox, tasks))
    app.event("app_mention")(_message(inbox, tasks))
    app.event("message")(_message(inbox, tasks))
    app.action({"type": "block_actions", "action_id": ANYTHING})(_click(inbox, choosing, tasks))
    app.options(re.compile(f"{SERVICE}|{VERSION}"))(_suggestion(choosing))
    app.view(FORM)(_form(choosing))
    _acknowledge_the_rest(app)
    return app


def _command(inbox: Inbox, tasks: Tasks) -> Callable[..., Awaitable[None]]:
    async def on_command(ack: Ack, body: Mapping[str, Any], context: Context) -> None:
        await _kept(inbox.typed(body), ack, context, tasks)

    return on_command


def _message(inbox: Inbox, tasks: Tasks) -> Callable[..., Awaitable[None]]:
    async def on_message(ack: Ack, body: Mapping[str, Any], context: Context) -> None:
        await _kept(inbox.mentioned(body), ack, context, tasks)

    return on_message


def _click(inbox: Inbox, choosing: Choosing, tasks: Tasks) -> Callable[..., Awaitable[None]]:
    async def on_click(ack: Ack, body: Mapping[str, Any], context: Context) -> None:
        if (body.get("container") or {}).get("type") == "view":
            await ack()
            if not tasks.full:
                tasks.start(choosing.changed(body))
            return
        await _kept(inbox.clicked(body), ack, context, tasks)

    return on_click


def _suggestion(choosing: Choosing) -> Callable[..., Awaitable[None]]:
    async def on_suggestion(ack: Ack, body: Mapping[str, Any], context: Context) -> None:
        with _or_failed(context, "filling a select of the form"):
            found = await choosing.suggest(body)
        await ack(options=found)

    return on_suggestion


def _form(choosing: Choosing) -> Callable[..., Awaitable[None]]:
    async def on_form(ack: Ack, body: Mapping[str, Any], context: Context) -> None:
        with _or_failed(context, "taking a form"):
            errors = await choosing.submitted(body)
        await (ack(response_action="errors", errors=errors) if errors else ack())

    return on_form


async def _kept(keeping: Coroutine[Any, Any, After | None], ack: Ack, context: Context, tasks: Tasks) -> None:
    """Acknowledge what is kept, or answered; what is not, Slack shows to the person as failed, or brings again."""
    with _or_failed(context, "keeping what came from Slack"):
        if tasks.full:
            keeping.close()
            raise FullError("too many answers are under way")
        after = await keeping
    await ack()
    if after is not None:
        tasks.start(after)


@contextmanager
def _or_failed(context: Context, doing: str) -> Iterator[None]:
    """What breaks before it is acknowledged is not acknowledged, so Slack tells the person; the log has the rest."""
    try:
        yield
    except Exception as error:
        context[NOT_KEPT] = True
        noted(log, doing, error)
        raise


class FullError(Exception):
    """More is asked than can be answered. Nothing was kept."""


def _acknowledge_the_rest(app: AsyncApp) -> None:
    async def nothing(ack: Ack) -> None:
        await ack()

    async def no_options(ack: Ack) -> None:
        await ack(options=[])

    app.command(ANYTHING)(nothing)
    app.event(ANYTHING)(nothing)
    app.action(ANYTHING)(nothing)
    app.shortcut(ANYTHING)(nothing)
    app.view(ANYTHING)(nothing)
    app.view_closed(ANYTHING)(nothing)
    app.options(ANYTHING)(no_options)
