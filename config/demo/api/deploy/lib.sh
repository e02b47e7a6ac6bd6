# Shared by the scripts beside it, which run in the root of the tree.
say() { printf '%s\n' "$*"; }

# A short rest, so that a person can follow; deploy/pace says how many seconds.
pause() { sleep "$(cat deploy/pace)"; }
