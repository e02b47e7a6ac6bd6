#!/bin/bash
# Leaves $VERSION running and ready on $TARGET, also when it is run again. A target is an address of this machine, such as
# 127.0.0.1:8001: the version is copied to a folder of its own, what ran there is ended, and the new one is started.
set -euo pipefail

# To be filled in: what starts the service. It runs in the copied folder, stays in the foreground, and listens on $HOST
# and $PORT; $VERSION and $COMMIT say what it is. For example: START='exec python3 app.py'
START=''

PLACE="/var/tmp/shipmate/$SERVICE/$TARGET" # where the service lives on this machine

if [ -z "$START" ]; then
  echo "Nothing was deployed: write what starts the service into START in ${0#"$PWD"/}, and commit that." >&2
  exit 1
fi
case "$TARGET" in
  *:*) export HOST="${TARGET%:*}" PORT="${TARGET##*:}" ;;
  *) echo "Nothing was deployed: $TARGET is no address such as 127.0.0.1:8001. Write one into the configuration." >&2; exit 1 ;;
esac

began() { # when a process began: its number alone may be another's by now
  if [ -r "/proc/$1/stat" ]; then sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 20; else ps -o lstart= -p "$1" || true; fi
}

runs() { # whether the process that an earlier deploy started here still runs; its number is in $pid then
  [ -f "$PLACE/pid" ] && read -r pid start < "$PLACE/pid" && [ -n "$start" ] && [ "$(began "$pid" | xargs)" = "$start" ]
}

release="$PLACE/$COMMIT"
echo "copying $VERSION to $release"
rm -rf "$release.new"
mkdir -p "$release.new"
cp -R "${0%/deploy/*}/." "$release.new"
chmod -R u+w "$release.new" # the tree that a deploy runs in is read-only
rm -rf "$release"
mv "$release.new" "$release"

if runs; then
  echo "ending ${PREVIOUS_VERSION:-what ran} on $TARGET"
  kill "$pid" || true
  for _ in $(seq 100); do runs || break; sleep 0.1; done
  if runs; then kill -9 "$pid"; sleep 0.5; fi
fi

echo "starting $VERSION on $TARGET; its output goes to $PLACE/log"
cd "$release"
HOME="$PLACE" TMPDIR=/tmp nohup bash -c "$START" >> "$PLACE/log" 2>&1 < /dev/null &
pid=$!
echo "$pid $(began "$pid" | xargs)" > "$PLACE/pid"
echo "$VERSION $COMMIT" > "$PLACE/version"

for _ in $(seq 300); do
  if ! runs; then
    echo "It ended at once; its last lines:" >&2
    tail -n 20 "$PLACE/log" >&2
    exit 1
  fi
  if (exec 3<> "/dev/tcp/$HOST/$PORT") 2> /dev/null; then
    echo "$VERSION listens on $TARGET"
    exit 0
  fi
  sleep 0.1
done
echo "It does not listen on $TARGET after 30 s; its last lines:" >&2
tail -n 20 "$PLACE/log" >&2
exit 1
