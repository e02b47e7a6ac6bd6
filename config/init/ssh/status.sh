#!/bin/bash
# Prints the version that is installed on $TARGET. That says not that it runs: a URL that the service itself answers does;
# name it in deploy.yml and remove this script.
set -euo pipefail

PLACE="/opt/$SERVICE" # as in deploy/install.sh

ssh -o BatchMode=yes -o ConnectTimeout=10 "${TARGET%%:*}" "cat '$PLACE/current/.version'" < /dev/null
