"""The names that scripts and URLs know: which are Shipmate's own, which a service may choose, how they are replaced."""

import re
from collections.abc import Mapping

PLANNED = (
    "SERVICE",
    "ENVIRONMENT",
    "TARGET",
    "REGION",
    "VERSION",
    "COMMIT",
    "PREVIOUS_VERSION",
    "PREVIOUS_COMMIT",
)
"""Known when a deploy is planned, so these are replaced in URLs and addresses then."""

OWN = (*PLANNED, "DIGEST", "ARTIFACT", "DEPLOY_ID", "DEPLOY_FENCE", "PATH", "LANG", "HOME", "TMPDIR")
"""What every script gets from Shipmate. Nothing that a service or the configuration gives may have such a name."""

SECRET_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,99}")
PASSED_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
PLACE = re.compile(r"\{([a-z]+)\}")
VARIABLE = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))", re.ASCII)


def expand(text: str, values: Mapping[str, str]) -> str:
    """`$NAME` and `${NAME}` replaced, in one pass; a name without a value stays as it is."""
    return VARIABLE.sub(lambda found: values.get(found[1] or found[2], found[0]), text)


def reference(url: str, **places: str) -> str:
    """Where one secret is: `{service}`, `{environment}` and `{name}` in the URL replaced, in one pass."""
    return PLACE.sub(lambda found: places.get(found[1], found[0]), url)


def named(text: str) -> tuple[str, ...]:
    """The names that a text wants replaced, in order."""
    return tuple(found[1] or found[2] for found in VARIABLE.finditer(text))
