#!/bin/sh
# Runs fuzz targets under libFuzzer, without nightly: tests/fuzz/run.sh MINUTES [TARGET...]
#
# What rustc needs to count what is reached, stable rustc has; the sanitizers it has not, so this finds
# panics, broken promises, endless loops and too much memory. What was learned stays in target/fuzz.
set -eu
cd "$(dirname "$0")/../.."

minutes=$1
shift
[ $# -gt 0 ] || set -- $(sed -n 's/^    ("\([a-z]*\)", .*),$/\1/p' src/fuzz.rs)
host=$(rustc -vV | sed -n 's/^host: //p')

# The versions that are released. Only what libFuzzer itself needs is added.
cp Cargo.lock tests/fuzz/Cargo.lock
# With --target, so that programs that only build something are not instrumented.
RUSTFLAGS="--cfg fuzzing -Cdebug-assertions -Ccodegen-units=1 -Cpasses=sancov-module \
-Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares" \
    cargo build --release --manifest-path tests/fuzz/Cargo.toml --target "$host" \
    --target-dir target/fuzz --config 'profile.release.lto="off"' --config 'profile.release.strip="none"'

failed=
for target in "$@"; do
    known=target/fuzz/known/$target
    found=target/fuzz/found/$target
    mkdir -p "$known" "$found" "tests/fuzz/found/$target"
    echo "== $target, $minutes min"
    CONFLICTWIRE_FUZZ_TARGET=$target "target/fuzz/$host/release/fuzz" "$known" tests/fixtures/feeds \
        "tests/fuzz/found/$target" -dict=tests/fuzz/tokens.dict -max_total_time=$((minutes * 60)) \
        -max_len=20000 -timeout=20 -rss_limit_mb=2048 -artifact_prefix="$found/" \
        -print_final_stats=1 -verbosity=1 || failed="$failed $target"
    rmdir "tests/fuzz/found/$target" 2>/dev/null || true
done
if [ -n "$failed" ]; then
    echo "found something:$failed; the inputs are in target/fuzz/found; keep each in tests/fuzz/found" >&2
    exit 1
fi
