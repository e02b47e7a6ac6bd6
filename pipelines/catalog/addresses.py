"""Addresses that a check asks: whether one can be asked at all, known before anything runs."""

import re
from urllib.parse import urlsplit

_NAME = re.compile(r"\$(?:\w+|\{\w+\})")


def address_problem(text: str) -> str | None:
    """Why a URL, or `host:port`, can never be asked; names such as $TARGET stand for anything that fits."""
    if re.search(r"[\r\n\t]", text):
        return "it goes over several lines, or holds a tab"
    for given in ("host", "80"):  # a name may be a host, or a port behind one
        problem = _problem(_NAME.sub(given, text))
        if problem is None:
            return None
    return problem


def _problem(text: str) -> str | None:
    try:
        parts = urlsplit(text if "://" in text else f"tcp://{text}")
        port = parts.port
    except ValueError:
        return "a port is a number up to 65535" if re.search(r":\d{5,}", text) else "it is no URL"
    if not parts.hostname or " " in parts.netloc:
        return "it names no host"
    return "a port is a number from 1 on" if port == 0 else None
