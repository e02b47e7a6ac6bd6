#!/bin/sh
# Leaves VERSION running and ready on TARGET. Safe to run again.
set -eu
. deploy/lib.sh

say "installing $SERVICE $VERSION on $TARGET"
pause
python3 deploy/host.py upload
pause
say "restarting $SERVICE; it runs ${PREVIOUS_VERSION:-nothing we know of} until now"
python3 deploy/host.py run
pause
say "$SERVICE $VERSION is ready on $TARGET"
