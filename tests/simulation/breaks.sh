#!/bin/sh
# Puts deliberate breaks into the machines of lanes and schedulers, one at a time, and says by which
# seed each was found, of 1,000. Works on a copy of the checkout in target/sim-breaks; needs git, for
# `git apply`.
#
# Breaks 1 to 12 and 19 were chosen by whoever wrote the simulation, the others by somebody who had not
# seen it.
set -eu
cd "$(dirname "$0")/../.."
copy=target/sim-breaks
rm -rf "$copy"
mkdir -p "$copy"
git ls-files -z | tar --null -T - -cf - | tar -xf - -C "$copy"
cd "$copy"
# A repository of its own, or `git apply` would look at the paths of the one around it.
git init -q .
if ! git apply -C1 --recount tests/simulation/breaks.patch; then
    echo "tests/simulation/breaks.patch does not fit the machine any more: bring it up to date" >&2
    exit 1
fi
CARGO_TARGET_DIR=../sim-breaks-build exec "${CARGO:-cargo}" test --locked -p cw-decide --lib \
    breaks_are_found
