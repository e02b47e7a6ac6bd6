"""Names for asks and deploys: time-ordered, unguessable, safe in a path and in a URL."""

import secrets
import time
from datetime import datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def _base32(number: int, digits: int) -> str:
    return "".join(_ALPHABET[(number >> (5 * i)) & 31] for i in reversed(range(digits)))


def new_id() -> str:
    """A ULID in lower case: 48 bits of milliseconds, then 80 random ones (https://github.com/ulid/spec)."""
    return _base32(time.time_ns() // 1_000_000, 10) + _base32(secrets.randbits(80), 16)


def first_id(at: datetime) -> str:
    """The least name that can be made at a time: all that sort before it are older."""
    return _base32(max(0, int(at.timestamp() * 1000)), 10) + _base32(0, 16)
