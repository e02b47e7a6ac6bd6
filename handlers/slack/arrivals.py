"""Slack's payloads, read: who, where, what was said, and the key under which the same thing that comes again is one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handlers.slack.workspace import Workspace
from pipelines.domain.events import Place
from pipelines.domain.model import Person, PersonKind

Body = Mapping[str, Any]

_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """`trigger` may open a form, once and soon; there is none in a mention or message."""

    said: str
    by: Person
    place: Place
    key: str
    trigger: str | None = None


def command(body: Body, workspace: Workspace) -> Arrival:
    """A slash command."""
    return Arrival(
        said=f"{body['command']} {body.get('text') or ''}".strip(),
        by=person(str(body["user_id"]), str(body.get("user_name") or ""), body.get("team_id"), workspace),
        place=Place(surface="slack", channel=text(body.get("channel_id")), reply=text(body.get("response_url"))),
        key=f"command-{body['trigger_id']}",
        trigger=str(body["trigger_id"]),
    )


def click(body: Body, workspace: Workspace) -> Arrival:
    """A click on a button; what it says is the button's label."""
    action, container = body["actions"][0], body.get("container") or {}
    place = Place(
        surface="slack",
        channel=text((body.get("channel") or {}).get("id") or container.get("channel_id")),
        thread=text(container.get("thread_ts")),
        reply=text(body.get("response_url")),
    )
    by = user(body, workspace)
    once = body.get("trigger_id") or f"{by.id}-{action.get('action_ts')}"
    return Arrival(
        said=str((action.get("text") or {}).get("text") or "The button"),
        by=by,
        place=place,
        key=f"click-{once}",
        trigger=text(body.get("trigger_id")),
    )


def message(body: Body, workspace: Workspace) -> Arrival | None:
    """A mention, or a direct message; None for what no person wrote to us, such as an edit or a bot's message."""
    event = body["event"]
    sender = text(event.get("user"))
    if sender is None or event.get("bot_id") or event.get("subtype") or sender == _me(workspace):
        return None
    direct = event.get("channel_type") == "im"
    if event.get("type") != "app_mention" and not direct:
        return None
    once = body.get("event_id") or f"{event.get('channel')}-{event.get('ts')}"
    team = event.get("user_team") or event.get("team") or body.get("team_id")
    place = Place(surface="slack", channel=text(event.get("channel")), thread=text(event.get("thread_ts")))
    return Arrival(
        said=_after_mention(str(event.get("text") or ""), _me(workspace)),
        by=person(sender, "", team, workspace),
        place=place,
        key=f"event-{once}",
    )


def _me(workspace: Workspace) -> str | None:
    return workspace.identity.bot_user if workspace.identity else None


def _after_mention(said: str, me: str | None) -> str:
    """What follows the mention of us, or stands before it where nothing follows."""
    for found in _MENTION.finditer(said):
        if me in (None, found[1]):
            after, before = said[found.end() :].strip(" \t\n:,"), said[: found.start()].strip()
            while (again := _MENTION.match(after)) is not None and again[1] == me:
                after = after[again.end() :].strip(" \t\n:,")
            return after if re.search(r"\w", after) else before
    return said


def user(body: Body, workspace: Workspace) -> Person:
    """Who clicked, chose or submitted."""
    who = body["user"]
    team = who.get("team_id") or (body.get("team") or {}).get("id")
    return person(str(who["id"]), str(who.get("name") or who.get("username") or ""), team, workspace)


def person(slack_id: str, name: str, team: object, workspace: Workspace) -> Person:
    """Somebody of another team is a stranger; while nobody knows which team is ours, everybody may be one."""
    kind = PersonKind.MEMBER
    if workspace.team is None:
        kind = PersonKind.UNSURE
    elif team != workspace.team:
        kind = PersonKind.STRANGER
    return Person(id=slack_id, name=name or slack_id, kind=kind, slack=slack_id)


def text(value: object) -> str | None:
    return str(value) if value else None
