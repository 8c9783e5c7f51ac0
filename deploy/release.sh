#!/bin/sh
# Builds the binary that we release: target/released/conflictwire. More arguments are cargo's.
# TARGET=aarch64-unknown-linux-gnu builds it for that machine, in target/$TARGET/released; it takes
# `rustup target add` and the compiler and libraries of Debian's crossbuild packages.
# AUDITABLE=yes puts the names of all crates into it (cargo-auditable), which scanners read.
#
# It is what `cargo build --release` makes, and besides:
# - the C inside (SQLite, librdkafka, OpenSSL, zstd, zlib, ring) is compiled with what the compiler
#   has against mistakes in it; Rust is linked position-independent, with RELRO and BIND_NOW, by itself;
# - no path of the machine that built it is in it, and no time but the commit's: two builds of one commit with
#   the same compilers are the same bytes, wherever they are made (make test-reproducible);
# - OpenSSL looks for its configuration and for code to load where only root may write.
# tests/release/hardened.sh proves all that on the result. A folder of its own keeps what was
# compiled otherwise out of it.
set -eu
cd "$(dirname "$0")/.."

TARGET=${TARGET:-}
machine=${TARGET%%-*}
machine=${machine:-$(uname -m)}
if [ -n "$TARGET" ] && [ "$machine" != "$(uname -m)" ]; then
    CC=${CC:-$machine-linux-gnu-gcc}
    CXX=${CXX:-$machine-linux-gnu-g++}
    AR=${AR:-$machine-linux-gnu-ar}
    # librdkafka's configure knows of these three only.
    export CC CXX AR
    linker=CARGO_TARGET_$(printf %s "$TARGET" | tr a-z- A-Z_)_LINKER
    export "$linker=$CC"
fi
CC=${CC:-cc}
# Below a directory that only root may write to, and which need not be there.
NOWHERE=/usr/lib/conflictwire

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
echo 'int main(void) { return 0; }' >"$scratch/empty.c"

# Those of these flags that this compiler has for this machine.
hardened() {
    for flag; do
        # shellcheck disable=SC2086
        if $CC -O2 -Werror "$flag" -c "$scratch/empty.c" -o "$scratch/empty.o" 2>/dev/null; then
            printf '%s ' "$flag"
        else
            echo "release: $CC does not take $flag" >&2
        fi
    done
}

# A stack that is overwritten ends the process; no allocation jumps over the page that guards it.
flags=$(hardened -fstack-protector-strong -fstack-clash-protection -ftrivial-auto-var-init=zero)
# Undefined before, where a distribution defines it.
flags="$flags-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3"
# Marks where an indirect jump may land; it counts once what Rust compiles is marked too.
case $machine in
x86_64) flags="$flags $(hardened -fcf-protection=full)" ;;
aarch64) flags="$flags $(hardened -mbranch-protection=standard)" ;;
esac
export CFLAGS="${CFLAGS:+$CFLAGS }$flags"
export CXXFLAGS="${CXXFLAGS:+$CXXFLAGS }$flags"

# What `--version` and the metric of the build say this was made from.
if [ -z "${CONFLICTWIRE_REVISION:-}" ] && revision=$(git describe --always --dirty --abbrev=12 2>/dev/null); then
    export CONFLICTWIRE_REVISION="$revision"
fi

# OpenSSL writes into itself when it was built; with this that is the time of the commit.
if [ -z "${SOURCE_DATE_EPOCH:-}" ] && commit_time=$(git log -1 --format=%ct 2>/dev/null); then
    export SOURCE_DATE_EPOCH="$commit_time"
fi

# openssl-src knows of the first directory only; the others it puts below its build. GNU make takes
# them from here over what the makefile says.
export OPENSSL_CONFIG_DIR="$NOWHERE/ssl"
export GNUMAKEFLAGS="${GNUMAKEFLAGS:+$GNUMAKEFLAGS }ENGINESDIR=$NOWHERE/engines MODULESDIR=$NOWHERE/modules"

# The names under which panics are told. They are there only once the crates are.
cargo fetch --locked
separator=$(printf '\037')
remapped=
remap() { # FOLDER NAME
    remapped="$remapped${remapped:+$separator}--remap-path-prefix=$1=$2"
    # Cargo follows links where it looks for crates, such as to a cache that builders share.
    real=$(readlink -f "$1" || true)
    if [ -n "$real" ] && [ "$real" != "$1" ]; then
        remapped="$remapped$separator--remap-path-prefix=$real=$2"
    fi
}
# The last that fits counts.
remap "$PWD" .
remap "${CARGO_TARGET_DIR:-$PWD/target}" target
remap "$(rustc --print sysroot)/lib/rustlib/src/rust" rust
remap "${CARGO_HOME:-$HOME/.cargo}" cargo
for folder in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*; do
    remap "$folder" crates
done
# Of the two variables cargo takes only this one, in which paths may have spaces.
CARGO_ENCODED_RUSTFLAGS=${CARGO_ENCODED_RUSTFLAGS:-$(printf %s "${RUSTFLAGS:-}" | tr -s ' ' "$separator")}
export CARGO_ENCODED_RUSTFLAGS="$CARGO_ENCODED_RUSTFLAGS${CARGO_ENCODED_RUSTFLAGS:+$separator}$remapped"

cargo ${AUDITABLE:+auditable} build --locked --profile released --bin conflictwire ${TARGET:+--target "$TARGET"} "$@"
