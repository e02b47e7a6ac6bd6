"""Takes secrets out of a stream of output, in every form that `ENCODERS` names, wherever the stream was cut.

Where the values come from and who reads the result is not known here. A form that is not in the table goes through:
masking guards against accidents, not against a script that hides what it prints.
"""

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from urllib.parse import quote, quote_plus

import re2

MASK = b"***"
SHORTEST = 6  # bytes of a value; shorter ones would turn half the output into stars
SHORTEST_LINE = 8  # bytes of a line of a value of many lines
MEMORY = 64 << 20  # bytes that re2 may use; with less than some private keys need it is slow

HEAD = 4  # bytes by which the beginning of a form is found

Finder = Callable[[bytes, int], tuple[int, int] | None]
Encoder = Callable[[bytes], Iterator[bytes]]


def _base64(value: bytes, alphabet: bytes) -> Iterator[bytes]:
    """The characters that the value alone decides, for each place it may have in a group of three bytes."""
    for before, first in ((0, 0), (1, 2), (2, 3)):
        whole = (before + len(value)) * 8 // 6
        yield base64.b64encode(bytes(before) + value, alphabet)[first:whole]


def _hex(value: bytes) -> Iterator[bytes]:
    yield value.hex().encode()
    yield value.hex().upper().encode()


def _percent(value: bytes) -> Iterator[bytes]:
    for quoted in (quote(value, safe=""), quote(value), quote(value, safe="!'()*"), quote_plus(value)):
        yield quoted.encode()
        yield "%".join(
            part[:2].lower() + part[2:] if at else part for at, part in enumerate(quoted.split("%"))
        ).encode()


def _json(value: bytes) -> Iterator[bytes]:
    text = value.decode(errors="replace")
    for ascii_only in (True, False):
        yield json.dumps(text, ensure_ascii=ascii_only)[1:-1].encode()


ENCODERS: dict[str, Encoder] = {
    "raw": lambda value: iter((value,)),
    "base64": lambda value: _base64(value, b"+/"),
    "base64url": lambda value: _base64(value, b"-_"),
    "hex": _hex,
    "percent": _percent,
    "json": _json,
}


def forms(values: Sequence[bytes | str]) -> frozenset[bytes]:
    """Every form to look for. Values under 6 bytes have none; of a value of many lines, lines of 8 bytes count too."""
    found: set[bytes] = set()
    for value in values:
        whole = value.encode(errors="surrogateescape") if isinstance(value, str) else value
        parts = {whole, whole.strip()} | {line for line in whole.splitlines() if len(line.strip()) >= SHORTEST_LINE}
        parts = {part for part in parts if len(part) >= SHORTEST}
        found |= {form for part in parts for encode in ENCODERS.values() for form in encode(part)}
    return frozenset(form for form in found if len(form) >= SHORTEST)


class Masker:
    """Masks one stream. What stays back between two chunks is the longest end that may be the beginning of a form.

    Forms that overlap are one mask: no end of a second secret is left standing. Without values chunks pass as they are.
    """

    def __init__(self, values: Sequence[bytes | str]) -> None:
        found = forms(values)
        self._reach = max(map(len, found), default=1) - 1
        self._by_head: dict[bytes, list[bytes]] = {}
        for form in found:
            self._by_head.setdefault(form[:HEAD], []).append(form)
        self._stubs = {head[:size] for head in self._by_head for size in range(1, HEAD)}
        self._whole, self._heads = _finder(found), _finder(self._by_head)
        self._held = b""
        self._masked = 0  # bytes at the start of what is held that a mask given out already stands for

    @property
    def holds(self) -> bool:
        """Whether something was kept back: else the stream may be cut here, and a new masker go on."""
        return bool(self._held)

    def feed(self, chunk: bytes) -> bytes:
        """The next part of the masked stream; may be empty."""
        if self._whole is None:
            return chunk
        text = self._held + chunk
        return self._advance(text, self._undecided(text))

    def flush(self) -> bytes:
        """The rest, at the end of the stream."""
        return self._advance(self._held, len(self._held))

    def _advance(self, text: bytes, until: int) -> bytes:
        """Gives out what is decided, which is all matches that begin before `until` and all bytes before it."""
        out: list[bytes] = []
        done, at = self._masked, 0
        while self._whole and (span := self._whole(text, at)) and span[0] < until:
            if span[0] >= done:
                out += (text[done : span[0]], MASK)
            done, at = max(done, span[1]), span[0] + 1
        out.append(text[done:until])
        self._held, self._masked = text[until:], max(0, done - until)
        return b"".join(out)

    def _undecided(self, text: bytes) -> int:
        """Where the longest end of the text begins that is the beginning of a longer form."""
        at = max(0, len(text) - self._reach)
        while self._heads and (span := self._heads(text, at)):
            rest = text[span[0] :]
            if any(len(form) > len(rest) and form.startswith(rest) for form in self._by_head[rest[:HEAD]]):
                return span[0]
            at = span[0] + 1
        last = range(max(0, len(text) - HEAD + 1), len(text))
        return next((start for start in last if text[start:] in self._stubs), len(text))


def _finder(words: Iterable[bytes]) -> Finder | None:
    """Finds the first of the words, of several there the longest, from an offset on; None when there are no words."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # bytes, whatever they mean
    options.longest_match = True
    options.max_mem = MEMORY
    options.log_errors = False  # they would quote the pattern
    pattern = b"|".join(re2.escape(word) for word in sorted(words))
    search = re2.compile(pattern, options).search
    re2.purge()  # its cache would keep the secrets, and all that memory, for as long as the process lives

    def find(text: bytes, start: int) -> tuple[int, int] | None:
        match = search(text, start)
        return match.span() if match else None

    return find if pattern else None
