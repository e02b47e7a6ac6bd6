"""Output as the text that people see of it: without colours, cursor movements and characters that show as nothing.

This is the one place that takes anything out of output, before values are looked for in it: where something was taken
out later, pieces of a value that was not found would come together. Who shows output puts marks in the place of what
is still odd, and takes nothing out.
"""

import re

SEQUENCE = 64  # bytes of a control sequence's arguments
STRING = 2048  # bytes of a window title or the address of a link
# In UTF-8: U+0080 to 9F, AD, 034F, 061C, 115F, 1160, 17B4, 17B5, 180B to F, 200B to F, 202A to E, 2060 to F, 3164,
# FE00 to F, FEFF, FFA0, FFF9 to B, E0000 to FFF.
_CHARACTER = (
    rb"\xc2[\x80-\x9f\xad]|\xcd\x8f|\xd8\x9c|\xe1\x85[\x9f\xa0]|\xe1\x9e[\xb4\xb5]|\xe1\xa0[\x8b-\x8f]|"
    rb"\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa0-\xaf]|\xe3\x85\xa4|\xef\xb8[\x80-\x8f]|\xef\xbb\xbf|\xef\xbe\xa0|"
    rb"\xef\xbf[\xb9-\xbb]|\xf3\xa0[\x80-\xbf][\x80-\xbf]"
)
_BEGUN = (
    rb"[\xc2\xcd\xd8\xe1-\xe3\xef\xf3]|\xe1[\x85\x9e\xa0]|\xe2[\x80\x81]|\xe3\x85|\xef[\xb8\xbb\xbe\xbf]|"
    rb"\xf3\xa0[\x80-\xbf]?"
)
_ARGUMENTS = rb"\[[0-?]{0,%d}[ -/]{0,2}" % SEQUENCE
_TITLE = rb"\][^\x07\x1b\n]{0,%d}" % STRING
_ESCAPE = rb"\x1b(?:%b[@-~]|%b(?:\x07|\x1b\\)|[ -/]{1,2}[0-~]|[@-Z\\-_])?" % (_ARGUMENTS, _TITLE)
_CONTROLS = bytes([*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x1B), *range(0x1C, 0x20), 0x7F])
_RUNS = [b"%b[%b]*" % (re.escape(bytes([one])), _CONTROLS) for one in _CONTROLS]
# `re` looks for this fast as long as each alternative begins with a letter, and none with a class of letters.
_UNSEEN = re.compile(b"|".join((_ESCAPE, *_RUNS, _CHARACTER)))
_UNFINISHED = re.compile(rb"(?:\x1b(?:%b|%b\x1b?|[ -/]{1,2})?|%b)\Z" % (_ARGUMENTS, _TITLE, _BEGUN))
_REACH = STRING + 4


class Plain:
    """One stream. What stays back between two chunks may be the beginning of something that is taken out."""

    def __init__(self) -> None:
        self._held = b""

    @property
    def holds(self) -> bool:
        return bool(self._held)

    def feed(self, chunk: bytes) -> bytes:
        text = self._held + chunk if self._held else chunk
        begun = _UNFINISHED.search(text, max(0, len(text) - _REACH))
        until = begun.start() if begun else len(text)
        self._held = text[until:]
        return plain(text[:until])

    def flush(self) -> bytes:
        text, self._held = self._held, b""
        return plain(text)


def plain(text: bytes) -> bytes:
    """A whole text."""
    return _UNSEEN.sub(b"", text)
