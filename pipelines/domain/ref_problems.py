"""What can be wrong with a ref, a repository or its tree: closed codes, each with its evidence and a kind sentence.

Here: the problems and their words. Not here: finding them (`execution.source`), escaping them for Slack.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from pipelines.domain.refs import Candidate, flaw


class SourceCode(StrEnum):
    BAD_REF = "bad_ref"
    UNKNOWN_REF = "unknown_ref"
    AMBIGUOUS_REF = "ambiguous_ref"
    UNREACHABLE = "unreachable"
    REMOTE_AWAY = "remote_away"
    BAD_TREE = "bad_tree"
    TOO_LARGE = "too_large"
    GIT_FAILED = "git_failed"


@dataclass(frozen=True, kw_only=True)
class BadRef:
    text: str
    reason: str
    code: SourceCode = SourceCode.BAD_REF


@dataclass(frozen=True, kw_only=True)
class UnknownRef:
    """`near` are names that exist and look alike, the likeliest first."""

    text: str
    near: tuple[str, ...] = ()
    code: SourceCode = SourceCode.UNKNOWN_REF


@dataclass(frozen=True, kw_only=True)
class AmbiguousRef:
    """Two or more candidates, naming two or more commits."""

    text: str
    candidates: tuple[Candidate, ...]
    code: SourceCode = SourceCode.AMBIGUOUS_REF


@dataclass(frozen=True, kw_only=True)
class Unreachable:
    commit: str
    code: SourceCode = SourceCode.UNREACHABLE


@dataclass(frozen=True, kw_only=True)
class RemoteAway:
    """No copy to go on with; `as_of` is the last fetch that worked, if there ever was one. `detail` is redacted."""

    as_of: datetime | None
    detail: str
    code: SourceCode = SourceCode.REMOTE_AWAY


@dataclass(frozen=True, kw_only=True)
class BadTree:
    """A tree that cannot be put on disk: `path` within the commit, `reason` as the end of "… because it"."""

    commit: str
    path: str
    reason: str
    code: SourceCode = SourceCode.BAD_TREE


@dataclass(frozen=True, kw_only=True)
class TooLarge:
    """`size` and `limit` in bytes."""

    path: str
    size: int
    limit: int
    code: SourceCode = SourceCode.TOO_LARGE


@dataclass(frozen=True, kw_only=True)
class GitFailed:
    """git is missing, broke, or did not finish in time; `detail` is redacted."""

    doing: str
    detail: str
    code: SourceCode = SourceCode.GIT_FAILED


SourceProblem = BadRef | UnknownRef | AmbiguousRef | Unreachable | RemoteAway | BadTree | TooLarge | GitFailed


class SourceError(Exception):
    """Raised by everything that asks a repository; `problem` says what and why, `str()` is the kind sentence."""

    def __init__(self, problem: SourceProblem) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return explain(self.problem)


def check_ref(text: str) -> str:
    """`text` itself when it may be looked up as a tag, branch or commit.

    Raises SourceError(BadRef) otherwise.
    """
    if reason := flaw(text):
        raise SourceError(BadRef(text=text, reason=reason))
    return text


def explain(problem: SourceProblem) -> str:
    """What happened, why, and what to do next, in plain text."""
    match problem:
        case BadRef():
            return (
                f"{_short(problem.text)} cannot be a version, because it {problem.reason}. "
                "Give a tag, a branch, at least 7 digits of a commit, or latest."
            )
        case UnknownRef(text="latest"):
            return (
                "The repository has no release tag that latest could mean, such as v1.2 or v1.2.3. "
                "Push one, or give a branch or a commit."
            )
        case UnknownRef():
            return f"No tag, branch or commit is called {_short(problem.text)}. {_did_you_mean(problem.near)}"
        case AmbiguousRef():
            return (
                f"{_short(problem.text)} names different commits: {_listed(problem.candidates)}. "
                "Give the full id of the commit you mean."
            )
        case Unreachable():
            return (
                f"Commit {problem.commit[:12]} is on no branch and no tag of the repository (any more), "
                "so nobody can review it there. Push it to a branch and ask again."
            )
        case _:
            return _explain_repository(problem)


def _explain_repository(problem: RemoteAway | BadTree | TooLarge | GitFailed) -> str:
    match problem:
        case RemoteAway():
            since = (
                f"it was last read {problem.as_of:%Y-%m-%d %H:%M %Z}" if problem.as_of else "it was never read before"
            )
            return (
                f"The repository does not answer, and {since}: {problem.detail}. "
                "Check its address and access, then ask again."
            )
        case BadTree():
            return (
                f"{problem.path} in commit {problem.commit[:12]} cannot be put on disk, because it {problem.reason}. "
                "Remove it from the repository or replace it by a plain file."
            )
        case TooLarge():
            return (
                f"{problem.path} has {problem.size:,} bytes; at most {problem.limit:,} are read. "
                "Move what is large into a file of its own."
            )
        case GitFailed():
            return (
                f"git could not {problem.doing}: {problem.detail}. "
                "Ask again; if it stays, run the doctor on the bot's host."
            )
        case _ as never:
            assert_never(never)


def _short(text: str) -> str:
    kept = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return f"“{kept[:60]}…”" if len(kept) > 60 else f"“{kept}”"


def _did_you_mean(near: tuple[str, ...]) -> str:
    if not near:
        return "Push it first, or give another one."
    return f"Did you mean {' or '.join(near)}?"


def _listed(candidates: tuple[Candidate, ...]) -> str:
    return ", ".join(f"{each.kind} {each.name} ({each.commit[:12]})" for each in candidates)
