"""Many seeds in several processes of their own: nothing that a test did before has a part in them."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PROCESSES = 2
DIGEST = re.compile(r"^(seed \d+) ([0-9a-f]{16})$", re.MULTILINE)
DONE = re.compile(r"^(\d+) seeds, (\d+) broken", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """`told` is what the processes printed: of each broken seed how it came to that, and the line that shows it
    again. `digests` tells one run of a seed from another."""

    seeds: int
    broken: int
    told: str

    @property
    def digests(self) -> dict[str, str]:
        return dict(DIGEST.findall(self.told))


def crowd(
    first: int, count: int, *, mix: str = "all", mutation: str | None = None, digests: bool = False, **env: str
) -> Crowd:
    """Seeds from `first` on; each process ends at the first that breaks."""
    more = ["--mix", mix, *(["--mutation", mutation] if mutation else []), *(["--digests"] if digests else [])]
    share = -(-count // PROCESSES)
    starts = range(first, first + count, share)
    running = [_begin(start, min(start + share, first + count) - 1, more, env) for start in starts]
    told = [process.communicate()[0] for process in running]
    done = [found for text in told for found in DONE.findall(text)]
    if len(done) != len(running):
        raise RuntimeError("a simulation ended without a result:\n" + "\n".join(told))
    return Crowd(
        seeds=sum(int(seeds) for seeds, _ in done), broken=sum(int(broken) for _, broken in done), told="\n".join(told)
    )


def _begin(first: int, last: int, more: list[str], env: dict[str, str]) -> "subprocess.Popen[str]":
    argv = [sys.executable, "-m", "tests.simulation", "--seeds", f"{first}:{last}", *more]
    # without coverage, which would see every seed do the same and take as long again
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    return subprocess.Popen(
        argv, cwd=ROOT, env={**kept, **env}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
