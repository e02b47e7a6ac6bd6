#!/bin/sh
# The versions before and after run side by side for a while, so a migration may add to the tables but take nothing away.
set -eu
. deploy/lib.sh

count=0
for file in migrations/*.sql; do
    pause
    if grep -niwE 'drop|rename' "$file"; then
        say "$file takes something away that the version before may still need" >&2
        exit 1
    fi
    say "$file only adds: fine"
    count=$((count + 1))
done
say "$count migrations, nothing to do in $ENVIRONMENT"
