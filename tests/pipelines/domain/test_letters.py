"""Every character that is shown as nothing or controls others is named; nothing that is written by hand is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.letters import IGNORABLE, foreign, hidden


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a\u200bb", "U+200B (zero width space)"),
        ("\u202eab", "U+202E (right-to-left override)"),
        ("a\x00", "U+0000 (a control character)"),
        ("a\u3164", "U+3164 (hangul filler)"),
        ("a\ud800", "U+D800 (a control character)"),
    ],
)
def test_what_is_hidden_is_named(text: str, named: str) -> None:
    assert str(hidden(text)) == named


def test_what_is_no_ascii_is_named() -> None:
    assert str(foreign("аpi")) == "а (cyrillic small letter a)"
    assert foreign("api v1.4") is None


@given(st.text(alphabet=st.sampled_from([*IGNORABLE]), min_size=1))
def test_what_is_shown_as_nothing_is_found(text: str) -> None:
    assert hidden(f"a{text}b") is not None


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126)))
def test_plain_text_has_nothing_odd(text: str) -> None:
    assert hidden(text) is None and foreign(text) is None
