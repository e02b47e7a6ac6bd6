"""The forms in which a secret may be printed: what masking claims to find, one name a form.

They are forms of what is seen: colours and invisible characters are taken off before (`plain`), and with them the
zeros that UTF-16 puts between letters of ASCII.

Not claimed: reversed, other case, one character a line, with visible characters inside, overwritten in place,
compressed, encrypted, another character set, pieces of less than 8 characters. A value of less than 6 bytes has no
form.
"""

import base64
import html
import json
import re
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import quote, quote_plus

from pipelines.execution.plain import plain

SHORTEST = 6  # bytes of a value; shorter ones would turn half the output into stars
SHORTEST_LINE = 8  # bytes of a line of a value of many lines, and of a line of a dump
DUMPED = 4096  # bytes of a value up to which dumps of it are looked for: they need a form for every 16 of its bytes

Encoder = Callable[[bytes], Iterator[bytes]]


def _text(value: bytes) -> str:
    return value.decode(errors="surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def _raw(value: bytes) -> Iterator[bytes]:
    yield value
    yield value.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _base64(value: bytes, alphabet: bytes) -> Iterator[bytes]:
    """The characters that the value alone decides, for each place it may have in a group of three bytes."""
    for before, first in ((0, 0), (1, 2), (2, 3)):
        whole = (before + len(value)) * 8 // 6
        yield base64.b64encode(bytes(before) + value, alphabet)[first:whole]


def _base64_wrapped(value: bytes) -> Iterator[bytes]:
    """Of the value alone, as `base64` prints it."""
    text = base64.b64encode(value)[: len(value) * 8 // 6]
    for width in (64, 76):
        lines = [text[start : start + width] for start in range(0, len(text), width)]
        yield from (b"\n".join(lines), b"\r\n".join(lines))


def _base64_twice(value: bytes) -> Iterator[bytes]:
    for once in _base64(value, b"+/"):
        yield from _base64(once, b"+/")


def _hex(value: bytes) -> Iterator[bytes]:
    yield value.hex().encode()
    yield value.hex().upper().encode()


def _hex_groups(value: bytes) -> Iterator[bytes]:
    for between in " :-":
        yield value.hex(between).encode()
        yield value.hex(between).upper().encode()


def _dump(value: bytes) -> Iterator[bytes]:
    """Of the value alone, line by line as `xxd`, `hexdump -C` and `od -tx1` print it."""
    for start in range(0, len(value) if len(value) <= DUMPED else 0, 16):
        line = value[start : start + 16]
        yield line.hex(" ", -2).encode()
        yield b"  ".join(half.hex(" ").encode() for half in (line[:8], line[8:]) if half)
        yield line.hex(" ").encode()
        if len(line) >= SHORTEST_LINE:
            yield re.sub(rb"[^ -~]", b".", line)


def _percent(value: bytes) -> Iterator[bytes]:
    """With all reserved characters encoded, or as a browser or an HTTP client leaves some of them."""
    whole = quote(value, safe="/?:@!$&'()*+,;=~")
    for quoted in (
        quote(value, safe=""),
        quote(value),
        quote(value, safe="!'()*"),
        quote_plus(value),
        whole,
        whole.replace("%20", "+"),
    ):
        yield quoted.encode()
        yield "%".join(
            part[:2].lower() + part[2:] if at else part for at, part in enumerate(quoted.split("%"))
        ).encode()


def _json(value: bytes) -> Iterator[bytes]:
    """As most write it, as PHP does (`\\/`) and as Go does (`\\u0026`)."""
    text = _text(value)
    for ascii_only in (True, False):
        inner = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        yield _bytes(inner)
        yield _bytes(inner.replace("/", "\\/"))
        yield _bytes(re.sub("[&<>]", lambda found: f"\\u{ord(found[0]):04x}", inner))


def _json_twice(value: bytes) -> Iterator[bytes]:
    for once in _json(value):
        yield from _json(once)


def _shell(value: bytes) -> Iterator[bytes]:
    """Quoted in each of a shell's ways: in a script, by `printf %q`, in a trace of `set -x`."""
    yield value.replace(b"'", b"'\\''")
    yield value.replace(b"'", b"'\"'\"'")
    yield re.sub(rb'([$`"\\])', rb"\\\1", value)
    backslashed = re.sub(rb"([ !\"$&'()*,;<>?\[\\\]^`{|}]|^[#~]|(?<=[:=])~)", rb"\\\1", value)
    yield backslashed
    named = {b"\n": b"\\n", b"\t": b"\\t", b"\r": b"\\r", b"\\": b"\\\\", b"'": b"\\'", b"\x1b": b"\\E"}
    text = b"".join(named.get(value[at : at + 1], value[at : at + 1]) for at in range(len(value)))
    yield text
    yield re.sub(rb"[^ -~]", lambda found: b"\\%03o" % found[0][0], text)


def _html(value: bytes) -> Iterator[bytes]:
    text = _text(value)
    yield _bytes(html.escape(text, quote=False))
    for apostrophe in ("&#x27;", "&#39;", "&apos;", "'"):
        yield _bytes(html.escape(text).replace("&#x27;", apostrophe))


def _literal(value: bytes) -> Iterator[bytes]:
    """As Python shows a text or bytes, as YAML writes it between quotes, and as SQL does."""
    yield value.replace(b"'", b"''")
    text = _text(value)
    inner = repr(text)[1:-1]
    yield from map(_bytes, (inner, inner.replace("'", "\\'"), inner.replace("\\'", "'"), inner.replace('"', '\\"')))
    yield repr(value)[2:-1].encode()
    escaped = text.encode("unicode_escape", errors="surrogatepass").decode().replace('"', '\\"')
    yield escaped.encode()
    yield re.sub(r"\\x[0-9a-f]{2}", lambda found: "\\x" + found[0][2:].upper(), escaped).encode()


ENCODERS: dict[str, Encoder] = {
    "raw": _raw,
    "base64": lambda value: _base64(value, b"+/"),
    "base64url": lambda value: _base64(value, b"-_"),
    "hex": _hex,
    "percent": _percent,
    "json": _json,
    "shell": _shell,
    "html": _html,
    "literal": _literal,
}
"""Of a whole value and of its lines."""

OF_THE_WHOLE: dict[str, Encoder] = {
    "base64 wrapped": _base64_wrapped,
    "base64 twice": _base64_twice,
    "hex groups": _hex_groups,
    "dump": _dump,
    "json twice": _json_twice,
}


def forms(values: Sequence[bytes | str]) -> frozenset[bytes]:
    """Every form to look for. Values under 6 bytes have none; of a value of many lines, lines of 8 bytes count too."""
    found: set[bytes] = set()
    for value in values:
        whole = _bytes(value) if isinstance(value, str) else value
        wholes = {part for part in (whole, whole.strip()) if len(part) >= SHORTEST}
        lines = {part for line in whole.splitlines() for part in (line, line.strip()) if len(part) >= SHORTEST_LINE}
        found |= {form for part in wholes | lines for encode in ENCODERS.values() for form in encode(part)}
        found |= {form for part in wholes for encode in OF_THE_WHOLE.values() for form in encode(part)}
    return frozenset(seen for form in found if len(seen := plain(form)) >= SHORTEST)
