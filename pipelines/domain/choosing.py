"""Choosing a version: which names are offered first, and which fit what was typed so far."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from pipelines.domain.deploy import Deploy
from pipelines.domain.refs import RefKind
from pipelines.domain.views import Name


def ranked(names: Sequence[Name], deploys: Iterable[Deploy]) -> tuple[Name, ...]:
    """The names that these deploys used most come first; the others stay in the order in which they are given."""
    tags: Counter[str] = Counter()
    branches: Counter[str] = Counter()
    for deploy in deploys:
        branch, _, rest = deploy.plan.shown.partition(" (")
        if rest and branch != deploy.plan.version:
            branches[branch] += 1
        else:
            tags[deploy.plan.version] += 1
    counted = {RefKind.TAG: tags, RefKind.BRANCH: branches}
    used = [replace(name, used=counted.get(name.kind, Counter())[name.text]) for name in names]
    return tuple(sorted(used, key=lambda name: -name.used))


def fitting(names: Iterable[Name], typed: str) -> tuple[Name, ...]:
    """The names that begin with what was typed, then those in which it stands anywhere; case does not matter."""
    given = typed.strip().casefold()
    found = [(name, name.text.casefold()) for name in names]
    begins = [name for name, folded in found if folded.startswith(given)]
    holds = [name for name, folded in found if given in folded and not folded.startswith(given)]
    return (*begins, *holds)
