"""Of output nothing that can be seen is lost, and nothing that cannot be is left, wherever the stream was cut."""

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.chat.seen import visible
from pipelines.execution.plain import STRING, Plain, plain

PIECES = (
    "\x1b", "[", "]", "\x1b[", "\x1b]", "\x1b(", "31", ";", "m", "K", "\x07", "\x1b\\", "\\", "a", "B", " ", "\n", "\0",
    "\u200b", "\ufe0f", "\U000e0020", "\x9b", "é", "✓", "…", "ａ", "\ufffd",
)  # fmt: skip
BYTES = tuple(bytes([code]) for code in (0xC2, 0xE2, 0x80, 0x8B, 0xEF, 0xBB, 0xF3, 0xA0))


@pytest.mark.parametrize(
    ("printed", "seen"),
    [
        ("\x1b[1;31mred\x1b[0m \x1b[38;2;1;2;3mtrue\x1b[m\x1b[K", "red true"),
        ("\x1b[?25l\x1b[2K\x1b[1Gstep\x1b[?25h", "step"),
        ("\x1b(B\x1b[mtput", "tput"),
        ("\x1b]0;a title\x07text", "text"),
        ("\x1b]8;;https://x.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]a title that never ends\nnext", "a title that never ends\nnext"),
        ("\x1b]" + "x" * (STRING + 1) + "\x07", "x" * (STRING + 1)),
        ("bold b\bbo\bol\bld\bd, bell\x07", "bold bboolldd, bell"),
        ("50 %\r100 %\r\n\tdone", "50 %\r100 %\r\n\tdone"),
        ("T\0o\0k\0", "Tok"),
        ("\ufeffa\u200bb\u2060c\xadd\u202ee\u2066f⚠\ufe0f", "abcdef⚠"),
        ("café ✓ – „ｗｉｄｅ“ 日本 🚀 ⠋⠀", "café ✓ – „ｗｉｄｅ“ 日本 🚀 ⠋⠀"),
        ("an escape at the end \x1b", "an escape at the end "),
        ("cut \x1b[31", "cut [31"),
    ],
)
def test_what_is_seen_of_it(printed: str, seen: str) -> None:
    assert plain(printed.encode()) == seen.encode()


@given(st.lists(st.sampled_from([*(piece.encode() for piece in PIECES), *BYTES]), max_size=30), st.data())
def test_cuts_change_nothing(pieces: list[bytes], data: st.DataObject) -> None:
    text = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    one = Plain()
    fed = [one.feed(text[start:end]) for start, end in pairwise([0, *cuts, len(text)])]
    assert b"".join([*fed, one.flush()]) == plain(text)
    assert not one.holds


def test_a_title_that_never_ends_is_not_held_for_ever() -> None:
    one = Plain()
    assert one.feed(b"\x1b]" + b"x" * 1000) == b""
    assert one.feed(b"x" * STRING) == b"x" * (1000 + STRING)


@given(st.text())
def test_who_shows_it_takes_nothing_out_of_it(printed: str) -> None:
    seen = plain(printed.encode()).decode()
    assert len(visible(seen)) == len(seen)


def test_every_control_character_of_unicode_that_shows_as_nothing_is_taken_out() -> None:
    kept = {code for code in range(0xD800) if plain(chr(code).encode())} | {9, 10, 13}
    assert [code for code in kept - {9, 10, 13} if unicodedata.category(chr(code)) in ("Cc", "Cf")] == [
        *range(0x600, 0x606),  # signs of a number in Arabic and other scripts: they are seen
        0x6DD,
        0x70F,
        0x890,
        0x891,
        0x8E2,
    ]
