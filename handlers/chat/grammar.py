"""What people type becomes a command, a query, or a misread that says what would do. Pure, and never an exception.

Words stand in a fixed order: service, version, environment. Flags are words, not dashes. Whether a service exists is
not known here: that is decided."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from handlers.chat import normalise as text_of
from handlers.chat.verbs import BY_NAME, FILLERS, UNBUILT_CLAUSES
from pipelines.domain.commands import Abort, Answer, Command, Deploy, Help, Query, Retry, Rollback, Status, Unbuilt

REASON_LIMIT = 500
WORD_LIMIT = 200
_BECAUSE = re.compile(r"(?:^|\s)because(?:\s+|$)", re.IGNORECASE)
_SERVICE_AT = re.compile(r"([^@\s]+)@(\S+)")

Choice = Literal["again", "worked", "wait", "stop"]
ANSWERS: dict[tuple[str, ...], Choice] = {
    ("run", "again"): "again",
    ("it", "worked"): "worked",
    ("wait",): "wait",
    ("stop", "it"): "stop",
}


@dataclass(frozen=True, kw_only=True)
class Misread:
    """What was not understood and why, and lines that would be."""

    sentence: str
    examples: tuple[str, ...] = field(default=("api v1.4 staging", "rollback api staging", "help"))


Parsed = Command | Query | Unbuilt | Misread


class _NotThatError(Exception):
    def __init__(self, sentence: str, *examples: str) -> None:
        super().__init__(sentence)
        self.misread = Misread(sentence=sentence, examples=examples) if examples else Misread(sentence=sentence)


@dataclass(frozen=True, kw_only=True)
class _Sentence:
    words: tuple[str, ...]
    because: str
    flags: frozenset[str]


def parse(text: str, *, verb: str = "") -> Parsed:
    """What a text asks for. `verb` is implied by the door, as `/rollback` implies `rollback`."""
    if len(text) > text_of.LIMIT:
        return Misread(sentence=f"That is longer than {text_of.LIMIT:,} characters. Say it shorter.")
    plain = text_of.normalise(text)
    for name in ("deploy", "rollback"):
        if plain == f"/{name}" or plain.startswith((f"/{name} ", f"/{name}\n")):
            plain, verb = plain[len(name) + 1 :].strip(), verb or ("rollback" if name == "rollback" else "")
    try:
        return _parse(plain, verb)
    except _NotThatError as error:
        return error.misread


def _parse(plain: str, verb: str) -> Parsed:
    if odd := text_of.hidden(plain):
        raise _NotThatError(
            f"There is an invisible or control character at position {odd.position}: {odd.character} ({odd.name}). "
            "Type the line again by hand."
        )
    head, because = _split(plain)
    if odd := text_of.foreign(head):
        raise _NotThatError(
            f"The character {odd.character} at position {odd.position} ({odd.name}) is in no name that Shipmate knows; "
            "it may only look like another one. Type the line again by hand."
        )
    words = head.split()
    if long := next((word for word in words if len(word) > WORD_LIMIT), None):
        raise _NotThatError(f"A word of {len(long)} characters is no name. The line begins with {long[:20]!r}.")
    if verb == "rollback":
        words = ["rollback", *(words[1:] if words[:1] == ["rollback"] else words)]
    elif not words:
        return Help(first=True)
    return _sentence(words, because)


def _split(plain: str) -> tuple[str, str]:
    found = _BECAUSE.search(plain)
    if not found:
        return plain, ""
    reason = " ".join(plain[found.end() :].split())
    if not reason:
        raise _NotThatError("`because` needs a reason after it.", "api v1.4 staging because the fix is urgent")
    if len(reason) > REASON_LIMIT:
        raise _NotThatError(f"The reason is longer than {REASON_LIMIT} characters. Say it shorter.")
    return plain[: found.start()], reason


def _sentence(words: list[str], because: str) -> Parsed:
    while words and words[0].lower() in FILLERS:
        words = words[1:]
    if not words:
        return Help(first=True)
    lower = [word.lower() for word in words]
    for phrase, choice in ANSWERS.items():
        if tuple(lower[: len(phrase)]) == phrase:
            return _answer(choice, _read(words[len(phrase) :], because))
    name = lower[0]
    verb = BY_NAME.get(name)
    if verb is not None and not verb.built:
        return Unbuilt(name=name)
    builder = _BUILDERS.get(name)
    rest = words[1:] if builder else words
    sentence = _read(rest, because)
    if clause := next((word.lower() for word in rest if word.lower() in UNBUILT_CLAUSES), None):
        return Unbuilt(name=UNBUILT_CLAUSES[clause])
    return (builder or _deploy)(sentence)


def _read(words: list[str], because: str) -> _Sentence:
    kept: list[str] = []
    flags: set[str] = set()
    for word in words:
        if word.lower() in ("force", "now"):
            flags.add(word.lower())
        elif word.startswith("--"):
            raise _NotThatError(f"`{word}` begins with dashes; flags are words here: because, force, now.")
        else:
            kept.append(word)
    return _Sentence(words=tuple(kept), because=because, flags=frozenset(flags))


def _content(sentence: _Sentence) -> list[str]:
    return [word for word in sentence.words if word.lower() not in FILLERS]


def _no_flags(sentence: _Sentence, verb: str, *allowed: str) -> None:
    if wrong := sorted(sentence.flags - set(allowed)):
        raise _NotThatError(f"`{wrong[0]}` says nothing to `{verb}`.", f"{verb} api staging")
    if sentence.because and "because" not in allowed:
        raise _NotThatError(f"`because` says nothing to `{verb}`.", f"{verb} api staging")


def _deploy(sentence: _Sentence) -> Parsed:
    words = _content(sentence)
    if words and (at := _SERVICE_AT.fullmatch(words[0])):
        words[:1] = [at[1], at[2]]
    if not words:
        return Help(first=True)
    service = words[0].lower()
    if len(words) == 1:
        raise _NotThatError(
            f"Which version of {service}, and where?", f"{service} latest staging", f"{service} v1.4 staging"
        )
    if len(words) == 2:
        raise _NotThatError(f"Where shall {service} {words[1]} go?", f"{service} {words[1]} staging")
    if len(words) > 3:
        raise _NotThatError(
            f"{words[3]!r} is one word too many: service, version and environment are enough.",
            f"{service} {words[1]} {words[2].lower()}",
        )
    return Deploy(
        service=service,
        version=words[1],
        environment=words[2].lower(),
        because=sentence.because,
        force="force" in sentence.flags,
        now="now" in sentence.flags,
    )


def _rollback(sentence: _Sentence) -> Parsed:
    _no_flags(sentence, "rollback", "now", "force", "because")
    words = list(sentence.words)
    to: str | None = None
    lower = [word.lower() for word in words]
    if "to" in lower[2:]:
        at = lower.index("to", 2)
        if at + 2 != len(words):
            raise _NotThatError("`to` names one version, at the end.", "rollback api staging to v1.2")
        to, words = words[at + 1], words[:at]
    words = [word for word in words if word.lower() not in FILLERS]
    if len(words) != 2:
        problem = "Which service, and where?" if len(words) < 2 else f"{words[2]!r} is one word too many."
        raise _NotThatError(problem, "rollback api staging", "rollback api staging to v1.2")
    return Rollback(
        service=words[0].lower(),
        environment=words[1].lower(),
        to=to,
        because=sentence.because,
        now="now" in sentence.flags,
    )


def _room(sentence: _Sentence, verb: str, *allowed: str) -> tuple[str | None, str | None]:
    """A service and an environment, or neither."""
    _no_flags(sentence, verb, *allowed)
    words = [word.lower() for word in _content(sentence)]
    if len(words) > 2:
        raise _NotThatError(f"{words[2]!r} is one word too many.", f"{verb} api staging")
    if len(words) == 1:
        raise _NotThatError(
            f"Where? `{verb}` takes a service and an environment, or nothing.", f"{verb} {words[0]} staging"
        )
    return (words[0], words[1]) if words else (None, None)


def _abort(sentence: _Sentence) -> Parsed:
    service, environment = _room(sentence, "abort", "because", "now")
    return Abort(service=service, environment=environment, because=sentence.because)


def _retry(sentence: _Sentence) -> Parsed:
    service, environment = _room(sentence, "retry", "because", "now")
    return Retry(service=service, environment=environment, because=sentence.because)


def _answer(choice: Choice, sentence: _Sentence) -> Parsed:
    words = {"again": "run again", "worked": "it worked", "wait": "wait", "stop": "stop it"}
    service, environment = _room(sentence, words[choice])
    return Answer(choice=choice, service=service, environment=environment)


def _status(sentence: _Sentence) -> Parsed:
    _no_flags(sentence, "status")
    words = [word.lower() for word in _content(sentence)]
    if len(words) > 2:
        raise _NotThatError(f"{words[2]!r} is one word too many.", "status", "status api", "status api staging")
    return Status(service=words[0] if words else None, environment=words[1] if len(words) == 2 else None)


def _help(sentence: _Sentence) -> Parsed:
    topic = " ".join(word.lower() for word in sentence.words)
    if topic and topic not in BY_NAME:
        raise _NotThatError(f"There is no help for {topic[:40]!r}.", "help", "help rollback")
    return Help(topic=topic or None)


_BUILDERS: dict[str, Callable[[_Sentence], Parsed]] = {
    "deploy": _deploy,
    "rollback": _rollback,
    "abort": _abort,
    "retry": _retry,
    "status": _status,
    "help": _help,
}


_FIRST_WORDS = frozenset(BY_NAME) | {phrase[0] for phrase in ANSWERS}


def render(command: Command | Query) -> str:
    """The words that ask for the same."""
    match command:
        case Deploy():
            verb = ["deploy"] if command.service in _FIRST_WORDS else []
            words = [*verb, command.service, command.version, command.environment]
            words += [flag for flag in ("force", "now") if getattr(command, flag)]
        case Rollback():
            words = ["rollback", command.service, command.environment, *(["to", command.to] if command.to else [])]
            words += ["now"] if command.now else []
        case Abort() | Retry():
            words = [command.kind, command.service or "", command.environment or ""]
        case Answer():
            phrase = next(phrase for phrase, choice in ANSWERS.items() if choice == command.choice)
            words = [*phrase, command.service or "", command.environment or ""]
        case Status():
            words = ["status", command.service or "", command.environment or ""]
        case Help():
            words = [] if command.first else ["help", command.topic or ""]
    because = getattr(command, "because", "")
    return " ".join([word for word in words if word] + (["because", because] if because else []))
