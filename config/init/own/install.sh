#!/bin/bash
# Has to leave $VERSION running and ready on $TARGET, also when it is run again; exit status 0 says that it does.
# It runs in a read-only copy of the commit and is told SERVICE, ENVIRONMENT, TARGET, REGION, VERSION, COMMIT,
# PREVIOUS_VERSION and more; what it leaves running needs `detach: true` beside its path in deploy.yml.
set -euo pipefail

# To be filled in: how the version gets there. Then remove these two lines.
echo "Nothing was deployed: write into ${0#"$PWD"/} how $VERSION gets onto $TARGET, and commit that." >&2
exit 1
