"""Which words may come next in a sentence: for every verb that is built, out of its usages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.chat.grammar import parse
from handlers.chat.sentences import Misread
from handlers.terminal.completion import ENVIRONMENT, PATTERNS, SERVICE, VERSION, Pattern, next_slots
from tests.support.domain import config

CONFIG = config()
FILLED = {SERVICE: "api", ENVIRONMENT: "staging", VERSION: "v1.4", "because": "because of it"}


def said(pattern: Pattern) -> list[str]:
    return [FILLED.get(word, word) for word in pattern]


@pytest.mark.parametrize("pattern", PATTERNS, ids=" ".join)
def test_every_usage_is_completed_word_by_word(pattern: Pattern) -> None:
    for place, word in enumerate(pattern):
        assert word in next_slots(said(pattern)[:place], CONFIG)


@pytest.mark.parametrize("pattern", PATTERNS, ids=" ".join)
def test_what_was_completed_is_understood(pattern: Pattern) -> None:
    assert not isinstance(parse(" ".join(said(pattern))), Misread)


@pytest.mark.parametrize(
    ("words", "slots"),
    [
        ("api", [VERSION]),
        ("deploy api", [VERSION]),
        ("/deploy api v1.4", [ENVIRONMENT]),
        ("API v1.4 to", [ENVIRONMENT]),
        ("api @ v1.4", [ENVIRONMENT]),
        ("api@v1.4", [ENVIRONMENT]),
        ("rollback api", [ENVIRONMENT]),
        ("rollback api production", ["to", "now"]),
        ("rollback api production to", [VERSION]),
        ("run", ["again"]),
        ("shop", []),
        ("api v1.4 moon", []),
    ],
)
def test_what_comes_next(words: str, slots: list[str]) -> None:
    assert next_slots(words.split(), CONFIG)[: len(slots)] == slots
    assert bool(slots) or next_slots(words.split(), CONFIG) == []


def test_it_begins_with_a_verb_or_a_service() -> None:
    slots = next_slots([], CONFIG)
    assert {SERVICE, "deploy", "rollback", "status", "help", "run", "it", "wait", "stop"} <= set(slots)
    assert "freeze" not in slots


@given(st.lists(st.text(max_size=20), max_size=30))
def test_any_words_have_some_next_ones_or_none(words: list[str]) -> None:
    assert isinstance(next_slots(words, CONFIG), list)
