#!/bin/bash
# Makes COMMIT the Shipmate that runs on this host. The bot that started this script ends in the middle of it, which is
# nothing to the script: it has a session of its own, and whoever keeps the bot (systemd, `supervise`) leaves it alone.
# The bot that comes back follows it to its end. A release that does not come up is taken back.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# A release is whole or not there.
unpack() {
  local into=$root/releases/$COMMIT
  [ -d "$into" ] && return
  mkdir -p "$root/releases" "$root/envs"
  rm -rf "$into.new"
  cp -R . "$into.new"
  chmod -R u+w "$into.new"
  ln -s "../../envs/$(environment)" "$into.new/.venv"
  mv -T "$into.new" "$into"
}

# Nothing of an environment changes once it is there, so a release that was good stays good.
environment() {
  local name
  name=$(sha256sum requirements.lock | cut -c1-16)
  if [ ! -e "$root/envs/$name/complete" ]; then
    rm -rf "$root/envs/$name"
    python3 -m venv "$root/envs/$name" >&2
    "$root/envs/$name/bin/pip" install --quiet --require-hashes -r requirements.lock >&2
    touch "$root/envs/$name/complete"
  fi
  echo "$name"
}

switch_to() {
  ln -sfn "releases/$1" "$root/current.new"
  mv -T "$root/current.new" "$root/current"
}

# Ends the bot; true once another one answers, from release $1.
restart() {
  local before until
  before=$(bot)
  [ -z "$before" ] || kill -TERM "$before" || true
  until=$((SECONDS + patience))
  while [ "$SECONDS" -lt "$until" ]; do
    if [ -n "$(bot)" ] && [ "$(bot)" != "$before" ] && [ "$(running)" = "$1" ] && answers; then return; fi
    sleep 0.2
  done
  return 1
}

answers() { (cd "$root/current" && .venv/bin/python -m bot say help --data "$root/data" >/dev/null 2>&1); }

unpack
before=$(basename "$(readlink "$root/current")")
echo "Shipmate $VERSION is unpacked; restarting"
switch_to "$COMMIT"
if restart "$COMMIT"; then
  echo "Shipmate $VERSION answers"
  exit
fi
echo "Shipmate $VERSION does not answer; going back to $before" >&2
switch_to "$before"
patience=120 # whoever keeps the bot may wait a while before it tries again
restart "$before"
exit 1
