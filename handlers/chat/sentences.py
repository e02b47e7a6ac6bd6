"""The sentence of each verb: which words it takes, in which order. Whether a service exists is not known here.

Lines that would be understood hold `{service}`, `{version}`, `{environment}`: `examples` fills in what was said.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from handlers.chat.verbs import BY_NAME, FILLERS, FLAGS, OWN_WORDS
from pipelines.domain.commands import (
    SAID,
    Abort,
    Answer,
    Choice,
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

_SERVICE_AT = re.compile(r"([^@\s]+)@(\S+)")
_DASHED = re.compile(r"(?<![^@])--.*")
_ROOM = "{service} {environment}"
_DEPLOY = "{service} {version} {environment}"

ANSWERS: dict[tuple[str, ...], Choice] = {tuple(said.split()): choice for choice, said in SAID.items()}


@dataclass(frozen=True, kw_only=True)
class Misread:
    """What was not understood and why, and lines that would be; none where those of its verb are as good as any."""

    sentence: str
    examples: tuple[str, ...] = ()


class NotThatError(Exception):
    def __init__(self, sentence: str, *examples: str) -> None:
        super().__init__(sentence)
        self.misread = Misread(sentence=sentence, examples=examples)


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """The words after the verb; `flags` are `force` and `now`, wherever they stood."""

    words: tuple[str, ...]
    because: str
    flags: frozenset[str]

    @property
    def content(self) -> list[str]:
        return [word for word in self.words if word.lower() not in FILLERS]


def read(words: list[str], because: str) -> Sentence:
    """Raises NotThatError for flags with dashes."""
    flags = {word.lower() for word in words if word.lower() in FLAGS}
    kept = tuple(word for word in words if word.lower() not in flags)
    if dashed := next((found[0] for word in kept if (found := _DASHED.search(word))), None):
        raise NotThatError(f"`{dashed}` begins with dashes; flags are words here: because, force, now.")
    return Sentence(words=kept, because=because, flags=frozenset(flags))


def _only(sentence: Sentence, verb: str, *allowed: str, like: str = "") -> None:
    """Raises NotThatError for a flag or a reason that this verb would ignore."""
    like = like or f"{verb} {_ROOM}"
    if wrong := sorted(sentence.flags - set(allowed)):
        raise NotThatError(f"`{wrong[0]}` says nothing to `{verb}`.", like)
    if sentence.because and "because" not in allowed:
        raise NotThatError(f"`because` says nothing to `{verb}`.", like)


def _too_many(word: str, *examples: str) -> NotThatError:
    return NotThatError(f"{word!r} is one word too many.", *examples)


def _three(sentence: Sentence, verb: str) -> list[str]:
    """Service, version, environment; fewer where fewer were said."""
    words = sentence.content
    at = _SERVICE_AT.fullmatch(words[0]) if words else None
    if at and not OWN_WORDS & {at[1].lower(), at[2].lower()}:
        words[:1] = [at[1], at[2]]
    if len(words) > 3:
        like = f"{verb}{_DEPLOY}"
        raise NotThatError(f"{words[3]!r} is one word too many: service, version and environment are enough.", like)
    return words


def _deploy(sentence: Sentence) -> Deploy | Choose:
    words = _three(sentence, "")
    if len(words) < 2:
        if sentence.flags or sentence.because:
            raise NotThatError("Which service and version, and where?", _DEPLOY)
        return Choose(service=words[0].lower() if words else None)
    if len(words) == 2:
        if words[0].startswith("@"):
            raise NotThatError("A person or a group is no service.", _DEPLOY)
        raise NotThatError(f"Where shall {words[0].lower()} {words[1]} go?", _DEPLOY)
    return Deploy(
        service=words[0].lower(),
        version=words[1],
        environment=words[2].lower(),
        because=sentence.because,
        force="force" in sentence.flags,
        now="now" in sentence.flags,
    )


def _plan(sentence: Sentence) -> Preview:
    if len(_three(sentence, "plan ")) < 3:
        raise NotThatError("`plan` takes a service, a version and an environment.", f"plan {_DEPLOY}")
    deploy = _deploy(sentence)
    assert isinstance(deploy, Deploy)
    return Preview(deploy=deploy)


def _diff(sentence: Sentence) -> Diff:
    _only(sentence, "diff", like=f"diff {_DEPLOY}")
    words = _three(sentence, "diff ")
    if len(words) < 3:
        raise NotThatError("`diff` takes a service, a version and an environment.", f"diff {_DEPLOY}")
    return Diff(service=words[0].lower(), version=words[1], environment=words[2].lower())


def _rollback(sentence: Sentence) -> Rollback | Recent:
    _only(sentence, "rollback", "now", "because")
    if not sentence.words and not sentence.flags and not sentence.because:
        return Recent()
    words, to = list(sentence.words), None
    lower = [word.lower() for word in words]
    if "to" in lower[2:]:
        at = lower.index("to", 2)
        if at + 2 != len(words):
            raise NotThatError("`to` names one version, at the end.", f"rollback {_ROOM} to {{good}}")
        to, words = words[at + 1], words[:at]
    words = [word.lower() for word in words if word.lower() not in FILLERS]
    if len(words) != 2:
        problem = "Which service, and where?" if len(words) < 2 else f"{words[2]!r} is one word too many."
        raise NotThatError(problem, f"rollback {_ROOM}", f"rollback {_ROOM} to {{good}}")
    now = "now" in sentence.flags
    return Rollback(service=words[0], environment=words[1], to=to, because=sentence.because, now=now)


def _room(sentence: Sentence, verb: str, *allowed: str) -> tuple[str | None, str | None]:
    """A service and an environment, or neither."""
    _only(sentence, verb, *allowed)
    words = [word.lower() for word in sentence.content]
    if len(words) > 2:
        raise _too_many(words[2], f"{verb} {_ROOM}")
    if len(words) == 1:
        raise NotThatError(f"`{verb}` takes a service and an environment, or nothing.", f"{verb} {_ROOM}")
    return (words[0], words[1]) if words else (None, None)


def _abort(sentence: Sentence) -> Abort:
    service, environment = _room(sentence, "abort", "because")
    return Abort(service=service, environment=environment, because=sentence.because)


def _retry(sentence: Sentence) -> Retry:
    service, environment = _room(sentence, "retry", "because")
    return Retry(service=service, environment=environment, because=sentence.because)


def answer(choice: Choice, sentence: Sentence) -> Answer:
    service, environment = _room(sentence, SAID[choice])
    return Answer(choice=choice, service=service, environment=environment)


def _up_to(sentence: Sentence, verb: str, most: int, *examples: str) -> list[str | None]:
    """As many names as were said, up to `most`, then None."""
    _only(sentence, verb, like=examples[-1])
    words = [word.lower() for word in sentence.content]
    if len(words) > most:
        raise _too_many(words[most], *examples)
    return [*words, *[None] * (most - len(words))]


def _status(sentence: Sentence) -> Status:
    service, environment = _up_to(sentence, "status", 2, "status", "status {service}", f"status {_ROOM}")
    return Status(service=service, environment=environment)


def _history(sentence: Sentence) -> History:
    service, environment = _up_to(sentence, "history", 2, "history {service}", f"history {_ROOM}")
    if service is None:
        raise NotThatError("Of which service?", "history {service}", f"history {_ROOM}")
    return History(service=service, environment=environment)


def _who(sentence: Sentence) -> Who:
    return Who(service=_up_to(sentence, "who", 1, "who", "who {service}")[0])


def _help(sentence: Sentence) -> Help:
    topic = " ".join(word.lower() for word in sentence.words)
    topic = {"it worked": "run again", "stop it": "wait"}.get(topic, topic)
    if topic and topic not in BY_NAME:
        raise NotThatError(f"There is no help for {topic[:40]!r}.", "help", "help rollback")
    return Help(topic=topic or None)


BUILDERS: dict[str, Callable[[Sentence], Command | Query]] = {
    "deploy": _deploy,
    "plan": _plan,
    "rollback": _rollback,
    "abort": _abort,
    "retry": _retry,
    "status": _status,
    "history": _history,
    "diff": _diff,
    "who": _who,
    "help": _help,
}
