#!/bin/sh
# Runs the samples of deploy/consumers against a real broker that the daemon writes to. Needs what
# tests/kafka/fetch.sh does and Python; samples whose language or program is missing are named and left out:
# node and npm, go, java, mvn, kcat, PostgreSQL's server.
set -eu
cd "$(dirname "$0")/../.."

folder=$PWD/target/consumers

say() {
    printf 'consumers: %s\n' "$*" >&2
}

has() {
    command -v "$1" >/dev/null 2>&1
}

tests/kafka/fetch.sh
[ -x target/kafka/run ] || {
    say "they start a broker of their own; unset CONFLICTWIRE_TEST_KAFKA"
    exit 1
}
has python3 || {
    say "missing: Python 3.9 or newer (python3)"
    exit 1
}
mkdir -p "$folder"
stamp=$(cat tests/consumers/requirements.txt tests/consumers/connect/pom.xml deploy/consumers/node/package.json | cksum)
if [ "$(cat "$folder/stamp" 2>/dev/null)" != "$stamp" ]; then
    say "installing what the samples need"
    python3 -m venv "$folder/python"
    "$folder/python/bin/pip" install --quiet --requirement tests/consumers/requirements.txt
    if has npm; then
        # In a copy, so that nothing is installed into the source.
        mkdir -p "$folder/node"
        cp deploy/consumers/node/package.json "$folder/node/"
        (cd "$folder/node" && npm install --no-audit --no-fund --no-package-lock --silent)
    fi
    if has mvn; then
        mvn -q -B -Dstyle.color=never -f tests/consumers/connect/pom.xml dependency:copy-dependencies \
            -DincludeScope=runtime -DoutputDirectory="$folder/connect"
    fi
    printf '%s\n' "$stamp" >"$folder/stamp"
fi
if has go; then
    (cd deploy/consumers/go && GOFLAGS=-buildvcs=false go vet . && GOFLAGS=-buildvcs=false go build -o "$folder/go-reader" .)
fi
if [ -z "${CONFLICTWIRE_TEST_BINARY:-}" ]; then
    # The features of all tests, so that nothing is compiled twice. Both may hold several words.
    # shellcheck disable=SC2086
    ${CARGO:-cargo} build --locked ${FEATURES:---features fault-points} --bin conflictwire
fi
exec "$folder/python/bin/python" tests/consumers/consumers_test.py "$@"
