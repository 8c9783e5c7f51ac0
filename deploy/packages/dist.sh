#!/bin/sh
# Makes what people install, in target/dist: for each of ARCHES a tarball, a .deb and an .rpm; a CycloneDX
# list of what is inside; the checksums of all.
#
#   deploy/packages/dist.sh                # ARCHES="amd64 arm64"; "host" is that of this machine
#
# The same binary makes the same bytes: no clock, no folder and no order of files goes into them. Needs git,
# Go (for nfpm) and binutils; a machine other than this one takes its compiler and `rustup target add`. What
# is missing is named, and it fails.
set -eu
cd "$(dirname "$0")/../.."

NFPM=github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2
AUDITABLE_VERSION=0.7.7
CYCLONEDX_VERSION=0.5.9

ARCHES=${ARCHES:-amd64 arm64}
dist=$PWD/target/dist
# What it packs with; elsewhere, if there is a folder that has it already.
tools=${DIST_TOOLS:-$dist/tools}
export PATH="$tools/bin:$PATH"
# Order and case of names are those of the machine otherwise.
export LC_ALL=C

say() {
    printf 'dist: %s\n' "$*" >&2
}
has() {
    command -v "$1" >/dev/null 2>&1
}
machine_of() {
    case $1 in
    amd64) echo x86_64 ;;
    arm64) echo aarch64 ;;
    *)
        say "no such architecture: $1 (amd64 and arm64 are known)"
        return 1
        ;;
    esac
}

case $(uname -m) in
x86_64) host=amd64 ;;
aarch64) host=arm64 ;;
*)
    say "this machine is neither x86-64 nor arm64"
    exit 1
    ;;
esac
[ "$ARCHES" != host ] || ARCHES=$host

missing=
has git || missing="$missing; git"
has go || missing="$missing; Go 1.25 or newer (go)"
for arch in $ARCHES; do
    machine=$(machine_of "$arch")
    [ "$machine" = "$(uname -m)" ] && continue
    has "$machine-linux-gnu-gcc" || missing="$missing; a compiler for $arch (crossbuild-essential-$arch)"
    [ -d "$(rustc --print sysroot)/lib/rustlib/$machine-unknown-linux-gnu/lib" ] ||
        missing="$missing; rustup target add $machine-unknown-linux-gnu"
done
if [ -n "$missing" ]; then
    say "missing: ${missing#; }"
    exit 1
fi

# Both versions of cargo's verbs, and nfpm, once.
stamp=$(cksum <deploy/packages/dist.sh)
if [ "$(cat "$tools/stamp" 2>/dev/null)" != "$stamp" ]; then
    say "building nfpm, cargo-auditable and cargo-cyclonedx"
    mkdir -p "$tools/bin"
    GOBIN="$tools/bin" GOFLAGS=-buildvcs=false go install "$NFPM"
    cargo install --quiet --locked --root "$tools" "cargo-auditable@$AUDITABLE_VERSION" "cargo-cyclonedx@$CYCLONEDX_VERSION"
    printf %s "$stamp" >"$tools/stamp"
fi

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
commit_time=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)
if [ -n "$(git status --porcelain --untracked-files=no)" ]; then
    say "note: what is built has changes that are in no commit"
fi

# The files of ROOT as a package has them, from the binary BINARY that this machine can run or not.
# Completions and manual come from the one that it can: they are the same.
lay_out() { # ROOT BINARY
    rm -rf "$1"
    share=$1/usr/share
    install -D -m 0755 "$2" "$1/usr/bin/conflictwire"
    install -D -m 0644 deploy/systemd/conflictwire.service "$1/usr/lib/systemd/system/conflictwire.service"
    install -D -m 0644 -t "$1/etc/conflictwire" config/conflictwire.toml config/feeds.toml
    install -D -m 0644 -t "$share/doc/conflictwire" README.md CHANGELOG.md LICENSE NOTICE SECURITY.md
    cp "$share/doc/conflictwire/LICENSE" "$share/doc/conflictwire/copyright"
    # What is built in, to be copied and changed: lexicons, actors, taxonomy.
    mkdir -p "$share/doc/conflictwire/config"
    cp -R config/README.md config/minimal.toml config/cases.toml config/taxonomy.toml config/actors config/lexicon "$share/doc/conflictwire/config"
    install -D -m 0644 -t "$share/bash-completion/completions" "$dist/generated/conflictwire"
    install -D -m 0644 -t "$share/zsh/vendor-completions" "$dist/generated/_conflictwire"
    install -D -m 0644 -t "$share/fish/vendor_completions.d" "$dist/generated/conflictwire.fish"
    install -D -m 0644 -t "$share/man/man1" "$dist/generated/conflictwire.1.gz"
    find "$share" -type f -exec chmod 0644 {} +
    find "$1" -type d -exec chmod 0755 {} +
}

# The oldest C library that has every symbol the binary asks for.
glibc_of() {
    readelf --wide --version-info "$1" | grep -oE 'GLIBC_[0-9]+(\.[0-9]+)+' | sed s/GLIBC_// | sort -uV | tail -n 1
}

build() { # ARCH: prints the path of the binary
    machine=$(machine_of "$1")
    target=
    [ "$machine" = "$(uname -m)" ] || target=$machine-unknown-linux-gnu
    AUDITABLE=yes TARGET=$target deploy/release.sh >&2
    echo "target/${target:+$target/}released/conflictwire"
}

generate() { # BINARY
    mkdir -p "$dist/generated"
    "$1" generate completions bash >"$dist/generated/conflictwire"
    "$1" generate completions zsh >"$dist/generated/_conflictwire"
    "$1" generate completions fish >"$dist/generated/conflictwire.fish"
    "$1" generate man | gzip -9n >"$dist/generated/conflictwire.1.gz"
}

rm -f "$dist"/*.deb "$dist"/*.rpm "$dist"/*.tar.gz "$dist"/*.cdx.json "$dist/SHA256SUMS"
say "building for $host, whose binary writes the manual"
host_binary=$(build "$host")
generate "$host_binary"

for arch in $ARCHES; do
    say "packing for $arch"
    binary=$host_binary
    [ "$arch" = "$host" ] || binary=$(build "$arch")
    machine=$(machine_of "$arch")
    NM=$([ "$machine" = "$(uname -m)" ] && echo nm || echo "$machine-linux-gnu-nm") tests/release/hardened.sh "$binary" >&2
    name=conflictwire-$version-linux-$arch
    lay_out "$dist/$name" "$binary"
    # nfpm fills in variables in some places only.
    sed -e "s|\${ROOT}|target/dist/$name|; s|\${ARCH}|$arch|; s|\${VERSION}|$version|" \
        -e "s|\${COMMIT_TIME}|$commit_time|; s|\${GLIBC}|$(glibc_of "$binary")|" \
        deploy/packages/nfpm.yaml >"$dist/nfpm.yaml"
    for kind in deb rpm; do
        nfpm package --config "$dist/nfpm.yaml" --packager $kind --target "$dist" >&2
    done
    tar --create --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
        --format=posix --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime \
        --directory "$dist" "$name" | gzip -9n >"$dist/$name.tar.gz"
    rm -rf "${dist:?}/$name"
done

# It writes beside the manifests of all members; that of the program lists all that the others bring.
say "listing what is inside"
cargo cyclonedx --quiet --format json --spec-version 1.5 --override-filename conflictwire.cdx
# Our own crates are named there by the folder in which they were built.
ROOT=$(sed -n 's/^ *"bom-ref": "\(path+file:[^"#]*\)#conflictwire@.*/\1/p' conflictwire.cdx.json | head -n 1)
export ROOT
awk 'BEGIN { root = ENVIRON["ROOT"] }
    {
        done = ""
        while (root != "" && (at = index($0, root)) > 0) {
            done = done substr($0, 1, at - 1) "path+file:///conflictwire"
            $0 = substr($0, at + length(root))
        }
        print done $0
    }' conflictwire.cdx.json >"$dist/conflictwire-$version.cdx.json"
rm -f conflictwire.cdx.json src/*/conflictwire.cdx.json

(cd "$dist" && sha256sum ./*.deb ./*.rpm ./*.tar.gz ./*.cdx.json >SHA256SUMS)
say "target/dist has:"
(cd "$dist" && ls -l ./*.deb ./*.rpm ./*.tar.gz ./*.cdx.json SHA256SUMS) >&2
