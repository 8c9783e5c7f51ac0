#!/bin/sh
# Tries the files of deploy/kubernetes: with the tools that fetch.sh makes ready, with a broker, and with
# the program itself, built here or named in CONFLICTWIRE_TEST_BINARY. Needs no cluster.
set -eu
cd "$(dirname "$0")/../.."

tests/deploy/fetch.sh
tests/kafka/fetch.sh
if [ -z "${CONFLICTWIRE_TEST_BINARY:-}" ]; then
    # The features of all tests, so that nothing is compiled twice. Both may hold several words.
    # shellcheck disable=SC2086
    ${CARGO:-cargo} build --locked ${FEATURES:---features fault-points} --bin conflictwire
fi
exec target/deploy/python/bin/python tests/deploy/deploy_test.py "$@"
