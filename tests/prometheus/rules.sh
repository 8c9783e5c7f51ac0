#!/bin/sh
# Proves the alerts and the recording rules of deploy/prometheus with Prometheus' own promtool: that they are well formed,
# that each fires when it should, that quiet hours are quiet, and that what is recorded is what it is named.
#
# By what is there, in this order: promtool; Debian, whose package is unpacked into target/prometheus
# and not installed, so no service starts; a docker engine. With none of them it says what is missing
# and fails: alerts that nobody tried prove nothing.
set -eu
cd "$(dirname "$0")/../.."

IMAGE=prom/prometheus:v2.53.5
folder=target/prometheus

say() {
    printf 'alerts: %s\n' "$*" >&2
}

has() {
    command -v "$1" >/dev/null 2>&1
}

if has promtool; then
    run() { promtool "$@"; }
elif tests/prometheus/unpack.sh; then
    run() { "$folder/usr/bin/promtool" "$@"; }
elif has docker && docker info >/dev/null 2>&1; then
    run() { docker run --rm -v "$PWD:/work:ro" -w /work --entrypoint promtool "$IMAGE" "$@"; }
else
    say "promtool is missing: install Prometheus (Debian: apt-get install prometheus), or start a docker engine"
    exit 1
fi

for name in alerts recording; do
    run check rules "deploy/prometheus/$name.yaml"
    run test rules "deploy/prometheus/$name.test.yaml"
done
