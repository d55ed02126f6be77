#!/bin/sh
# Submit two circuits, leave them to the worker, collect what they gave. `aerjob` must be on the PATH.
set -eu

here=$(cd "$(dirname "$0")" && pwd)

bell=$(aerjob submit --shots 2000 --name bell "$here/bell.qasm")
ghz=$(aerjob submit --shots 2000 --name ghz --seed 7 "$here/ghz.qasm")
echo "submitted $bell and $ghz"

# From here on this shell is not needed: the jobs are in the store, and a worker of its own runs them.
aerjob wait --timeout 1m "$bell" "$ghz"

echo "counts of the Bell pair:"
aerjob result "$bell"
echo "counts of the GHZ state, as JSON:"
aerjob result --format json "$ghz"
