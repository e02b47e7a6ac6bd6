"""The bot with a clock that is ahead: `python -m tests.support.later SECONDS run --data DIR`.

The product knows nothing of this: the one place that gives its parts their clock is told another time."""

import sys
from datetime import UTC, datetime, timedelta

from bot import __main__, parts

if __name__ == "__main__":
    ahead = timedelta(seconds=float(sys.argv[1]))
    parts.utc_now = lambda: datetime.now(UTC) + ahead  # before any part is made
    sys.exit(__main__.main(sys.argv[2:]))
