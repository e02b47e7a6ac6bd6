#!/bin/bash
# Has to print the version that $TARGET runs: its name, the commit, or seven or more digits of it, in the first line.
set -euo pipefail

# To be filled in: how that is asked. Then remove these two lines.
echo "Nobody knows what $TARGET runs: write into ${0#"$PWD"/} how that is asked, and commit that." >&2
exit 1
