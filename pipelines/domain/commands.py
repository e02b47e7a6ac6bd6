"""What people can ask for, as values. Text becomes one of these in `handlers.chat.grammar`, a click in `handlers`."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Button:
    """The button a command came from: its effect (deploy, action) happens once."""

    deploy: str
    action: str


@dataclass(frozen=True, kw_only=True)
class Pin:
    """A rollback's target, fixed when its button was posted; `until` is the deploy that was the room's last then."""

    version: str
    commit: str
    until: str


@dataclass(frozen=True, kw_only=True)
class Deploy:
    """`commit` pins an exact commit (a button does); else `version` is what was typed."""

    kind: Literal["deploy"] = "deploy"
    service: str
    version: str
    environment: str
    because: str = ""
    force: bool = False
    now: bool = False
    commit: str | None = None
    button: Button | None = None


@dataclass(frozen=True, kw_only=True)
class Rollback:
    """Back to `to`, or to the last good version; `now` ends a running deploy first."""

    kind: Literal["rollback"] = "rollback"
    service: str
    environment: str
    to: str | None = None
    because: str = ""
    now: bool = False
    pin: Pin | None = None
    button: Button | None = None


@dataclass(frozen=True, kw_only=True)
class Abort:
    """Of `deploy`, of a room's running deploy, or (neither given) of the asker's only one."""

    kind: Literal["abort"] = "abort"
    service: str | None = None
    environment: str | None = None
    deploy: str | None = None
    because: str = ""
    button: Button | None = None


@dataclass(frozen=True, kw_only=True)
class Retry:
    kind: Literal["retry"] = "retry"
    service: str | None = None
    environment: str | None = None
    deploy: str | None = None
    because: str = ""
    button: Button | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a person says of a step that nobody can know the end of (`again`, `worked`), or of a script that runs
    without its supervisor (`wait`, `stop`). The answer Roll back is a `Rollback`."""

    kind: Literal["answer"] = "answer"
    choice: Literal["again", "worked", "wait", "stop"]
    service: str | None = None
    environment: str | None = None
    deploy: str | None = None
    button: Button | None = None


Command = Deploy | Rollback | Abort | Retry | Answer


@dataclass(frozen=True, kw_only=True)
class Status:
    kind: Literal["status"] = "status"
    service: str | None = None
    environment: str | None = None


@dataclass(frozen=True, kw_only=True)
class Help:
    """`topic` is a verb or None; `first` is set for a bare `/deploy`, which gets examples alone."""

    kind: Literal["help"] = "help"
    topic: str | None = None
    first: bool = False


@dataclass(frozen=True, kw_only=True)
class Unbuilt:
    """A verb or clause of the product that this version does not know how to do: refused by name."""

    kind: Literal["unbuilt"] = "unbuilt"
    name: str


Query = Status | Help
