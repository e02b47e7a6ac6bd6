#!/bin/bash
# Leaves $VERSION running and ready on $TARGET, also when it is run again. A target is a host that the bot's user reaches
# with ssh without being asked anything, such as api-1 or api-1:8080; the port is the service's own.
set -euo pipefail

# To be filled in: what restarts the service on the host, once the new version is in $PLACE/current.
# For example: RESTART='sudo systemctl restart api'
RESTART=''

PLACE="/opt/$SERVICE" # where versions are kept on the host; ssh's user must be able to write there

if [ -z "$RESTART" ]; then
  echo "Nothing was deployed: write what restarts the service into RESTART in ${0#"$PWD"/}, and commit that." >&2
  exit 1
fi

host="${TARGET%%:*}"
on_host() { ssh -o BatchMode=yes -o ConnectTimeout=10 "$host" "$1"; }

release="$PLACE/$COMMIT" # of what goes into a command line over there: names and digits alone, never $VERSION
echo "copying $VERSION to $host:$release"
tar -C "${0%/deploy/*}" -cf - . | on_host "rm -rf '$release.new' && mkdir -p '$release.new' &&
  tar -C '$release.new' -xf - && chmod -R u+w '$release.new'"
printf '%s %s\n' "$VERSION" "$COMMIT" | on_host "cat > '$release.new/.version'"
on_host "rm -rf '$release' && mv '$release.new' '$release' && ln -sfn '$release' '$PLACE/current'"

echo "restarting the service on $host"
on_host "$RESTART"
