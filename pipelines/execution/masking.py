"""Takes secrets out of a stream of output, in every form that `encoders` names, wherever the stream was cut.

They are looked for in what people will see of the stream (`plain`), and that is what comes out: what stands between the
letters of a value and is not seen hides nothing. Where the values come from and who reads the result is not known here.
A form that is not in the table goes through: masking guards against accidents, not against a script that hides what it
prints.
"""

from collections.abc import Callable, Iterable, Sequence

import re2

from pipelines.execution.encoders import SHORTEST, forms
from pipelines.execution.plain import Plain

MASK = b"***"
HEAD = SHORTEST  # bytes by which the beginning of a form is found; what follows is compared
MEMORY = 16 << 20  # bytes that re2 may use for the heads

Finder = Callable[[bytes, int], int | None]


class Masker:
    """Masks one stream. What stays back between two chunks is the longest end that may be the beginning of a form.

    Forms that overlap are one mask: no end of a second secret is left standing. Without values all that is seen passes.
    """

    def __init__(self, values: Sequence[bytes | str]) -> None:
        found = sorted(forms(values), key=len, reverse=True)
        self._reach = max(map(len, found), default=1) - 1
        self._by_head: dict[bytes, list[bytes]] = {}  # the longest first
        for form in found:
            self._by_head.setdefault(form[:HEAD], []).append(form)
        self._stubs = {head[:size] for head in self._by_head for size in range(1, HEAD)}
        self._head = _finder(self._by_head)
        self._plain = Plain()
        self._held = b""
        self._masked = 0  # bytes at the start of what is held that a mask given out already stands for

    @property
    def holds(self) -> bool:
        """Whether something was kept back: else the stream may be cut here, and a new masker go on."""
        return bool(self._held) or self._plain.holds

    def feed(self, chunk: bytes) -> bytes:
        """The next part of the masked stream; may be empty."""
        return self._mask(self._plain.feed(chunk))

    def flush(self) -> bytes:
        """The rest, at the end of the stream."""
        last = self._mask(self._plain.flush())
        return last + self._advance(self._held, len(self._held))

    def text(self, text: str) -> str:
        """A whole text, masked; between streams."""
        whole = self.feed(text.encode(errors="surrogateescape")) + self.flush()
        return whole.decode(errors="replace")

    def _mask(self, seen: bytes) -> bytes:
        if self._head is None:
            return seen
        text = self._held + seen
        return self._advance(text, self._undecided(text))

    def _advance(self, text: bytes, until: int) -> bytes:
        """Gives out what is decided, which is all matches that begin before `until` and all bytes before it."""
        out: list[bytes] = []
        done, at = self._masked, 0
        while (span := self._form(text, at)) and span[0] < until:
            if span[0] >= done:
                out += (text[done : span[0]], MASK)
            done, at = max(done, span[1]), span[0] + 1
        out.append(text[done:until])
        self._held, self._masked = text[until:], max(0, done - until)
        return b"".join(out)

    def _form(self, text: bytes, at: int) -> tuple[int, int] | None:
        """The first form from `at` on, of several there the longest."""
        while self._head and (start := self._head(text, at)) is not None:
            for form in self._by_head[text[start : start + HEAD]]:
                if text.startswith(form, start):
                    return start, start + len(form)
            at = start + 1
        return None

    def _undecided(self, text: bytes) -> int:
        """Where the longest end of the text begins that is the beginning of a longer form."""
        at = max(0, len(text) - self._reach)
        while self._head and (start := self._head(text, at)) is not None:
            rest = text[start:]
            if any(len(form) > len(rest) and form.startswith(rest) for form in self._by_head[rest[:HEAD]]):
                return start
            at = start + 1
        last = range(max(0, len(text) - HEAD + 1), len(text))
        return next((start for start in last if text[start:] in self._stubs), len(text))


def _finder(heads: Iterable[bytes]) -> Finder | None:
    """Finds where the first of the heads is, from an offset on; None when there are no heads."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # bytes, whatever they mean
    options.max_mem = MEMORY
    options.log_errors = False  # they would quote the pattern
    pattern = b"|".join(re2.escape(head) for head in sorted(heads))
    search = re2.compile(pattern, options).search
    re2.purge()  # its cache would keep the secrets, and all that memory, for as long as the process lives

    def find(text: bytes, start: int) -> int | None:
        match = search(text, start)
        return match.start() if match else None

    return find if pattern else None
