"""What some tests need beside Python, such as chromium. Root on Debian: it is installed; else those tests are
listed as not run, with the line that installs it, which fails a CI run.

    python -m tests.support.needs --install | --report
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Need:
    program: str
    package: str
    tests: str


NEEDS = (
    Need(program="chromium", package="chromium", tests="the browser's (tests/stories, tests/bot/workspace)"),
    Need(program="postgres", package="postgresql", tests="those on a PostgreSQL (tests/support/postgres.py)"),
)


def program(name: str) -> str | None:
    """Where a program is: on the PATH, or where Debian keeps the newest PostgreSQL's."""
    servers = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
    return shutil.which(name, path=os.pathsep.join([*servers, os.environ.get("PATH", os.defpath)]))


def missing() -> list[Need]:
    return [need for need in NEEDS if program(need.program) is None]


def line(needs: list[Need]) -> str:
    return "apt-get install -y " + " ".join(need.package for need in needs)


def install() -> int:
    needs = missing()
    if not needs or os.geteuid() != 0 or not Path("/etc/debian_version").exists():
        return 0
    print(f"Installing for the tests: {line(needs)}", flush=True)
    quiet = {"stdout": subprocess.DEVNULL, "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
    subprocess.run(["apt-get", "update", "-qq"], check=False, **quiet)  # type: ignore[call-overload]
    subprocess.run(["apt-get", "install", "-y", "-qq", *(n.package for n in needs)], check=False, **quiet)  # type: ignore[call-overload]
    return 0


def report() -> int:
    needs = missing()
    for need in needs:
        print(f"NOT RUN: {need.tests}: {need.program} is missing. Install it: {line([need])}")
    return 1 if needs and os.environ.get("CI") else 0


if __name__ == "__main__":
    sys.exit(install() if "--install" in sys.argv else report())
