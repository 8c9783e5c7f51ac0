#!/bin/sh
# Runs the tests: every part, or those that are named.
#
#     tests/run.sh [alerts|plain|disk|kafka]...
#
# `make test` runs every part. A part that fails does not stop the next one. The last line is the
# sum: tests that passed, tests that failed, how many of them needed Kafka, and what was left out.
# The exit code is 0 if every part succeeded and the parts that were asked for ran tests.
#
# From the environment, with the defaults below: CARGO, FEATURES, TEST_THREADS, KAFKA_TEST_THREADS,
# KAFKA_TEST_ROUNDS, and CONFLICTWIRE_TEST_ROUNDS (how often a test repeats its fault).
set -u
cd "$(dirname "$0")/.."

# May hold arguments, such as "cargo +1.95" or "--features a,b": both are split into words below.
CARGO=${CARGO:-cargo}
FEATURES=${FEATURES:---features fault-points}
# Tests mostly wait for a daemon or a publisher, so more of them than processors may run at once.
TEST_THREADS=${TEST_THREADS:-8}
# Tests on Kafka share two or three brokers with what they test, so fewer of them run at once.
KAFKA_TEST_THREADS=${KAFKA_TEST_THREADS:-4}
KAFKA_TEST_ROUNDS=${KAFKA_TEST_ROUNDS:-3}

folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
log=$folder/log
kafka_log=$folder/kafka
: >"$log"
: >"$kafka_log"
left_out=
failed=0

say() {
    printf 'tests: %s\n' "$*" >&2
}

# Runs `cargo test` with these arguments, shows what it says, and keeps that for the sum. A pipe has
# the exit code of its last command, so that of cargo goes through a file.
cargo_test() {
    # shellcheck disable=SC2086 # see above
    { $CARGO test --locked $FEATURES "$@" 2>&1; echo $? >"$folder/code"; } | tee "$folder/part"
    cat "$folder/part" >>"$log"
    return "$(cat "$folder/code")"
}

# What should wake somebody does, and a quiet hour does not: by Prometheus' own promtool.
alerts() {
    tests/prometheus/rules.sh
}

# Everything that needs neither a mount nor Kafka, and the examples in the documentation.
plain() {
    cargo_test --workspace --no-fail-fast -- --test-threads="$TEST_THREADS"
}

# Tests that fill a file system of their own. They run where one may be mounted.
disk() {
    if ! unshare --mount mount -t tmpfs tmpfs /mnt 2>/dev/null; then
        left_out=", left out: tests that mount a small disk (not allowed here)"
        return 0
    fi
    cargo_test --test it -- --ignored disk::
}

# Tests that need brokers. fetch.sh makes those ready, or says what is missing. In a shell of its own,
# so that no other part inherits the variable.
kafka() (
    tests/kafka/fetch.sh || exit 1
    export CONFLICTWIRE_TEST_ROUNDS="${CONFLICTWIRE_TEST_ROUNDS:-$KAFKA_TEST_ROUNDS}"
    cargo_test --test it -- --ignored kafka:: --test-threads="$KAFKA_TEST_THREADS"
    code=$?
    cp "$folder/part" "$kafka_log"
    exit "$code"
)

# The sum of the lines "test result: ok. 12 passed; 1 failed; …" in a file: "12 1".
results() {
    awk '/^test result:/ { passed += $4; failed += $6 } END { print passed + 0, failed + 0 }' "$1"
}

# Prints the sum, and fails if a part that should have run tests ran none.
sum() {
    # shellcheck disable=SC2046 # two numbers
    set -- "$1" $(results "$log") $(results "$kafka_log")
    on_kafka=$(($4 + $5))
    echo "$2 tests passed, $3 failed; $on_kafka of them on Kafka$left_out"
    case " $1 " in *" kafka "*) [ "$on_kafka" != 0 ] || return 1 ;; esac
    case " $1 " in *" plain "*) [ "$2" != 0 ] || return 1 ;; esac
}

parts="alerts plain disk kafka"
for part in "$@"; do
    case " $parts " in
    *" $part "*) ;;
    *)
        say "no part \"$part\"; there are: $parts"
        exit 2
        ;;
    esac
done

asked=${*:-$parts}
for part in $asked; do
    "$part" || {
        say "part $part failed"
        failed=1
    }
done
sum "$asked" || failed=1
exit "$failed"
