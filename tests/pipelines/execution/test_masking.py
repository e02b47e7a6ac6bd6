"""What must never be seen is not seen, wherever the stream was cut; everything else passes unchanged and at once."""

import base64
import html
import json
import os
import random
import re
import shlex
import subprocess
import time
from collections.abc import Sequence
from itertools import pairwise
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipelines.execution.encoders import ENCODERS, OF_THE_WHOLE, SHORTEST, forms
from pipelines.execution.masking import MASK, Masker
from pipelines.execution.plain import plain

PASSWORD = 'pa$$/w0rd+"ü"?& ok'
KEY = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA\nshort\n-----END KEY-----\n"


def masked(values: Sequence[bytes | str], chunks: Sequence[bytes]) -> bytes:
    masker = Masker(values)
    return b"".join([*map(masker.feed, chunks), masker.flush()])


def by_hand(values: Sequence[bytes | str], text: bytes, until: int | None = None) -> bytes:
    """The definition, slow and plain: every form that begins before `until` is covered, overlaps are one mask."""
    until = len(text) if until is None else until
    found = {(at, at + len(form)) for form in forms(values) for at in range(until) if text.startswith(form, at)}
    out, done = b"", 0
    for start, end in sorted(found):
        out += text[done:start] + MASK if start >= done else b""
        done = max(done, end)
    return out + text[done:until]


@st.composite
def secrets_and_text(draw: st.DrawFn) -> tuple[list[bytes], bytes, list[int]]:
    """Few letters, so that secrets overlap themselves and each other, and a text made of pieces of them."""
    values = draw(st.lists(st.text("ab\n", min_size=6, max_size=24).map(str.encode), min_size=1, max_size=3))
    known = sorted(forms(values))
    whole = st.sampled_from(known) if known else st.just(b"")
    piece = st.builds(lambda form, start, end: form[start:end], whole, st.integers(0, 3), st.integers(1, 40))
    text = b"".join(draw(st.lists(st.one_of(whole, piece, st.text("ab \n", max_size=4).map(str.encode)), max_size=12)))
    return values, text, sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))


@given(secrets_and_text())
def test_cuts_change_nothing(case: tuple[list[bytes], bytes, list[int]]) -> None:
    values, text, cuts = case
    chunks = [text[start:end] for start, end in pairwise([0, *cuts, len(text)])]
    assert masked(values, chunks) == masked(values, [text]) == by_hand(values, text)


@given(secrets_and_text())
def test_held_back_is_the_longest_end_that_begins_a_form_and_no_more(
    case: tuple[list[bytes], bytes, list[int]],
) -> None:
    values, text, _ = case
    known = forms(values)
    ends = (at for at in range(len(text)) if any(form.startswith(text[at:]) and form != text[at:] for form in known))
    assert Masker(values).feed(text) == by_hand(values, text, next(ends, len(text)))


@given(st.lists(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])).map(str.encode)))
def test_without_values_every_chunk_of_text_is_itself(chunks: list[bytes]) -> None:
    masker = Masker([])
    assert all(masker.feed(chunk) == chunk for chunk in chunks)
    assert masker.flush() == b""


@given(st.binary(max_size=200))
def test_bytes_without_secrets_pass_as_far_as_they_are_seen(text: bytes) -> None:
    assert masked(["correct-horse-battery"], [text]) == masked([], [text]) == plain(text)


def test_a_line_is_not_delayed_without_need() -> None:
    masker = Masker(["correct-horse"])
    assert masker.feed(b"step 1 done\n") == b"step 1 done\n"
    assert masker.feed(b"token is corr") == b"token is "
    assert masker.feed(b"ect\n") == b"correct\n"


QUOTED = 'it\'s <b>&"ü" $HOME\\'
TOKEN = "tOk+en/Val=ue&1%2 x#Y"
LONG = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.~ and more"
HARD = json.dumps(QUOTED)[1:-1]
CLAIMED = {
    "raw": (PASSWORD, PASSWORD.encode(), rb"\*{3}"),
    "trimmed": (f"  {PASSWORD}\n", PASSWORD.encode(), rb"\*{3}"),
    "lines": (KEY, b"MIIEpAIBAAKCAQEA", rb"\*{3}"),
    "CRLF": (KEY, KEY.replace("\n", "\r\n").encode(), rb"\*{3}(\r\n)?"),
    "base64": (PASSWORD, base64.b64encode(PASSWORD.encode()), rb"\*{3}.{0,2}={0,2}"),
    "base64, second of three": (PASSWORD, base64.b64encode(b"u" + PASSWORD.encode() + b"tail"), rb".{2}\*{3}.{5,8}"),
    "base64, third of three": (PASSWORD, base64.b64encode(b"u:" + PASSWORD.encode() + b"tail"), rb".{3}\*{3}.{5,8}"),
    "base64url": (PASSWORD, base64.urlsafe_b64encode(b"user:" + PASSWORD.encode()), rb".{7}\*{3}.{0,2}={0,2}"),
    "base64, wrapped at 76": (LONG, base64.encodebytes(LONG.encode()).strip(), rb"\*{3}.{0,2}={0,2}"),
    "base64, wrapped at 64": (
        LONG,
        re.sub(rb"(.{64})", rb"\1\r\n", base64.b64encode(LONG.encode())),
        rb"\*{3}.{0,2}={0,2}",
    ),
    "base64, twice": (PASSWORD, base64.b64encode(base64.b64encode(PASSWORD.encode())), rb"\*{3}.{0,8}"),
    "base64, twice, in a context": (
        PASSWORD,
        base64.b64encode(b"k=" + base64.b64encode(b"user:" + PASSWORD.encode())),
        rb".{8,16}\*{3}.{0,8}",
    ),
    "hex": (PASSWORD, PASSWORD.encode().hex().encode(), rb"\*{3}"),
    "HEX": (PASSWORD, PASSWORD.encode().hex().upper().encode(), rb"\*{3}"),
    "hex with colons": (PASSWORD, PASSWORD.encode().hex(":").encode(), rb"\*{3}"),
    "xxd": (
        PASSWORD,
        b'00000000: 7061 2424 2f77 3072 642b 22c3 bc22 3f26  pa$$/w0rd+".."?&\n00000010: 206f 6b  ok',
        rb"00000000: \*{3}  \*{3}\n00000010: \*{3}  ok",
    ),
    "hexdump -C": (
        PASSWORD,
        b'00000000  70 61 24 24 2f 77 30 72  64 2b 22 c3 bc 22 3f 26  |pa$$/w0rd+".."?&|',
        rb"00000000  \*{3}  \|\*{3}\|",
    ),
    "percent": (PASSWORD, quote(PASSWORD, safe="").encode(), rb"\*{3}"),
    "percent, slash kept": (PASSWORD, quote(PASSWORD).encode(), rb"\*{3}"),
    "form": (PASSWORD, quote_plus(PASSWORD).encode(), rb"\*{3}"),
    "json": (PASSWORD, json.dumps({"p": PASSWORD}).encode(), rb'\{"p": "\*{3}"\}'),
    "json, not ASCII": (PASSWORD, json.dumps({"p": PASSWORD}, ensure_ascii=False).encode(), rb'\{"p": "\*{3}"\}'),
    "json, Go's": (
        QUOTED,
        HARD.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e").encode(),
        rb"\*{3}",
    ),
    "json in json": (QUOTED, json.dumps(json.dumps({"p": QUOTED})).encode(), rb'"\{\\"p\\": \\"\*{3}\\"\}"'),
    "quoted by shlex": (QUOTED, shlex.quote(QUOTED).encode(), rb"'\*{3}'"),
    "set -x": (QUOTED, QUOTED.replace("'", "'\\''").encode(), rb"\*{3}"),
    "printf %q": (QUOTED, 'it\\\'s\\ \\<b\\>\\&\\"ü\\"\\ \\$HOME\\\\'.encode(), rb"\*{3}"),
    "printf %q, control": ("one'\ntwo\tü", b"$'one\\'\\ntwo\\t\\303\\274'", rb"\$'\*{3}'"),
    "html": (QUOTED, html.escape(QUOTED).encode(), rb"\*{3}"),
    "xml": (QUOTED, html.escape(QUOTED).replace("&#x27;", "&apos;").encode(), rb"\*{3}"),
    "repr": (QUOTED, repr(["x", QUOTED]).encode(), rb"\['x', '\*{3}'\]"),
    "repr of bytes": (QUOTED, repr(QUOTED.encode()).encode(), rb"b'\*{3}'"),
    "yaml": (QUOTED, b'"it\'s <b>&\\"\\xFC\\" $HOME\\\\"', rb'"\*{3}"'),
    "sql": (QUOTED, QUOTED.replace("'", "''").encode(), rb"\*{3}"),
    "grep --color": (TOKEN, b"tOk+\x1b[01;31m\x1b[Ken\x1b[m\x1b[K/Val=ue&1%2 x#Y", rb"\*{3}"),
    "tput": (TOKEN, b"tOk+en\x1b(B\x1b[m/Val=ue&1%2 x#Y", rb"\*{3}"),
    "a link": (TOKEN, b"tOk+\x1b]8;;https://x.example\x1b\\en/Val=ue\x1b]8;;\x07&1%2 x#Y", rb"\*{3}"),
    "UTF-16": (TOKEN, TOKEN.encode("utf-16-le"), rb"\*{3}"),
    "UTF-32": (TOKEN, TOKEN.encode("utf-32-be"), rb"\*{3}"),
    "zero width": (TOKEN, "\u200bt\u2060Ok+en\ufeff/V\xadal=ue&1\u200d%2\ufe0f x#Y\U000e0020".encode(), rb"\*{3}"),
    "control": (TOKEN, b"\x02tOk+en\0/Val=\bue&1%2 x\x7f#Y", rb"\*{3}"),
    "colours around base64": (
        TOKEN,
        b"\x1b[36m".join(re.findall(b"..?", base64.b64encode(TOKEN.encode()))),
        rb"\*{3}.{0,2}={0,2}",
    ),
    "itself with invisible characters": ("a\u200bb\x1b[1mcde\0fgh", "a\u200bb\x1b[1mcde\0fgh".encode(), rb"\*{3}"),
}


@pytest.mark.parametrize(("value", "form", "seen"), CLAIMED.values(), ids=CLAIMED.keys())
def test_every_claimed_form_is_masked_at_every_cut(value: str, form: bytes, seen: bytes) -> None:
    text = b"see " + form + b" there\n"
    whole = masked([value], [text])
    assert re.fullmatch(b"see " + seen + b" there\n", whole), whole
    for cut in range(len(text) + 1):
        assert masked([value], [text[:cut], text[cut:]]) == whole


SHELL = r"""
printf '%s %q\n' "$S" "$S"
printf %s "$S" | base64
set -x
: "$S" "a $S b"
"""


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\x1b"), min_size=8, max_size=40))
def test_values_of_any_letters_are_found_however_they_are_quoted(value: str) -> None:
    assume(len(plain(value.encode())) >= SHORTEST)
    quoted = [json.dumps(value), repr(value), shlex.quote(value), html.escape(value), quote(value), quote_plus(value)]
    for form in (value, *quoted, base64.b64encode(value.encode()).decode(), value.encode().hex()):
        seen = masked([value], [b"> ", form.encode(), b" <"])
        assert re.fullmatch(rb"> b?['\"]?\*{3}.{0,3}['\"]? <", seen, re.DOTALL), (form, seen)


@pytest.mark.parametrize("value", [PASSWORD, QUOTED, LONG, "a!b#c~d=~e:~f", "one\ntwo'\\\tthree"])
def test_what_a_shell_itself_prints_of_a_value_is_masked(value: str) -> None:
    done = subprocess.run(["bash", "-c", SHELL], env={"S": value, "PATH": os.environ["PATH"]}, capture_output=True)
    printed = done.stdout + done.stderr
    whole = masked([value], [printed])
    assert whole.count(MASK) >= 5
    for piece in (value.encode()[at : at + 8] for at in range(len(value.encode()) - 8)):
        assert piece not in whole, (piece, whole)


def test_percent_of_either_case() -> None:
    upper = quote(PASSWORD, safe="")
    lower = "%".join(part if not at else part[:2].lower() + part[2:] for at, part in enumerate(upper.split("%")))
    assert masked([PASSWORD], [f"{upper} {lower}".encode()]) == b"*** ***"


def test_lines_of_a_long_secret_are_masked_alone_but_short_ones_stay() -> None:
    text = b"  MIIEpAIBAAKCAQEA\n  short\n"
    assert masked([KEY], [text]) == b"  ***\n  short\n"
    assert masked([KEY], [f"key:\n{KEY}end".encode()]) == b"key:\n***end"


def test_overlapping_secrets_leave_no_end_standing() -> None:
    assert masked(["abcdef", "efghijklmnop"], [b"-abcdefghijklmnop-"]) == b"-***-"


def test_a_value_of_a_few_letters_is_left_alone() -> None:
    assert forms(["five5", ""]) == frozenset()
    assert masked(["five5"], [b"five5"]) == b"five5"


def test_a_run_that_never_ends_is_not_held() -> None:
    masker = Masker(["aaaaaa"])
    first = masker.feed(b"a" * 50)
    rest = [masker.feed(b"a" * 50) for _ in range(20)]
    assert (first, set(rest), masker.flush()) == (MASK, {b""}, b"")


def test_values_that_are_not_text_are_masked_too() -> None:
    value = bytes([0, 255, 254, 10, 13, 128, 200])
    assert masked([value], [b"<" + value + b">", value.hex().encode()]) == b"<***>***"


def test_the_table_of_encoders_is_the_list_of_claims() -> None:
    assert set(ENCODERS) == {"raw", "base64", "base64url", "hex", "percent", "json", "shell", "html", "literal"}
    assert set(OF_THE_WHOLE) == {"base64 wrapped", "base64 twice", "hex groups", "dump", "json twice"}


def test_a_text_is_masked_whole_and_leaves_nothing_for_the_next() -> None:
    masker = Masker(["correct-horse"])
    assert [masker.text(text) for text in ("a correct-horse", "correct-", "horse")] == ["a ***", "correct-", "horse"]


def test_many_large_secrets_cost_little_memory() -> None:
    values = [random.Random(number).randbytes(1000).hex() for number in range(64)]
    assert masked(values, [b"x " * 1000, values[7].encode()]) == b"x " * 1000 + MASK


def test_it_costs_little() -> None:
    """These 8 MB take 0.01 s of CPU: fifty times that leaves room for a slow machine, and none for `re`."""
    values = [f"secret-{number}-{random.Random(number).randbytes(12).hex()}" for number in range(5)]
    line = b"2026-01-02T03:04:05Z step 0000001 compiling module src/app/handlers/user.py ok in 12 ms\n"
    masker, chunk = Masker(values), line * 3000
    began = time.process_time()
    for _ in range(32):
        masker.feed(chunk)
    assert time.process_time() - began < 0.5
