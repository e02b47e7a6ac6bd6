"""A bot with a modal, built on Slack's own Python library: `/deploy` opens it, its submit is judged and then taken."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace import Workspace
from bot.workspace.person import PersonAtWork
from tests.bot.workspace.bolt import connected, served

VERSIONS = ("v1.2", "v1.3", "v1.4", "v2.0-rc.1")


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def option(text: str, **more: Any) -> dict[str, Any]:
    return {"text": plain(text), "value": text, **more}


def asks(block_id: str, label: str, element: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An input block whose element's action id is `block_id` too."""
    named = {"action_id": block_id, **element}
    return {"type": "input", "block_id": block_id, "label": plain(label), "element": named, **more}


SERVICE = asks(
    "service",
    "Service",
    {"type": "external_select", "min_query_length": 0, "placeholder": plain("Pick a service")},
    dispatch_action=True,
)
VERSION = asks(
    "version",
    "Version",
    {"type": "external_select", "min_query_length": 1, "placeholder": plain("Search tags and branches")},
    hint=plain("A tag, a branch or a commit. The most used come first."),
)
ENVIRONMENT = asks(
    "environment",
    "Environment",
    {"type": "static_select", "placeholder": plain("Where to"), "options": [option("staging"), option("production")]},
)
BECAUSE = asks("because", "Because", {"type": "plain_text_input", "multiline": True}, optional=True)
HOW = asks(
    "how",
    "How",
    {
        "type": "radio_buttons",
        "options": [option("rolling"), option("all at once", description=plain("fast, and down"))],
    },
    optional=True,
)
ALSO = asks(
    "also", "Also", {"type": "checkboxes", "options": [option("migrate"), option("warm caches")]}, optional=True
)
WAYS = {
    "type": "actions",
    "block_id": "ways",
    "elements": [
        {"type": "button", "action_id": "more", "text": plain("More…")},
        {"type": "button", "action_id": "reset", "text": plain("Reset"), "style": "danger"},
    ],
}
INTRO = {
    "type": "section",
    "block_id": "intro",
    "text": {"type": "mrkdwn", "text": "The plan comes *before* anything runs."},
}
BLOCKS = [INTRO, SERVICE, VERSION, ENVIRONMENT, BECAUSE, HOW, ALSO, {"type": "divider", "block_id": "line"}, WAYS]


def form(*blocks: dict[str, Any], title: str = "Deploy", **more: Any) -> dict[str, Any]:
    named = {"callback_id": "deploy", "title": plain(title), "submit": plain("Deploy")}
    return {"type": "modal", **named, "blocks": list(blocks or BLOCKS), **more}


@dataclass
class ModalApp:
    """What the app got, as it got it; and what it answers next: `view` on a command, `options` to a search, `answer` to
    a submit (keywords of `ack`); `deaf`: it acknowledges nothing. `closed`: what it heard when a modal was left."""

    view: dict[str, Any] = field(default_factory=form)
    options: dict[str, Any] | None = None
    answer: dict[str, Any] = field(default_factory=dict)
    deaf: bool = False
    searches: list[dict[str, Any]] = field(default_factory=list)
    actions: list[dict[str, Any]] = field(default_factory=list)
    submitted: list[dict[str, Any]] = field(default_factory=list)
    closed: list[dict[str, Any]] = field(default_factory=list)

    async def command(self, ack: Any, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=self.view)

    async def search(self, ack: Any, body: dict[str, Any]) -> None:
        self.searches.append(body)
        if not self.deaf:
            found = [option(one) for one in VERSIONS if body["value"] in one]
            await ack(**(self.options or {"options": found}))

    async def act(self, ack: Any, body: dict[str, Any], client: AsyncWebClient) -> None:
        self.actions.append(body)
        if self.deaf:
            return
        await ack()
        if body["actions"][0]["action_id"] == "more":
            page = form(BECAUSE, title="More", notify_on_close=True)
            await client.views_push(trigger_id=body["trigger_id"], view=page)

    async def submit(self, ack: Any, body: dict[str, Any]) -> None:
        self.submitted.append(body)
        if not self.deaf:
            await ack(**self.answer)

    async def close(self, ack: Any, body: dict[str, Any]) -> None:
        self.closed.append(body)
        await ack()

    def add_to(self, app: AsyncApp) -> None:
        app.command("/deploy")(self.command)
        for name in ("service", "version"):
            app.options(name)(self.search)
        for name in ("service", "environment", "because", "how", "also", "more", "reset"):
            app.action(name)(self.act)
        app.view_submission("deploy")(self.submit)
        app.view_closed("deploy")(self.close)


@contextlib.asynccontextmanager
async def modal_app(workspace: Workspace) -> AsyncIterator[ModalApp]:
    """By Socket Mode."""
    app = ModalApp()
    async with connected(workspace, app.add_to):
        yield app


@contextlib.asynccontextmanager
async def modal_app_by_http() -> AsyncIterator[tuple[Workspace, ModalApp]]:
    app = ModalApp()
    async with served(app.add_to) as workspace:
        yield workspace, app


async def opened(workspace: Workspace, app: ModalApp, view: dict[str, Any] | None = None) -> PersonAtWork:
    """ana with this modal before her."""
    app.view = view or form()
    ana, before = workspace.person("ana"), workspace.modals.top("U0ANA")
    await ana.command("#deploys", "/deploy")
    await workspace.wait_for(lambda: workspace.modals.top("U0ANA") not in (None, before))
    return ana
