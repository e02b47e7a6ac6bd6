"""The words that ask for a command or a query: what `grammar` reads, the other way round."""

from handlers.chat.sentences import ANSWERS
from handlers.chat.verbs import BY_NAME, COMMANDS
from pipelines.domain.commands import (
    SAID,
    Abort,
    Answer,
    Choose,
    Command,
    Deploy,
    Diff,
    Help,
    History,
    Preview,
    Query,
    Recent,
    Retry,
    Rollback,
    Status,
    Who,
)

_FIRST_WORDS = frozenset(BY_NAME) | {phrase[0] for phrase in ANSWERS} | frozenset(COMMANDS)


def render(command: Command | Query) -> str:
    """The words that ask for the same."""
    because = getattr(command.deploy if isinstance(command, Preview) else command, "because", "")
    words = [word for word in _words(command) if word]
    return " ".join([*words, *(["because", because] if because else [])])


def _words(command: Command | Query) -> list[str]:
    match command:
        case Deploy():
            return [*_verb(command.service), *_deploy(command)]
        case Preview(deploy=deploy):
            return ["plan", *_deploy(deploy)]
        case Rollback():
            to = ["to", command.to] if command.to else []
            return ["rollback", command.service, command.environment, *to, *(["now"] if command.now else [])]
        case Abort() | Retry():
            return [command.kind, command.service or "", command.environment or ""]
        case Answer():
            return [SAID[command.choice], command.service or "", command.environment or ""]
        case Status() | History():
            return [command.kind, command.service or "", command.environment or ""]
        case Diff():
            return ["diff", command.service, command.version, command.environment]
        case Who():
            return ["who", command.service or ""]
        case Recent():
            return ["rollback"]
        case Choose():
            return ["deploy", command.service or ""]
        case Help():
            return ["help", command.topic or ""]


def _verb(service: str) -> list[str]:
    """A service that is called as a verb is needs the verb before it."""
    return ["deploy"] if service in _FIRST_WORDS else []


def _deploy(command: Deploy) -> list[str]:
    flags = [flag for flag in ("force", "now") if getattr(command, flag)]
    return [command.service, command.version, command.environment, *flags]
