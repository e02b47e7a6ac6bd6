"""Web API: the app itself, the team, its people and groups."""

from typing import Any

from bot.workspace.desk import Desk, Method
from bot.workspace.payloads import team_of
from bot.workspace.seed import Seed, User
from bot.workspace.wire import Answer, ApiError, Args


def api_test(_desk: Desk, args: Args) -> Answer:
    return {"args": args}


def auth_test(desk: Desk, _args: Args) -> Answer:
    app = desk.seed.app
    return {
        "url": desk.base_url(),
        "team": desk.seed.team_name,
        "user": app.name,
        "team_id": desk.seed.team_id,
        "user_id": app.bot_user,
        "bot_id": app.bot_id,
        "is_enterprise_install": False,
    }


def connections_open(desk: Desk, _args: Args) -> Answer:
    url = desk.base_url().replace("http", "ws", 1)
    return {"url": f"{url}link/?ticket={desk.ticket()}&app_id={desk.seed.app.id}"}


def team_info(desk: Desk, _args: Args) -> Answer:
    return {"team": {"id": desk.seed.team_id, "name": desk.seed.team_name, "domain": desk.seed.team_name}}


def users_info(desk: Desk, args: Args) -> Answer:
    user = next((one for one in _everybody(desk.seed) if one.id == args.get("user")), None)
    if user is None:
        raise ApiError("user_not_found")
    return {"user": _described(desk.seed, user)}


def users_list(desk: Desk, _args: Args) -> Answer:
    members = [_described(desk.seed, one) for one in _everybody(desk.seed)]
    return {"members": members, "response_metadata": {"next_cursor": ""}}


def lookup_by_email(desk: Desk, args: Args) -> Answer:
    given = str(args.get("email") or "").lower()
    user = next((one for one in desk.seed.users if given and one.email.lower() == given), None)
    if user is None or user.kind == "deleted":
        raise ApiError("users_not_found")
    return {"user": _described(desk.seed, user)}


def _everybody(seed: Seed) -> list[User]:
    app = seed.app
    return [*seed.users, User(id=app.bot_user, name=app.name, real_name=app.name, kind="bot")]


def _described(seed: Seed, user: User) -> dict[str, Any]:
    profile = {"real_name": user.real_name, "display_name": user.name, "team": team_of(user, seed)}
    if user.email and "users:read.email" in seed.app.scopes.split(","):
        profile["email"] = user.email
    return {
        "id": user.id,
        "team_id": team_of(user, seed),
        "name": user.name,
        "real_name": user.real_name,
        "color": user.color,
        "deleted": user.kind == "deleted",
        "is_admin": user.kind == "admin",
        "is_owner": False,
        "is_bot": user.kind == "bot",
        "is_app_user": False,
        "is_restricted": user.kind == "guest",
        "is_ultra_restricted": False,
        "profile": profile,
    } | ({"is_stranger": True} if user.kind == "stranger" else {})


def usergroups_list(desk: Desk, _args: Args) -> Answer:
    groups = [_group(desk.seed, handle, users) for handle, users in desk.seed.groups]
    return {"usergroups": groups}


def _group(seed: Seed, handle: str, users: tuple[str, ...]) -> dict[str, Any]:
    named = {"id": group_id(handle), "team_id": seed.team_id, "handle": handle, "name": handle}
    return {**named, "date_delete": 0, "user_count": len(users)}


def group_id(handle: str) -> str:
    return f"S0{handle.upper()}"


def usergroups_users(desk: Desk, args: Args) -> Answer:
    for handle, users in desk.seed.groups:
        if args.get("usergroup") == group_id(handle):
            return {"users": list(users)}
    raise ApiError("no_such_subteam")


METHODS = {
    "api.test": Method(run=api_test, open=True),
    "auth.test": Method(run=auth_test),
    "apps.connections.open": Method(run=connections_open, app_token=True),
    "team.info": Method(run=team_info, scopes=("team:read",)),
    "users.info": Method(run=users_info, scopes=("users:read",)),
    "users.list": Method(run=users_list, scopes=("users:read",)),
    "users.lookupByEmail": Method(run=lookup_by_email, scopes=("users:read.email",)),
    "usergroups.list": Method(run=usergroups_list, scopes=("usergroups:read",)),
    "usergroups.users.list": Method(run=usergroups_users, scopes=("usergroups:read",)),
}
