"""`make bench`: measures what the project holds itself to, and prints it beside the baseline of the same minute.

`ARGS=--short` is a look while working: shorter, with fewer deploys and files than the figures ask for. Names of
measurements measure these alone. The exit status is 0 whether or not the figures are met, and 1 when something could
not be measured.
"""

import argparse
import asyncio
import sys
import tempfile
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from tests.bench import (
    acking,
    beginning,
    checkout,
    crowding,
    flooding,
    printing,
    remembering,
    showing,
    starting,
)
from tests.bench.figures import Row, table
from tests.bench.machine import described, load

Measurement = Callable[..., Awaitable[list[Row]]]

MEASUREMENTS: Mapping[str, Measurement] = {
    "ack": acking.ack,
    "accepted": starting.accepted,
    "rollback": starting.rollback,
    "output": printing.output,
    "floods": flooding.floods,
    "visible": showing.visible,
    "tree": checkout.tree,
    "many": crowding.many,
    "history": remembering.history,
    "start": beginning.start,
    "idle": beginning.idle,
}


async def measured(name: str, *, long: bool) -> list[Row] | None:
    """The rows of a measurement, None when it could not be made; then why is on stderr."""
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="shipmate-bench-", ignore_cleanup_errors=True) as folder:
            rows = await MEASUREMENTS[name](Path(folder), long=long)
    except Exception:
        traceback.print_exc()
        return None
    print(f"measured {name} in {time.monotonic() - began:.0f} s, {load()}", file=sys.stderr)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description="Measures; nothing here passes or fails.")
    parser.add_argument("--short", action="store_true", help="shorter, and with fewer deploys than the figures ask for")
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(MEASUREMENTS)}; all when left out")
    given = parser.parse_args()
    if unknown := set(given.names) - set(MEASUREMENTS):
        parser.error(f"there is no measurement called {', '.join(sorted(unknown))}")
    print(f"{described()}\n", flush=True)
    results = {name: asyncio.run(measured(name, long=not given.short)) for name in given.names or MEASUREMENTS}
    print(table([row for rows in results.values() for row in rows or []]))
    missing = [name for name, rows in results.items() if rows is None]
    if missing:
        print(f"\nCould not be measured: {', '.join(missing)}; why is above.")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
