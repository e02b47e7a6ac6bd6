"""Slack's own Python library as the app on the other side, in both transports."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace import Workspace, default_seed

BUTTON = {
    "type": "button",
    "action_id": "rollback",
    "value": "api",
    "text": {"type": "plain_text", "text": "Roll back to v1.3"},
    "confirm": {
        "title": {"type": "plain_text", "text": "Sure?"},
        "text": {"type": "mrkdwn", "text": "Back to v1.3"},
        "confirm": {"type": "plain_text", "text": "Yes"},
        "deny": {"type": "plain_text", "text": "No"},
    },
}
ACTIONS = [{"type": "actions", "block_id": "ways", "elements": [BUTTON]}]


@dataclass
class Heard:
    """What the app got, as it got it."""

    commands: list[dict[str, Any]] = field(default_factory=list)
    clicks: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)


def new_app(workspace: Workspace) -> AsyncApp:
    seed = workspace.seed.app
    client = AsyncWebClient(token=seed.bot_token, base_url=workspace.api_url)
    return AsyncApp(client=client, signing_secret=seed.signing_secret)


def hear(heard: Heard, app: AsyncApp) -> None:
    """Let the app answer commands with a button, and note what it hears."""

    async def command(ack: Any, command: dict[str, Any], respond: Any, client: AsyncWebClient) -> None:
        heard.commands.append(command)
        if command["text"] == "said with the ack":
            await ack("here you are")
            return
        await ack()
        await client.chat_postMessage(
            channel=command["channel_id"], text=f"Deploying {command['text']}", blocks=ACTIONS
        )
        await respond("only you")

    async def click(ack: Any, body: dict[str, Any], respond: Any) -> None:
        heard.clicks.append(body)
        await ack()
        await respond("rolled back", replace_original=True)

    async def event(body: dict[str, Any]) -> None:
        heard.events.append(body)

    app.command("/deploy")(command)
    app.action("rollback")(click)
    app.event("app_mention")(event)
    app.event("message")(event)


@contextlib.asynccontextmanager
async def connected(workspace: Workspace, listeners: Callable[[AsyncApp], None]) -> AsyncIterator[None]:
    """An app of these listeners, by Socket Mode."""
    app = new_app(workspace)
    listeners(app)
    handler = AsyncSocketModeHandler(app, workspace.seed.app.app_token)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    try:
        await workspace.wait_for(lambda: workspace.deliverer.sockets.connections)
        yield
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]


@contextlib.asynccontextmanager
async def served(listeners: Callable[[AsyncApp], None]) -> AsyncIterator[Workspace]:
    """A workspace that delivers by signed HTTP, and an app of these listeners at its request URL."""
    apps: list[AsyncApp] = []

    async def events(request: web.Request) -> web.StreamResponse:
        bolt = await to_bolt_request(request)
        return await to_aiohttp_response(await apps[0].async_dispatch(bolt))

    site = web.Application()
    site.router.add_post("/slack/events", events)
    runner = web.AppRunner(site)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    seed = default_seed()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    workspace = Workspace(replace(seed, app=replace(seed.app, request_url=url)))
    await workspace.start()
    apps.append(new_app(workspace))
    listeners(apps[0])
    try:
        yield workspace
    finally:
        await workspace.stop()
        await runner.cleanup()


@contextlib.asynccontextmanager
async def by_socket(workspace: Workspace) -> AsyncIterator[Heard]:
    heard = Heard()
    async with connected(workspace, lambda app: hear(heard, app)):
        yield heard


@contextlib.asynccontextmanager
async def by_http() -> AsyncIterator[tuple[Workspace, Heard]]:
    heard = Heard()
    async with served(lambda app: hear(heard, app)) as workspace:
        yield workspace, heard
