"""Who somebody is: the one place that turns a Slack user into a person of the configuration. In doubt, nobody.

Only ids decide. Display names, which anybody may choose, are never looked at.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.api import Fault, Trouble, call
from handlers.slack.cache import Cache
from handlers.slack.channels import Channels
from handlers.slack.workspace import Workspace
from pipelines.domain.model import Config, Person, PersonKind

log = logging.getLogger(__name__)

PAGES = 20
PAGE = 200
SLACKBOT = "USLACKBOT"
AWAY = frozenset({Trouble.AWAY, Trouble.BUSY})

User = Mapping[str, Any]


class SlackDoorman:
    """People by `users.info`, groups by `usergroups.*`, channels by `conversations.*`."""

    def __init__(
        self, web: AsyncWebClient, workspace: Workspace, channels: Channels, config: Callable[[], Config]
    ) -> None:
        self._web = web
        self._workspace = workspace
        self._channels = channels
        self._config = config
        self._users: Cache[User] = Cache(self._user)
        self._names: Cache[Mapping[str, str]] = Cache(self._everybody)
        self._groups: Cache[frozenset[str] | None] = Cache(self._group)

    async def person(self, by: Person) -> Person:
        """Who asks. Somebody of whom Slack does not tell is `UNKNOWN` or `UNSURE`, who may do nothing."""
        if by.kind is not PersonKind.MEMBER:
            return by
        try:
            identity = await self._workspace.known()
            if identity is None and by.slack is None:
                return self._trusted(by)
            slack_id = by.slack or await self._slack_id(by.name)
            if identity is None or slack_id is None:
                kind = PersonKind.UNSURE if identity is None else PersonKind.UNKNOWN
                return Person(id=by.id, name=by.name, kind=kind, slack=by.slack)
            user = await self._users.get(slack_id)
        except Fault as fault:
            log.warning("Slack does not tell who %s is: %s", by.slack or by.id, fault)
            if by.slack is None and fault.trouble in AWAY:
                return self._trusted(by)
            kind = PersonKind.UNSURE if fault.trouble in AWAY else PersonKind.UNKNOWN
            return Person(id=by.id, name=by.name, kind=kind, slack=by.slack)
        name = name_of(user, self._config().people)
        return Person(id=slack_id, name=name, kind=kind_of(user, identity.team), slack=slack_id)

    def _trusted(self, by: Person) -> Person:
        """While Slack is away, whoever reaches the bot's own socket is who they say: deploys and rollbacks go on."""
        return Person(id=by.id, name=by.name, slack=self._config().people.get(by.name))

    async def members(self, group: str) -> frozenset[str] | None:
        try:
            ids = await self._groups.get(group.removeprefix("@"))
        except Fault as fault:
            log.warning("Slack does not tell who is in %s: %s", group, fault)
            return None
        if ids is None:
            return None
        return ids | {name for name, slack_id in self._config().people.items() if slack_id in ids}

    async def cannot_post(self, channel: str) -> str | None:
        return await self._channels.cannot_post(channel)

    async def _slack_id(self, name: str) -> str | None:
        """The Slack user whom the terminal calls NAME: a name of `people:`, else a user's name or id."""
        pinned = self._config().people.get(name)
        if pinned is not None:
            return pinned
        everybody = await self._names.get("")
        return everybody.get(name)

    async def _user(self, slack_id: str) -> User:
        answer = await call(self._web.users_info(user=slack_id))
        user: User = answer.get("user") or {}
        return user

    async def _everybody(self, _: str) -> Mapping[str, str]:
        found: dict[str, str] = {}
        cursor = ""
        for _page in range(PAGES):
            answer = await call(self._web.users_list(limit=PAGE, cursor=cursor or None))
            for user in answer.get("members", []):
                found |= {str(user.get("name", "")): str(user["id"]), str(user["id"]): str(user["id"])}
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        return found

    async def _group(self, handle: str) -> frozenset[str] | None:
        answer = await call(self._web.usergroups_list())
        for group in answer.get("usergroups", []):
            if group.get("handle") == handle and not group.get("date_delete"):
                users = await call(self._web.usergroups_users_list(usergroup=str(group["id"])))
                return frozenset(str(user) for user in users.get("users", []))
        return None


def kind_of(user: User, team: str) -> PersonKind:
    """What kind of user this is; `team` is ours. A user who does not say of which team is of none."""
    if not user.get("id"):
        return PersonKind.UNKNOWN
    if user.get("deleted"):
        return PersonKind.DELETED
    if user.get("is_bot") or user.get("is_workflow_bot") or user["id"] == SLACKBOT:
        return PersonKind.BOT
    teams = {user.get("team_id"), *((user.get("enterprise_user") or {}).get("teams") or ())}
    if user.get("is_stranger") or team not in teams:
        return PersonKind.STRANGER
    if user.get("is_restricted") or user.get("is_ultra_restricted"):
        return PersonKind.GUEST
    return PersonKind.MEMBER


def name_of(user: User, people: Mapping[str, str]) -> str:
    """The name that the configuration knows this user by: pinned under `people:`, else the local part of the e-mail
    address, else (where Slack shows no address) the user's name. A name that is pinned to somebody else is not theirs:
    they are called by their id."""
    slack_id = str(user.get("id", ""))
    for name, pinned in people.items():
        if pinned == slack_id:
            return name
    email = str((user.get("profile") or {}).get("email") or "")
    name = email.split("@", 1)[0].lower() if email else str(user.get("name") or "").lower()
    return slack_id if not name or name in people else name
