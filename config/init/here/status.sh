#!/bin/bash
# Prints the version that runs on $TARGET: what deploy/install.sh started last, if that still runs. A URL that the service
# itself answers says more; name it in deploy.yml and remove this script.
set -euo pipefail

PLACE="/var/tmp/shipmate/$SERVICE/$TARGET" # as in deploy/install.sh

began() { # when a process began: its number alone may be another's by now
  if [ -r "/proc/$1/stat" ]; then sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 20; else ps -o lstart= -p "$1" || true; fi
}

if [ -f "$PLACE/pid" ] && read -r pid start < "$PLACE/pid" && [ -n "$start" ] && [ "$(began "$pid" | xargs)" = "$start" ]; then
  cat "$PLACE/version"
else
  echo "nothing that Shipmate started runs on $TARGET" >&2
  exit 1
fi
