#!/bin/sh
# Whether two builds of the last commit give the same bytes: binary, tarball, .deb, .rpm and the list of what is
# inside, for this machine's architecture.
#
#   tests/packages/reproducible.sh
#
# Each build is a clone of its own, with nothing compiled before. The second differs in all that a builder may have
# otherwise: the folder and how long its name is, the home of cargo, umask, time zone, language, how many jobs there
# are, and, as root, the name of the machine. Compilers and C library are the same: with others the bytes are others.
# Takes what two release builds take. JOBS=4 for more of them at once.
set -eu
cd "$(dirname "$0")/../.."

say() {
    printf 'reproducible: %s\n' "$*" >&2
}

project=$PWD
work=$PWD/target/reproducible
first=$work/a
second=$work/b/in-another-folder/whose-name-is-longer
if [ -n "$(git status --porcelain --untracked-files=no)" ]; then
    say "note: what is not committed is in neither build"
fi
home=${CARGO_HOME:-$HOME/.cargo}
rustup=${RUSTUP_HOME:-$HOME/.rustup}
jobs=${JOBS:-$(nproc)}
DIST_TOOLS=${DIST_TOOLS:-$project/target/dist/tools}
export DIST_TOOLS
unset CARGO_TARGET_DIR CARGO_BUILD_TARGET_DIR SOURCE_DATE_EPOCH CONFLICTWIRE_REVISION

clone() { # FOLDER
    rm -rf "$1"
    mkdir -p "$(dirname "$1")"
    git clone --quiet --no-hardlinks "$project" "$1"
}

clone "$first"
say "the first build, in $first"
(
    cd "$first"
    umask 022
    TZ=UTC LC_ALL=C CARGO_BUILD_JOBS=$jobs ARCHES=host deploy/packages/dist.sh
)

clone "$second"
say "the second build, in $second"
# What was downloaded is downloaded once.
rm -rf "$work/cargo-home"
mkdir -p "$work/cargo-home"
ln -s "$home/registry" "$work/cargo-home/registry"
for file in config.toml config credentials.toml; do
    [ ! -e "$home/$file" ] || ln -s "$home/$file" "$work/cargo-home/$file"
done
another_machine=
if [ "$(id -u)" = 0 ] && unshare --uts true 2>/dev/null; then
    another_machine='hostname another-builder;'
else
    say "note: the name of the machine is the same in both"
fi
(
    cd "$second"
    umask 077
    export CARGO_HOME="$work/cargo-home" RUSTUP_HOME="$rustup" TZ=Pacific/Auckland LC_ALL=C.UTF-8
    export CARGO_BUILD_JOBS=$(((jobs + 1) / 2)) ARCHES=host
    ${another_machine:+unshare --uts} sh -c "$another_machine exec deploy/packages/dist.sh"
)

failed=0
compare() { # NAME: below both
    if [ ! -f "$first/$1" ] || [ ! -f "$second/$1" ]; then
        echo "FAILS $1: only one build has it"
        failed=1
    elif cmp -s "$first/$1" "$second/$1"; then
        echo "same  $(sha256sum "$first/$1" | cut -c 1-64)  $1"
    else
        echo "FAILS $1: $(cmp -l "$first/$1" "$second/$1" 2>/dev/null | wc -l) bytes differ, the first at" \
            "$(cmp "$first/$1" "$second/$1" 2>&1 | sed 's/.*differ: //')"
        failed=1
    fi
}
compare target/released/conflictwire
names=$(cd "$first" && ls target/dist/*.deb target/dist/*.rpm target/dist/*.tar.gz target/dist/*.cdx.json target/dist/SHA256SUMS)
for name in $names; do
    compare "$name"
done
if [ $failed != 0 ]; then
    # What is in one and not in the other is mostly a path or a time.
    for place in "$first" "$second"; do
        strings -a "$place/target/released/conflictwire" | sort -u >"$place/target/strings"
    done
    diff "$first/target/strings" "$second/target/strings" | head -n 20 || true
fi
exit $failed
