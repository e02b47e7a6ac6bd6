"""What is wrong with a file, where, and what would be right; collected, so that all is told at once."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from pipelines.domain.letters import foreign

SHOWN = 20  # names to choose from
TOLD = 100  # problems of one file
LONGEST = 120  # characters of a word: what a file says may be as long as the file
_QUOTED = re.compile(r"`([^`]*)`")


@dataclass(frozen=True, kw_only=True, order=True)
class Problem:
    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class CatalogErrors(Exception):  # noqa: N818 (it holds errors)
    """Every problem of a file, in the order of its lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ConfigErrors(CatalogErrors):
    """The bot's configuration cannot be used."""


class RecipeErrors(CatalogErrors):
    """A service's deploy.yml cannot be used."""


class Found:
    """Problems of one file while it is read."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    @property
    def full(self) -> bool:
        """More would help nobody, and to look for what was meant takes its time."""
        return len(self.problems) >= TOLD

    def add(self, line: int, message: str) -> None:
        if len(self.problems) == TOLD:
            message = "there is more that is wrong; mend what is told first"
        if len(self.problems) <= TOLD:
            short = _QUOTED.sub(lambda quoted: _shortened(quoted[1]), message)
            self.problems.append(Problem(file=self.file, line=line, message=short))


def _shortened(word: str) -> str:
    return f"`{word}`" if len(word) <= LONGEST else f"`{word[: LONGEST - 1]}…`"


def lookalike(given: str) -> str:
    """Which character of a name may only look like the one that was meant."""
    odd = foreign(given)
    return f" The character {odd} may only look like another one." if odd else ""


def nearest(given: str, known: Iterable[str]) -> str:
    """` Did you mean …?`, or what there is to choose from."""
    names = list(known)
    near = difflib.get_close_matches(given, names, n=1, cutoff=0.6)
    if near:
        return f" Did you mean `{near[0]}`?"
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f" Known here: {', '.join(names[:SHOWN])}{more}."
