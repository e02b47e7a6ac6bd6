"""Simulates. The exit status is 1 when something that must hold did not.

python -m tests.simulation --seed 7         one seed, and all that happened in it
python -m tests.simulation --seeds 1:500    so many; ends at the first that breaks, and shows how it came to that
"""

import argparse
import shlex
import sys
import time

from tests.simulation.chance import MIXES
from tests.simulation.mutations import MUTATIONS
from tests.simulation.stage import Ended, on_stage

SHOWN = 60


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--seed", type=int, help="show what happens in this seed")
    which.add_argument("--seeds", metavar="FIRST:LAST", help="run all of these")
    parser.add_argument("--mix", default="all", choices=MIXES, help="what people do, and what breaks")
    parser.add_argument("--mutation", choices=MUTATIONS, help="a rule of the product that is broken on purpose")
    parser.add_argument("--keep-going", action="store_true", help="do not end at the first seed that breaks")
    parser.add_argument("--digests", action="store_true", help="print a digest of all that happened in each seed")
    given = parser.parse_args()
    first, _, last = (str(given.seed) if given.seeds is None else given.seeds).partition(":")
    broken, seeds, began = 0, 0, time.process_time()
    with on_stage() as stage:
        for seed in range(int(first), int(last or first) + 1):
            ended = stage.run(seed, given.mix, given.mutation)
            seeds += 1
            broken += bool(ended.broken)
            if given.digests:
                print(f"seed {seed} {ended.digest}")
            if given.seed is not None:
                print("\n".join(ended.trace))
            if ended.broken:
                print(told(ended, given.mix, given.mutation))
                if not given.keep_going:
                    break
    each = (time.process_time() - began) / seeds * 1000
    print(f"{seeds} seeds, {broken} broken, {each:.0f} ms each")
    return 1 if broken else 0


def told(ended: Ended, mix: str, mutation: str | None) -> str:
    """How a seed came to break, and the line that shows it again."""
    more = (["--mix", mix] if mix != "all" else []) + (["--mutation", mutation] if mutation else [])
    again = shlex.join(["python", "-m", "tests.simulation", "--seed", str(ended.seed), *more])
    return "\n".join(
        [*ended.trace[-SHOWN:], "", ended.broken, f"seed {ended.seed} broke; it does so again with:", again]
    )


if __name__ == "__main__":
    sys.exit(main())
