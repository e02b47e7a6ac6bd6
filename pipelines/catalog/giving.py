"""What the bot's configuration gives to scripts: names of its own variables, and where secrets are. Never a value."""

import re

from pipelines.catalog.fields import text, texts
from pipelines.catalog.nodes import Sequence, Value
from pipelines.catalog.problems import Found, nearest
from pipelines.domain.variables import OWN, PASSED_NAME

KEPT = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "DATABASE_URL")
"""What the bot itself is run with, and no script gets."""

PLACES = ("{service}", "{environment}", "{name}")
EXAMPLE = "file:///etc/shipmate/secrets/{service}/{environment}/{name}"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def pass_env(value: Value, found: Found, key: str) -> tuple[str, ...]:
    """Names of variables; what a script gets anyway or may not get is noted. What may be a value is not repeated."""
    names = texts(value, found, key)
    lines = [item.line for item in value.items] if isinstance(value, Sequence) else [value.line]
    for line, name in zip(lines, names, strict=True):
        if name and (problem := _unfit(name)):
            found.add(line, problem)
    return tuple(dict.fromkeys(names))


def _unfit(name: str) -> str | None:
    if not PASSED_NAME.fullmatch(name):
        return "this is not the name of a variable; a name is like SSH_AUTH_SOCK, and no value stands here"
    if name in OWN:
        return f"`{name}` is given to every script by Shipmate itself; remove it"
    if name in KEPT:
        return (
            f"`{name}` is the bot's own and is given to no script; a service's own value is a secret of its deploy.yml"
        )
    return None


def secrets_from(value: Value, found: Found, key: str) -> str | None:
    """The URL of a file a secret, with its places still in it; None when it was noted to be wrong."""
    url = text(value, found, key)
    problem = _wrong(url) if url else None
    if problem:
        found.add(value.line, f"`{url}` {problem}")
    return url if url and not problem else None


def _wrong(url: str) -> str | None:
    scheme = _SCHEME.match(url)
    if scheme is None:
        return f"does not say where secrets are; write {EXAMPLE}"
    if scheme[1] != "file":
        return f"is not enforced by this version yet: of `{scheme[1]}://` and its like only file:// is; write {EXAMPLE}"
    if not url.startswith("file:///") or any(ord(character) < 32 for character in url):
        return "is no path from the root of the machine; it begins with three slashes, as in file:///etc/shipmate"
    for place in re.findall(r"\{[^{}/]*\}?|\}", url):
        if place not in PLACES:
            return f"has `{place}` in it, which is not replaced.{nearest(place, PLACES)}"
    if "{name}" not in url:
        return "has no {name} in it, so every secret would be the same file"
    return None
