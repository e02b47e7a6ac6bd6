"""What people can ask for, as values. Text becomes one of these in `handlers.chat.grammar`, a click in `handlers`."""

from dataclasses import dataclass
from typing import Literal

Choice = Literal["again", "worked", "wait", "stop", "go_on"]
SAID: dict[Choice, str] = {
    "again": "run again",
    "worked": "it worked",
    "wait": "wait",
    "stop": "stop it",
    "go_on": "go on",
}


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
    """What a person says of a step that nobody can know the end of (`again`, `worked`), of a script that runs without
    its supervisor (`wait`, `stop`), or of a deploy whose next step is late (`go_on`). The answer Roll back is a
    `Rollback`. `step` and `attempt` pin what the answer is for, `about` the lateness (a button does); else it is for
    what is asked now."""

    kind: Literal["answer"] = "answer"
    choice: Choice
    service: str | None = None
    environment: str | None = None
    deploy: str | None = None
    step: str | None = None
    attempt: int | None = None
    about: str | None = None
    button: Button | None = None


Command = Deploy | Rollback | Abort | Retry | Answer


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a deploy would do, and which gates hold it; nothing runs."""

    kind: Literal["plan"] = "plan"
    deploy: Deploy


@dataclass(frozen=True, kw_only=True)
class Status:
    kind: Literal["status"] = "status"
    service: str | None = None
    environment: str | None = None


@dataclass(frozen=True, kw_only=True)
class History:
    """What happened in a room, or in all rooms of a service."""

    kind: Literal["history"] = "history"
    service: str
    environment: str | None = None


@dataclass(frozen=True, kw_only=True)
class Diff:
    """What a version would change of what is live."""

    kind: Literal["diff"] = "diff"
    service: str
    version: str
    environment: str


@dataclass(frozen=True, kw_only=True)
class Who:
    """Who may and who does deploy; None: every service."""

    kind: Literal["who"] = "who"
    service: str | None = None


@dataclass(frozen=True, kw_only=True)
class Recent:
    """A bare `rollback`: the last deploys that can be gone back from."""

    kind: Literal["recent"] = "recent"


@dataclass(frozen=True, kw_only=True)
class Choose:
    """A bare `/deploy`, or with a service alone: what there is to choose from."""

    kind: Literal["choose"] = "choose"
    service: str | None = None


@dataclass(frozen=True, kw_only=True)
class Help:
    """`topic` is a verb or None."""

    kind: Literal["help"] = "help"
    topic: str | None = None


@dataclass(frozen=True, kw_only=True)
class Unbuilt:
    """A verb or clause of the product that this version does not know how to do: refused by name."""

    kind: Literal["unbuilt"] = "unbuilt"
    name: str


Look = Preview | Status | History | Diff | Who | Recent | Choose
Query = Look | Help
