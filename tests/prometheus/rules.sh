#!/bin/sh
# Proves the alerts of deploy/prometheus with Prometheus' own promtool: that they are well formed,
# that each fires when it should, and that quiet hours are quiet.
#
# By what is there, in this order: promtool; Debian, whose package is unpacked into target/prometheus
# and not installed, so no service starts; a docker engine. With none of them it says what is missing
# and fails: alerts that nobody tried prove nothing.
set -eu
cd "$(dirname "$0")/../.."

IMAGE=prom/prometheus:v2.53.5
folder=target/prometheus
rules=deploy/prometheus/alerts.yaml
proofs=deploy/prometheus/alerts.test.yaml

say() {
    printf 'alerts: %s\n' "$*" >&2
}

has() {
    command -v "$1" >/dev/null 2>&1
}

unpack() {
    has apt-get && has dpkg-deb || return 1
    mkdir -p "$folder"
    (
        cd "$folder"
        # Only what is missing is fetched: lists that are there may do.
        apt-get download -q prometheus >&2 || { apt-get update -q >&2 && apt-get download -q prometheus >&2; }
        dpkg-deb -x prometheus_*.deb .
    ) && [ -x "$folder/usr/bin/promtool" ]
}

if has promtool; then
    run() { promtool "$@"; }
elif [ -x "$folder/usr/bin/promtool" ] || unpack; then
    run() { "$folder/usr/bin/promtool" "$@"; }
elif has docker && docker info >/dev/null 2>&1; then
    run() { docker run --rm -v "$PWD:/work:ro" -w /work --entrypoint promtool "$IMAGE" "$@"; }
else
    say "promtool is missing: install Prometheus (Debian: apt-get install prometheus), or start a docker engine"
    exit 1
fi

run check rules "$rules"
run test rules "$proofs"
