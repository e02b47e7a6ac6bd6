"""Who: people and groups as the configuration names them. A name that nobody lists may be somebody's in Slack: whether
it exists is not known here; whether it can be a name at all is."""

import re

from pipelines.catalog.fields import Fields, named, text
from pipelines.catalog.nodes import Scalar, Sequence, Value
from pipelines.catalog.problems import Found

PERSON_LATER = ("github",)
_PERSON = re.compile(r"@?[^\s,;@#<>()\[\]]{1,80}")
_GROUP = re.compile(r"@[^\s,;@#<>()\[\]]{1,80}")
_SLACK_ID = re.compile(r"[UW][A-Z0-9]{2,20}")


def people_or_groups(value: Value, found: Found, key: str) -> tuple[str, ...]:
    """A name, or a list of names; those that begin with @ are groups'."""
    items = value.items if isinstance(value, Sequence) else (value,)
    return tuple(name for name in (_name(item, found, key) for item in items) if name)


def _name(value: Value, found: Found, key: str) -> str:
    name = text(value, found, key)
    if not name or _PERSON.fullmatch(name):
        return name
    found.add(value.line, _no_name(name, key))
    return ""


def _no_name(name: str, key: str) -> str:
    first, at, _ = name.partition("@")
    if name.startswith("#"):
        return f'`{name}` is a channel; `{key}` takes people and groups, such as ana or "@api"'
    if at and _PERSON.fullmatch(first):
        return f"`{name}` is an address; people are called by what is before the @, here {first}"
    return f"`{name}` is no name; `{key}` takes a word such as ana, or a list such as [ana, raj]"


def groups(value: Value, found: Found, _key: str) -> dict[str, tuple[str, ...]]:
    listed: dict[str, tuple[str, ...]] = {}
    for name, entry in named(value, found, "groups").items():
        if not name.startswith("@"):
            found.add(entry.line, f'the name of a group begins with @; write it as "@{name}"')
        elif not _GROUP.fullmatch(name):
            found.add(entry.line, f'`{name}` cannot be the name of a group; it is a word such as "@api"')
        listed[name] = people_or_groups(entry.value, found, name)
        for inner in listed[name]:
            if inner.startswith("@"):
                found.add(entry.line, f"`{inner}` is a group, and a group lists people; name those who are in it")
    return listed


def people(value: Value, found: Found, _key: str) -> dict[str, str]:
    """Slack's user id by name."""
    ids: dict[str, str] = {}
    for name, entry in named(value, found, "people").items():
        if isinstance(entry.value, Scalar) and _SLACK_ID.fullmatch(entry.value.text):
            found.add(entry.line, f"write it as `{name}: {{slack: {entry.value.text}}}`")
            continue
        known = len(found.problems)
        fields = Fields(entry.value, found, of="a person", known=("slack",), later=PERSON_LATER)
        slack = fields.get("slack", text, "")
        if slack and not _SLACK_ID.fullmatch(slack):
            found.add(entry.line, f"`{slack}` is no Slack user id; it looks like U024BE7LH and is in the profile")
        elif slack and slack in ids.values():
            other = next(one for one, taken in ids.items() if taken == slack)
            found.add(entry.line, f"`{slack}` is {other} already; a Slack user has one name here")
        elif not slack and len(found.problems) == known:
            found.add(entry.line, f"`{name}` has no Slack user id; write `{name}: {{slack: U024BE7LH}}`, or remove it")
        if slack:
            ids[name] = slack
    return ids
