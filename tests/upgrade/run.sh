#!/bin/sh
# Builds an earlier revision of this repository and lets it and this one take turns on one SQLite file and on the
# lanes of one deployment.
#
#     tests/upgrade/run.sh [REVISION]       without one: the last tag, else the commit before
#
# With CONFLICTWIRE_TEST_BEFORE, that program is the earlier one and nothing is built of it. With
# CONFLICTWIRE_TEST_ACCEPT_GOLDEN=1 the ledger that the earlier one wrote becomes the fixture of `make test`.
set -eu
cd "$(dirname "$0")/../.."
here=$PWD
folder=target/upgrade

if [ -z "${CONFLICTWIRE_TEST_BEFORE:-}" ]; then
    revision=${1:-$(git describe --tags --abbrev=0 2>/dev/null || git rev-parse HEAD~1)}
    echo "upgrade: building $(git log -1 --format='%h %s' "$revision")" >&2
    rm -rf "$folder/before"
    mkdir -p "$folder"
    git archive --prefix=before/ "$revision" | tar -xf - -C "$folder"
    (
        cd "$folder/before"
        CARGO_TARGET_DIR="$here/$folder/build" "${CARGO:-cargo}" build --locked --bin conflictwire
    )
    CONFLICTWIRE_TEST_BEFORE="$here/$folder/build/debug/conflictwire"
fi
export CONFLICTWIRE_TEST_BEFORE
tests/kafka/fetch.sh
# Not quoted: it is options and their values.
# shellcheck disable=SC2086
exec "${CARGO:-cargo}" test --locked ${FEATURES:---features fault-points} --test it -- \
    --ignored upgrade:: --test-threads=2
