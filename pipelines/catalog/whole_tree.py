"""What a commit that is deployed may hold nowhere, for its whole tree is put on disk: told before anything runs."""

from collections.abc import Iterator, Mapping

from pipelines.catalog.problems import Problem

LINK, SUBMODULE = "120000", "160000"


def tree_problems(entries: Mapping[str, str], ways_out: Mapping[str, str]) -> Iterator[Problem]:
    """`entries` are the commit's files with git's modes; `ways_out` its links that leave it, with where they lead."""
    for path, mode in entries.items():
        if mode == SUBMODULE:
            why = "this is a submodule, which is not fetched; keep what is needed in this repository"
            yield Problem(file=path, line=1, message=why)
    for path, target in ways_out.items():
        yield Problem(file=path, line=1, message=f"this link leads out of the repository, to {target}")
