"""What people type becomes a command, a query, or a misread that says what would do. Pure, and never an exception.

Here: what holds for every line, from odd characters to the verb. What a verb takes is in `sentences`.
"""

import re

from handlers.chat import normalise as text_of
from handlers.chat import sentences
from handlers.chat.sentences import ANSWERS, BUILDERS, Misread, NotThatError
from handlers.chat.verbs import BY_NAME, COMMANDS, FILLERS, UNBUILT_CLAUSES
from pipelines.domain import letters
from pipelines.domain.commands import Choose, Command, Query, Unbuilt

REASON_LIMIT = 500
WORD_LIMIT = 200
_BEFORE = FILLERS | frozenset(COMMANDS)
_BECAUSE = re.compile(r"(?:^|\s)because(?:\s+|$)", re.IGNORECASE)

Parsed = Command | Query | Unbuilt | Misread


def parse(text: str) -> Parsed:
    """What a text asks for."""
    if len(text) > text_of.LIMIT:
        return Misread(sentence=f"That is longer than {text_of.LIMIT:,} characters. Say it shorter.")
    try:
        return _parse(text_of.normalise(text))
    except NotThatError as error:
        return error.misread


def bare(words: list[str]) -> list[str]:
    """The words without fillers and the name of a slash command before them; `/rollback` is its verb."""
    while words and (first := words[0].lower()) in _BEFORE:
        words = words[1:]
        if first == "/rollback":
            return ["rollback", *(words[1:] if words and words[0].lower() == "rollback" else words)]
    return words


def _parse(plain: str) -> Parsed:
    if odd := letters.hidden(plain):
        raise NotThatError(
            f"There is an invisible or control character at position {odd.position}: {odd.character} ({odd.name}). "
            "Type the line again by hand."
        )
    head, because = _split(plain)
    if odd := letters.foreign(head):
        raise NotThatError(
            f"The character {odd.character} at position {odd.position} ({odd.name}) is in no name that Shipmate knows; "
            "it may only look like another one. Type the line again by hand."
        )
    words = head.split()
    if long := next((word for word in words if len(word) > WORD_LIMIT), None):
        raise NotThatError(f"A word of {len(long)} characters is no name. The line begins with {long[:20]!r}.")
    return _sentence(bare(words), because)


def _split(plain: str) -> tuple[str, str]:
    found = _BECAUSE.search(plain)
    if not found:
        return plain, ""
    reason = " ".join(plain[found.end() :].split())
    if not reason:
        example = "{service} {version} {environment} because it is urgent"
        raise NotThatError("`because` needs a reason after it.", example)
    if len(reason) > REASON_LIMIT:
        raise NotThatError(f"The reason is longer than {REASON_LIMIT} characters. Say it shorter.")
    return plain[: found.start()], reason


def _sentence(words: list[str], because: str) -> Parsed:
    if not words and not because:
        return Choose()
    lower = [word.lower() for word in words]
    for phrase, choice in ANSWERS.items():
        if tuple(lower[: len(phrase)]) == phrase:
            return sentences.answer(choice, sentences.read(words[len(phrase) :], because))
    name = lower[0] if lower else "deploy"
    verb = BY_NAME.get(name)
    if verb is not None and not verb.built:
        return Unbuilt(name=name)
    rest = words[1:] if name in BUILDERS else words
    sentence = sentences.read(rest, because)
    if clause := next((word.lower() for word in rest if word.lower() in UNBUILT_CLAUSES), None):
        return Unbuilt(name=UNBUILT_CLAUSES[clause])
    return BUILDERS.get(name, BUILDERS["deploy"])(sentence)
