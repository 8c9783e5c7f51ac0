#!/bin/sh
# Runs the daemon against a WebSub hub that others wrote (Flask-WebSub), both on loopback. Needs Python 3.9 or newer.
set -eu
cd "$(dirname "$0")/../.."

folder=$PWD/target/websub

say() {
    printf 'websub: %s\n' "$*" >&2
}

command -v python3 >/dev/null 2>&1 || {
    say "missing: Python 3.9 or newer (python3)"
    exit 1
}
mkdir -p "$folder"
stamp=$(cksum <tests/websub/requirements.txt)
if [ "$(cat "$folder/stamp" 2>/dev/null)" != "$stamp" ]; then
    say "installing the hub"
    python3 -m venv "$folder/python"
    "$folder/python/bin/pip" install --quiet --requirement tests/websub/requirements.txt
    echo "$stamp" >"$folder/stamp"
fi
# shellcheck disable=SC2086 # they are words
CONFLICTWIRE_TEST_HUB="$folder/python/bin/python" \
    ${CARGO:-cargo} test --locked ${FEATURES:---features fault-points} --test it -- --ignored polling::foreign_hub
