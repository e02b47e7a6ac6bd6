"""Yes and no: every reason for a no is a closed code with evidence and a way on. Sentences: `handlers.chat.words`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


class Code(StrEnum):
    NOT_A_MEMBER = "not_a_member"  # guest, bot, deleted, another team's, unknown: kind, by
    NOT_ALLOWED = "not_allowed"  # who
    GROUP_UNKNOWN = "group_unknown"  # group
    UNKNOWN_SERVICE = "unknown_service"  # given, known
    UNKNOWN_ENVIRONMENT = "unknown_environment"  # given, known
    UNKNOWN_VERSION = "unknown_version"  # given, near, service, where
    BAD_VERSION = "bad_version"  # given, reason, service, where
    AMBIGUOUS_VERSION = "ambiguous_version"  # given, candidates, commits, service, where
    UNREACHABLE_COMMIT = "unreachable_commit"  # given
    REPOSITORY_AWAY = "repository_away"  # detail
    BAD_RECIPE = "bad_recipe"  # errors
    NO_SECRETS_FROM = "no_secrets_from"  # names, service, where
    SECRETS_MISSING = "secrets_missing"  # problems, service, where
    NOT_PASSED = "not_passed"  # problems, where
    ROOM_BUSY = "room_busy"  # by, since, version, deploy
    ROLLBACK_WHILE_RUNNING = "rollback_while_running"  # by, since, version, deploy, to
    ROOM_UNKNOWN = "room_unknown"  # step, by, version, says: the lines that answer
    ROOM_LATE = "room_late"  # by, version
    ALREADY_LIVE = "already_live"  # version
    NOTHING_TO_ROLL_BACK_TO = "nothing_to_roll_back_to"
    NEVER_GOOD_HERE = "never_good_here"  # given, good
    STALE_BUTTON = "stale_button"  # by, version, at, to
    ALREADY_DONE = "already_done"  # by, action
    ALREADY_ANSWERED = "already_answered"  # by, choice, at
    NOTHING_RUNNING = "nothing_running"
    NOTHING_TO_RETRY = "nothing_to_retry"
    NOTHING_ASKED = "nothing_asked"
    WHICH_DEPLOY = "which_deploy"  # choices
    ALREADY_ENDED = "already_ended"  # version, state
    ALREADY_ABORTING = "already_aborting"  # by
    CANNOT_POST = "cannot_post"  # channel
    DISK_FULL = "disk_full"  # left
    NOT_BUILT = "not_built"  # name
    TOO_OLD = "too_old"
    BROKEN = "broken"  # id


class Nature(StrEnum):
    """What kind of no it is: it decides `say`'s exit status."""

    MISREAD = "misread"
    REFUSED = "refused"


MISREADS = frozenset(
    {Code.UNKNOWN_SERVICE, Code.UNKNOWN_ENVIRONMENT, Code.UNKNOWN_VERSION, Code.BAD_VERSION, Code.AMBIGUOUS_VERSION}
    | {Code.WHICH_DEPLOY}
)


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A button under a refusal: `label` as shown, `say` the words that do the same, `command` what a click asks."""

    label: str
    say: str
    action: str
    value: str = ""


@dataclass(frozen=True, kw_only=True)
class Gate:
    """One failed gate. `evidence` holds what `Code`'s comment names, as text."""

    code: Code
    evidence: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    lifted_by: tuple[str, ...] = ()

    def text(self, name: str) -> str:
        value = self.evidence.get(name, "")
        return value if isinstance(value, str) else ", ".join(value)

    def listed(self, name: str) -> tuple[str, ...]:
        value = self.evidence.get(name, ())
        return (value,) if isinstance(value, str) else value


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Every gate that failed, never only the first."""

    kind: Literal["refused"] = "refused"
    gates: tuple[Gate, ...]
    offers: tuple[Offer, ...] = ()

    @property
    def nature(self) -> Nature:
        misread = any(gate.code in MISREADS for gate in self.gates)
        return Nature.MISREAD if misread else Nature.REFUSED


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """A yes: `deploy` is the one that was made or touched, `done` what was done."""

    kind: Literal["accepted"] = "accepted"
    deploy: str
    done: Literal["planned", "abort", "abort_then", "answered"]


def refuse(code: Code, **evidence: str | tuple[str, ...]) -> Refusal:
    return Refusal(gates=(Gate(code=code, evidence=evidence),))
