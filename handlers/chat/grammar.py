"""What people type becomes a command, a query, or a misread that says what would do. Pure, and never an exception.

Here: what holds for every line, from odd characters to the verb. What a verb takes is in `sentences`.
"""

import re

from handlers.chat import normalise as text_of
from handlers.chat import sentences
from handlers.chat.sentences import ANSWERS, BUILDERS, Misread, NotThatError
from handlers.chat.verbs import BY_NAME, FILLERS, UNBUILT_CLAUSES
from pipelines.domain import letters
from pipelines.domain.commands import Choose, Command, Query, Unbuilt

REASON_LIMIT = 500
WORD_LIMIT = 200
_BECAUSE = re.compile(r"(?:^|\s)because(?:\s+|$)", re.IGNORECASE)

Parsed = Command | Query | Unbuilt | Misread


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
    except NotThatError as error:
        return error.misread


def _parse(plain: str, verb: str) -> Parsed:
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
    if verb == "rollback":
        words = ["rollback", *(words[1:] if words[:1] == ["rollback"] else words)]
    return _sentence(words, because)


def _split(plain: str) -> tuple[str, str]:
    found = _BECAUSE.search(plain)
    if not found:
        return plain, ""
    reason = " ".join(plain[found.end() :].split())
    if not reason:
        raise NotThatError("`because` needs a reason after it.", "{service} latest {environment} because it is urgent")
    if len(reason) > REASON_LIMIT:
        raise NotThatError(f"The reason is longer than {REASON_LIMIT} characters. Say it shorter.")
    return plain[: found.start()], reason


def _sentence(words: list[str], because: str) -> Parsed:
    while words and words[0].lower() in FILLERS:
        words = words[1:]
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
