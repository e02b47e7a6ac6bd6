"""Why a repository cannot be reached, out of what git and ssh complain: a closed kind, and what to do about each.

Not here: asking it (`Source.reach`)."""

import re
from enum import StrEnum
from typing import assert_never
from urllib.parse import urlsplit


class Trouble(StrEnum):
    NO_GIT = "no_git"
    PROXY = "proxy"
    NAME = "name"
    HOST_KEY = "host_key"
    CERTIFICATE = "certificate"
    OWNER = "owner"
    NOT_FOUND = "not_found"
    CREDENTIALS = "credentials"
    AWAY = "away"
    SLOW = "slow"
    OTHER = "other"


# The first that fits: what is said of a proxy or a key would fit a later one, too.
_SIGNS: tuple[tuple[Trouble, str], ...] = (
    (Trouble.NO_GIT, "git is not installed"),
    (Trouble.PROXY, r"\bproxy\b|CONNECT tunnel|after CONNECT"),
    (Trouble.NAME, r"Could not resolve host|Name or service not known|name resolution|nodename nor servname"),
    (Trouble.HOST_KEY, r"Host key verification failed|HOST IDENTIFICATION HAS CHANGED|host key is known"),
    (Trouble.CERTIFICATE, r"certificate|\bSSL\b|\bTLS\b"),
    (Trouble.OWNER, "dubious ownership"),
    (Trouble.NOT_FOUND, r"not found|not appear to be a git repository|does not exist|error: 404"),
    (
        Trouble.CREDENTIALS,
        r"Authentication failed|could not read (Username|Password)|prompts disabled|Permission denied|Access denied"
        r"|error: 40[13]|Invalid username|Load key|PRIVATE KEY FILE",
    ),
    (Trouble.SLOW, "did not finish in"),
    (
        Trouble.AWAY,
        r"refused|timed out|No route to host|unreachable|Failed to connect|Couldn't connect|Connection (closed|reset)"
        r"|error: 5\d\d|hung up|Empty reply",
    ),
)
_CONNECT = re.compile(r"(?:Failed to )?connect to ([^\s:]+)", re.IGNORECASE)


def trouble(detail: str, repo: str) -> Trouble:
    """What kind of failure `detail`, git's own complaint of `repo`, is."""
    kind = next((kind for kind, sign in _SIGNS if re.search(sign, detail, re.IGNORECASE)), Trouble.OTHER)
    tried = _CONNECT.search(detail)
    host = urlsplit(repo).hostname or ""
    if kind is Trouble.AWAY and tried and repo.startswith("https://") and tried[1].lower() != host:
        return Trouble.PROXY  # git tried to connect to somebody else
    return kind


def advice(kind: Trouble) -> str:
    """What is wrong in words, and what to do about it."""
    match kind:
        case Trouble.NO_GIT:
            return "there is no git on the PATH; install it"
        case Trouble.PROXY:
            return (
                "the proxy on the way does not let git through; look at HTTPS_PROXY, NO_PROXY and git's `http.proxy` "
                "of the bot's user"
            )
        case Trouble.NAME:
            return "the name of the host cannot be resolved; look at the address in `repo`, and at this machine's DNS"
        case Trouble.HOST_KEY:
            return (
                "the host's key is not known here, or it is another one than it was; compare it with what the host "
                "publishes, then put it into ~/.ssh/known_hosts of the bot's user (ssh to it once by hand)"
            )
        case Trouble.CERTIFICATE:
            return (
                "the host's certificate is not trusted; where it is a private one, tell git of it with "
                "`http.sslCAInfo`, and look whether this machine's clock is right"
            )
        case Trouble.OWNER:
            return (
                "the repository on this disk belongs to another user; as the bot's user run: "
                "git config --global --add safe.directory PATH"
            )
        case Trouble.NOT_FOUND:
            return (
                "there is no such repository, or these credentials may not see it; look at `repo`, and at what the "
                "bot's user may read there"
            )
        case Trouble.CREDENTIALS:
            return (
                "the credentials of the bot's user are missing or not taken; give it a deploy key (ssh), or a token by "
                "a credential helper (https), then try as that user: git ls-remote"
            )
        case Trouble.AWAY:
            return "the host does not take the connection; look whether it is up, and at the firewall between"
        case Trouble.SLOW:
            return "the host does not answer in time; look at the network, or at a proxy or firewall that drops packets"
        case Trouble.OTHER:
            return "git cannot reach it; try as the bot's user: git ls-remote"
        case _:
            assert_never(kind)
