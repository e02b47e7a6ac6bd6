#!/bin/sh
# Looks at the pages that must work, the way a visitor would.
set -eu
. deploy/lib.sh

say "asking $TARGET for the pages that matter"
pause
python3 deploy/host.py pages / /tea /cups /cart /checkout /help
pause
say "all pages are fine"
