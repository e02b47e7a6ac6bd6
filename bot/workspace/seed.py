"""What a workspace begins with: a team, its people, its channels, one app."""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["member", "admin", "guest", "stranger", "bot", "deleted"]
SCOPES = (
    "commands,chat:write,app_mentions:read,channels:read,groups:read,channels:history,groups:history,im:history,im:write,"
    "users:read,users:read.email,usergroups:read,files:write"
)


@dataclass(frozen=True, kw_only=True)
class User:
    id: str
    name: str
    real_name: str
    kind: Kind = "member"
    email: str = ""
    color: str = "4f46e5"


@dataclass(frozen=True, kw_only=True)
class Channel:
    """`members`: ids of users; None means everybody. The bot is apart: `bot_is_member`."""

    id: str
    name: str
    private: bool = False
    bot_is_member: bool = True
    members: tuple[str, ...] | None = None

    @property
    def direct(self) -> bool:
        return self.id.startswith("D")

    def has(self, user: User) -> bool:
        return self.members is None or user.id in self.members


@dataclass(frozen=True, kw_only=True)
class Command:
    name: str
    usage: str
    description: str


@dataclass(frozen=True, kw_only=True)
class App:
    """`request_url`: deliver by signed HTTP there, instead of by Socket Mode."""

    id: str = "A0LOCAL"
    name: str = "shipmate"
    bot_user: str = "U0SHIPMATE"
    bot_id: str = "B0SHIPMATE"
    bot_token: str = "xoxb-local-workspace"  # noqa: S105 (opens nothing but this loopback server)
    app_token: str = "xapp-local-workspace"  # noqa: S105
    signing_secret: str = "local-signing-secret"  # noqa: S105
    scopes: str = SCOPES
    events: tuple[str, ...] = ("app_mention", "message.im")
    commands: tuple[Command, ...] = ()
    request_url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Seed:
    team_id: str = "T0LOCAL"
    team_name: str = "acme"
    users: tuple[User, ...] = ()
    channels: tuple[Channel, ...] = ()
    app: App = field(default_factory=App)
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()  # handle, ids of its users


COMMANDS = (
    Command(name="/deploy", usage="api v1.4 staging", description="Deploy a version, or ask: status, abort, help"),
    Command(name="/rollback", usage="api production", description="Back to the last good version"),
)


def default_seed(app: App | None = None) -> Seed:
    """The team acme: ana, raj and mia are full members, gus a guest, eve of another team."""
    people = (
        ("ana", "Ana Costa", "member", "b45309"),
        ("raj", "Raj Patel", "member", "0f766e"),
        ("mia", "Mia Wong", "member", "7c3aed"),
        ("gus", "Gus Guest", "guest", "64748b"),
        ("eve", "Eve Elsewhere", "stranger", "9f1239"),
        ("olddan", "Dan Gone", "deleted", "64748b"),
        ("otherbot", "Other Bot", "bot", "64748b"),
    )
    users = tuple(
        User(id=f"U0{name.upper()}", name=name, real_name=real, kind=kind, email=f"{name}@acme.test", color=color)  # type: ignore[arg-type]
        for name, real, kind, color in people
    )
    channels = (
        Channel(id="C0DEPLOYS", name="deploys"),
        Channel(id="C0GENERAL", name="general"),
        Channel(id="C0RANDOM", name="random", bot_is_member=False),
        Channel(id="G0SECRET", name="secret", private=True, bot_is_member=False),
    )
    return Seed(users=users, channels=channels, app=app or App(commands=COMMANDS))
