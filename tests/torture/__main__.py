"""`make torture`: injects each fault of the catalogue as often as the project's figures ask, and prints a table.

`ARGS=--quick` is what `make test` tries. Names of faults (kills, or kills:sqlite) try these alone; `--tries` sets how
often, `--seed` repeats what was seen. The exit status is 1 when a row is not met.
"""

import argparse
import random
import sys
import traceback

import pytest

from tests.bench.machine import described
from tests.torture.catalogue import FAULTS
from tests.torture.rows import Fault, Row, table, times, told
from tests.torture.trying import servers, tried


def chosen(names: list[str]) -> list[tuple[Fault, str]]:
    """Each fault with each database that is asked for. Raises KeyError for one that does not exist."""
    found = []
    for name in names or FAULTS:
        fault, _, on = name.partition(":")
        known = [one for one in FAULTS[fault].on if on in ("", one.lower())]
        if not known:
            raise KeyError(name)
        found += [(FAULTS[fault], one) for one in known]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="make torture", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="as often as make test does")
    parser.add_argument("--tries", type=int, help="how often each fault is injected")
    parser.add_argument("--seed", type=int, help="the seed that a row was not met with")
    parser.add_argument("names", nargs="*", metavar="fault", help=f"of {', '.join(FAULTS)}; all when left out")
    given = parser.parse_args()
    try:
        faults = chosen(given.names)
    except KeyError as unknown:
        parser.error(f"there is no fault called {unknown.args[0]}; there are {', '.join(FAULTS)}")
    print(f"{described()}\n", flush=True)
    rows: list[Row] = []
    broken, missing = [], []
    with servers() as at_hand:
        for fault, on in faults:
            tries = given.tries or times(fault.quick if given.quick else fault.tries, on)
            if not tries:
                continue
            seed = given.seed if given.seed is not None else random.randrange(1 << 32)
            print(f"{fault.name} on {on}: {tries} tries, seed {seed}", file=sys.stderr, flush=True)
            try:
                rows.append(tried(fault, on=on, tries=tries, seed=seed, servers=at_hand))
            except pytest.skip.Exception as why:
                print(f"not tried here: {why}", file=sys.stderr, flush=True)
                missing.append(f"{fault.name} on {on} ({why})")
                continue
            except Exception:
                traceback.print_exc()
                broken.append(f"{fault.name} on {on} (seed {seed})")
                continue
            print(f"{' | '.join(rows[-1].cells())} | {rows[-1].seconds:.0f} s", file=sys.stderr, flush=True)
    print(table(rows))
    for row in rows:
        if not row.verdict.met:
            print(f"\n{told(row)}")
    if missing:
        print(f"\nNot tried here: {', '.join(missing)}.")
    if broken:
        print(f"\nCould not be tried to the end: {', '.join(broken)}; why is above.")
    return 1 if broken or not all(row.verdict.met for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
