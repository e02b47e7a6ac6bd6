"""Reading variables of the environment: each kind of value, and what is said of one that cannot be used."""

import re
from collections.abc import Mapping
from datetime import timedelta

_SIZE = re.compile(r"(\d+)\s*([KMGT]?)(?:i?B)?", re.IGNORECASE)
_POWERS = "KMGT"
_DAYS = re.compile(r"\d+(\.\d+)?")
_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


class SettingsError(Exception):
    """A variable that cannot be used. The message says which, why, and what would do."""


def size(env: Mapping[str, str], name: str) -> int | None:
    """Bytes, such as 512M or 2G; None when it is not set. Raises SettingsError."""
    text = env.get(name) or ""
    if not text:
        return None
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise SettingsError(f"{name} is {text!r}; it must be a size such as 512M or 2G.")
    return int(found[1]) << (10 * (_POWERS.index(found[2].upper()) + 1) if found[2] else 0)


def number(env: Mapping[str, str], name: str) -> int | None:
    """A whole number from 1 on; None when it is not set. Raises SettingsError."""
    text = env.get(name) or ""
    if text and (not text.isdecimal() or int(text) < 1):
        raise SettingsError(f"{name} is {text!r}; it must be a whole number such as 500.")
    return int(text) if text else None


def days(env: Mapping[str, str], name: str, otherwise: float) -> timedelta:
    """Days, such as 90 or 0.5. Raises SettingsError."""
    text = env.get(name) or str(otherwise)
    if not _DAYS.fullmatch(text) or float(text) > 36_500:
        raise SettingsError(f"{name} is {text!r}; it must be a number of days such as 90 or 0.5.")
    return timedelta(days=float(text))


def switch(env: Mapping[str, str], name: str) -> bool:
    """On or off; off when it is not set. Raises SettingsError."""
    text = (env.get(name) or _NO[0]).lower()
    if text not in _YES + _NO:
        raise SettingsError(f"{name} is {text!r}; it must be 1 or 0.")
    return text in _YES
