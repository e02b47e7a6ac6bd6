"""What a typed name means in a mirror: tag, branch or commit becomes one commit and one version.

Here: looking names up by their full ref, refusing what is ambiguous or reached by nobody, offering what is near.
Not here: fetching (`mirror`), the order of versions (`domain.refs`). Nothing typed is ever read as git's own syntax.
"""

import difflib

from pipelines.domain.ref_problems import AmbiguousRef, SourceError, UnknownRef, Unreachable, check_ref
from pipelines.domain.refs import (
    LATEST,
    PREVIOUS,
    Candidate,
    RefKind,
    Resolved,
    flaw,
    is_commit_prefix,
    newest_release,
    version_tag,
)
from pipelines.execution.mirror import Mirror

NAMES = 5_000
"""How many tags and branches, newest first, are compared with a misspelt one."""

SHORT = 100
"""How many objects that begin with the same seven digits are looked at."""

_FOLDERS = {RefKind.TAG: "refs/tags/", RefKind.BRANCH: "refs/heads/"}


def resolve(mirror: Mirror, text: str, pattern: str) -> Resolved:
    """The one commit that `text` names; `pattern` says which tags are versions.

    Raises SourceError with BadRef, UnknownRef, AmbiguousRef, Unreachable or RemoteAway.
    """
    name = check_ref(text)
    mirror.present()
    if name == LATEST:
        newest = newest_release(_names(mirror, "refs/tags"), pattern)
        if newest is None:
            raise SourceError(UnknownRef(text=name))
        tag = [each for each in _named(mirror, newest) if each.kind is RefKind.TAG]
        return _described(mirror, _one(mirror, newest, tag), pattern, f"{LATEST} ({newest})")
    found = _named(mirror, name)
    return _described(mirror, _one(mirror, name, found + _prefixed(mirror, name, bool(found))), pattern)


def _named(mirror: Mirror, name: str) -> list[Candidate]:
    """The tag and the branch of exactly this name; one that is no commit in the end counts as absent."""
    args = ("--format=%(refname) %(objectname)", *(folder + name for folder in _FOLDERS.values()))
    out = mirror.git("for-each-ref", *args, doing="look names up").decode(errors="replace")
    ids = dict(line.split(" ", 1) for line in out.splitlines())
    refs = [(kind, ids[folder + name]) for kind, folder in _FOLDERS.items() if folder + name in ids]
    peeled = _peeled(mirror, [oid for _, oid in refs])
    return [
        Candidate(kind=kind, name=name, commit=commit) for (kind, _), commit in zip(refs, peeled, strict=True) if commit
    ]


def _peeled(mirror: Mirror, oids: list[str]) -> list[str | None]:
    if not oids:
        return []
    stdin = "".join(f"{oid}^{{commit}}\n" for oid in oids).encode()
    lines = mirror.git("cat-file", "--batch-check", doing="look objects up", stdin=stdin).decode().splitlines()
    return [line.split()[0] if line.split()[1] == "commit" else None for line in lines]


def _prefixed(mirror: Mirror, name: str, named: bool) -> list[Candidate]:
    """Commits whose id begins with `name` and that a branch or tag reaches.

    Raises SourceError(Unreachable) when the only commit is reached by none and nothing else has the name.
    """
    if not is_commit_prefix(name):
        return []
    ids = mirror.git("rev-parse", f"--disambiguate={name.lower()}", doing="look ids up").decode().split()[:SHORT]
    kinds = mirror.kinds(ids) if ids else []
    commits = [oid for oid, kind in zip(ids, kinds, strict=True) if kind == "commit"]
    reached = [oid for oid in commits if reachable(mirror, oid)]
    if commits and not reached and not named:
        raise SourceError(Unreachable(commit=commits[0]))
    return [Candidate(kind=RefKind.COMMIT, name=oid, commit=oid) for oid in reached]


def reachable(mirror: Mirror, commit: str) -> bool:
    """Whether a branch or tag of the repository reaches the commit."""
    args = ("--max-count=1", commit, "--not", "--branches", "--tags", "--")
    return not mirror.git("rev-list", *args, doing="see what reaches the commit").strip()


def _one(mirror: Mirror, name: str, found: list[Candidate]) -> Candidate:
    match len({each.commit for each in found}):
        case 0:
            raise SourceError(UnknownRef(text=name, near=_near(mirror, name)))
        case 1:
            return found[0]
        case _:
            raise SourceError(AmbiguousRef(text=name, candidates=tuple(found)))


def _described(mirror: Mirror, found: Candidate, pattern: str, shown: str = "") -> Resolved:
    tree, committed_at = mirror.read_commit(found.commit)
    tags = _names(mirror, f"--points-at={found.commit}", "refs/tags")
    typed = found.name if found.kind is RefKind.TAG else None
    tag = typed or version_tag(tags, pattern)
    return Resolved(
        commit=found.commit,
        version=tag or found.commit[:12],
        ref_kind=found.kind,
        shown=shown or _shown(found, tag),
        committed_at=committed_at,
        tree=tree,
    )


def _shown(found: Candidate, tag: str | None) -> str:
    match found.kind:
        case RefKind.TAG:
            return found.name
        case RefKind.BRANCH:
            return f"{found.name} ({found.commit[:7]})"
        case RefKind.COMMIT:
            return f"{tag} ({found.commit[:7]})" if tag else found.commit[:12]


def _names(mirror: Mirror, *args: str) -> list[str]:
    """Tags or branches by their short names; those that nobody could type here are left out."""
    out = mirror.git("for-each-ref", "--format=%(refname:lstrip=2)", *args, doing="list names")
    return [name for name in out.decode(errors="replace").splitlines() if flaw(name) is None]


def names(mirror: Mirror) -> list[tuple[RefKind, str]]:
    """Every tag and branch that can be typed, the newest first, at most `NAMES`. Raises SourceError(RemoteAway)."""
    order = ("--sort=-version:refname", "--sort=-creatordate")  # the last one counts first
    args = (*order, f"--count={NAMES}", "--format=%(refname)", "refs/tags", "refs/heads")
    out = mirror.present().git("for-each-ref", *args, doing="list names").decode(errors="replace")
    found = [
        (kind, ref[len(folder) :])
        for ref in out.splitlines()
        for kind, folder in _FOLDERS.items()
        if ref.startswith(folder)
    ]
    return [(kind, name) for kind, name in found if flaw(name) is None]


def _near(mirror: Mirror, name: str) -> tuple[str, ...]:
    """Names that look like this one: the words that stand for a version, too."""
    names = [LATEST, PREVIOUS, *_names(mirror, "--sort=-creatordate", f"--count={NAMES}", "refs/tags", "refs/heads")]
    folded = {each.casefold(): each for each in reversed(names)}
    return tuple(folded[each] for each in difflib.get_close_matches(name.casefold(), folded, n=3, cutoff=0.6))
