#!/bin/sh
# Asks every query of deploy/grafana and every recording rule of a Prometheus that scrapes daemons, one on
# SQLite and one on Kafka. Needs what tests/kafka/fetch.sh does, Python, and Debian's Prometheus.
set -eu
cd "$(dirname "$0")/../.."

tests/kafka/fetch.sh
[ -x target/kafka/run ] || {
    echo "dashboard: it starts a broker of its own; unset CONFLICTWIRE_TEST_KAFKA" >&2
    exit 1
}
tests/prometheus/unpack.sh || {
    echo "dashboard: Prometheus is missing: it is taken out of Debian's package" >&2
    exit 1
}
if [ -z "${CONFLICTWIRE_TEST_BINARY:-}" ]; then
    # The features of all tests, so that nothing is compiled twice. Both may hold several words.
    # shellcheck disable=SC2086
    ${CARGO:-cargo} build --locked ${FEATURES:---features fault-points} --bin conflictwire
fi
exec python3 tests/prometheus/dashboard_test.py "$@"
