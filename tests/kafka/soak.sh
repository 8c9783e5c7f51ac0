#!/bin/sh
# Lets every fault of the tests on Kafka strike ROUNDS times, and prints a table of what came of them:
#
#     ROUNDS=10 tests/kafka/soak.sh [TEST]...
#
# The last line is the sum. The exit code is 0 if there were faults, nothing was lost, nothing came
# twice, and every test passed. `make soak` calls it.
set -eu
cd "$(dirname "$0")/../.."

CARGO=${CARGO:-cargo}
FEATURES=${FEATURES:---features fault-points}
KAFKA_TEST_THREADS=${KAFKA_TEST_THREADS:-4}
[ $# != 0 ] || set -- kafka::exactly_once kafka::replicas kafka::brokers

tests/kafka/fetch.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# A pipe has the exit code of its last command, so that of cargo goes through a file.
{
    code=0
    # shellcheck disable=SC2086 # both may hold several words
    CONFLICTWIRE_TEST_ROUNDS=${ROUNDS:-10} $CARGO test --locked $FEATURES --test it -- \
        --ignored "$@" --nocapture --test-threads="$KAFKA_TEST_THREADS" 2>&1 || code=$?
    echo "$code" >"$folder/code"
} | tee "$folder/log"

echo
sed -n 's/.*exactly once on Kafka |/|/p' "$folder/log" | sort
sed -n 's/.*exactly once on Kafka |//p' "$folder/log" | awk -F'|' '
    { faults += $2; lost += $5; twice += $6 }
    END {
        printf "%d faults, %d lost, %d twice\n", faults, lost, twice
        exit faults == 0 || lost + twice > 0
    }'
exit "$(cat "$folder/code")"
