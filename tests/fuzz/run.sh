#!/bin/sh
# Runs fuzz targets under libFuzzer, without nightly: tests/fuzz/run.sh MINUTES [TARGET...]
#
# What rustc needs to count what is reached, stable rustc has; the sanitizers it has not, so this finds
# panics, broken promises, endless loops and too much memory. Inputs that reached something new are kept in
# target/fuzz/known, and the next run starts with them. Exits 1 if a target failed, 2 on a wrong
# command line, 130 after Ctrl-C.
set -eu
cd "$(dirname "$0")/../.."

FOLDER=target/fuzz

say() {
    printf 'fuzz: %s\n' "$*" >&2
}

all=$(sed -n 's/^    ("\([a-z]*\)", .*),$/\1/p' src/fuzz.rs | tr '\n' ' ')
minutes=${1:-}
case $minutes in
'' | *[!0-9]* | 0*)
    # libFuzzer takes 0 for "without end".
    say "MINUTES is \"$minutes\"; it is a whole number of minutes for each target, 1 or more"
    exit 2
    ;;
esac
shift
# shellcheck disable=SC2086
[ $# -gt 0 ] || set -- $all
for target; do
    case " $all" in
    *" $target "*) ;;
    *)
        say "there is no target \"$target\"; there are: $all"
        exit 2
        ;;
    esac
done

host=$(rustc -vV | sed -n 's/^host: //p')
program=$FOLDER/$host/release/fuzz
mkdir -p "$FOLDER"
if ! [ -x "$program" ]; then
    say "the first build compiles every crate anew: some minutes of both of two cores, and 1 GB in $FOLDER"
fi

# The versions that are released, and besides only what libFuzzer itself needs. Copied only when they have
# changed: Cargo asks the registry for what is missing in a fresh copy, which fails without a network.
if ! cmp -s Cargo.lock "$FOLDER/Cargo.lock" || ! [ -f tests/fuzz/Cargo.lock ]; then
    cp Cargo.lock tests/fuzz/Cargo.lock
    cp Cargo.lock "$FOLDER/Cargo.lock"
fi
# With --target, so that programs that only build something are not instrumented.
RUSTFLAGS="--cfg fuzzing -Cdebug-assertions -Ccodegen-units=1 -Cpasses=sancov-module \
-Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares" \
    cargo build --release --manifest-path tests/fuzz/Cargo.toml --target "$host" \
    --target-dir "$FOLDER" --config 'profile.release.lto="off"' --config 'profile.release.strip="none"'

# Ctrl-C reaches libFuzzer too, which writes what it has and ends; the targets after it are not run.
trap 'say "ended by Ctrl-C; what was learned stays in $FOLDER/known"; exit 130' INT

failed=
for target; do
    known=$FOLDER/known/$target
    found=$FOLDER/found/$target
    mkdir -p "$known" "$found"
    # New inputs go to the first folder, the others are only read.
    set -- "$known" tests/fixtures/feeds
    for folder in "tests/fuzz/seeds/$target" "tests/fuzz/found/$target"; do
        [ ! -d "$folder" ] || set -- "$@" "$folder"
    done
    echo "== $target, $minutes min"
    CONFLICTWIRE_FUZZ_TARGET=$target "$program" "$@" -dict=tests/fuzz/tokens.dict \
        -max_total_time=$((minutes * 60)) -max_len=20000 -timeout=20 -rss_limit_mb=2048 \
        -artifact_prefix="$found/" -print_final_stats=1 -verbosity=1 || failed="$failed $target"
    echo "== $target knows $(find "$known" -type f | wc -l) inputs, $(du -sh "$known" | cut -f 1)"
done

[ -n "$failed" ] || exit 0
say "failed:$failed"
for target in $failed; do
    for input in "$FOLDER/found/$target"/*; do
        [ ! -f "$input" ] || say "once more: CONFLICTWIRE_FUZZ_TARGET=$target $program $input"
    done
done
say "mend it, and keep what shows it in tests/fuzz/found/TARGET, which every \"make test\" reads"
exit 1
