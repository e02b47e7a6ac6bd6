"""The coverage ratchet: what is covered never falls below what `tests/coverage.json` says; `pipelines/domain` is whole.

python -m tests.support.ratchet          judge the run just made
python -m tests.support.ratchet --raise  write down what was reached
"""

import io
import json
import sys
from pathlib import Path

from coverage import Coverage

FLOOR = Path(__file__).parent.parent / "coverage.json"


def measured() -> dict[str, float]:
    """Covered percent in all, and of the domain alone."""
    coverage = Coverage()
    coverage.load()
    whole = coverage.report(file=io.StringIO(), skip_empty=True)
    domain = coverage.report(file=io.StringIO(), include=["pipelines/domain/*"], skip_empty=True)
    return {"all": int(whole * 10) / 10, "pipelines/domain": int(domain * 10) / 10}


def main() -> int:
    reached = measured()
    if "--raise" in sys.argv:
        FLOOR.write_text(json.dumps(reached, indent=2) + "\n")
        return 0
    floor: dict[str, float] = json.loads(FLOOR.read_text())
    low = {name: percent for name, percent in floor.items() if reached[name] < percent}
    for name, percent in floor.items():
        print(f"covered: {name} {reached[name]} % (must be {percent} %)")
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
