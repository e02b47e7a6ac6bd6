"""What services and environments may be called: nothing that the commands would take for a word of theirs."""

import re
from collections.abc import Container

VERBS = frozenset(
    [
        "deploy",
        "plan",
        "rollback",
        "status",
        "history",
        "diff",
        "who",
        "why",
        "abort",
        "retry",
        "approve",
        "decline",
        "promote",
        "lock",
        "unlock",
        "queue",
        "freeze",
        "thaw",
        "dora",
        "drift",
        "secrets",
        "flag",
        "drill",
        "test",
        "help",
        "run",
        "it",
        "go",
        "wait",
        "stop",
        "choose",
        "say",
    ]
)
FILLERS = frozenset({"to", "in", "on", "the", "because", "at", "for", "until", "force", "now"})
NAME_LIMIT = 40
_NAME = re.compile(r"[a-z](?:-?[a-z0-9])*")


def name_problem(name: str, words: Container[str] = FILLERS) -> str | None:
    """Why an environment cannot have this name."""
    if not _NAME.fullmatch(name) or len(name) > NAME_LIMIT:
        return (
            f"`{name}` cannot be a name: names are lower-case letters, digits and single dashes, begin with a letter "
            f"and have at most {NAME_LIMIT} characters, such as `api` or `web-shop`"
        )
    return f"`{name}` is a word of the commands, so nothing can be called that" if name in words else None


def service_problem(name: str) -> str | None:
    """Why a service cannot have this name."""
    return name_problem(name, VERBS | FILLERS)
