#!/bin/sh
# Installs, starts, upgrades and removes the packages of target/dist in a clean Debian 12 that its own systemd
# runs (systemd-nspawn), with no network but loopback. trial.sh beside this is what happens inside.
#
# Needs root, debootstrap, systemd-nspawn (systemd-container), and `make dist` before. What is missing is
# named, and it fails. The Debian is made once and kept in target/packages.
set -eu
cd "$(dirname "$0")/../.."

say() {
    printf 'packages: %s\n' "$*" >&2
}

missing=
[ "$(id -u)" = 0 ] || missing="$missing; root, for a machine of its own"
for tool in debootstrap systemd-nspawn; do
    command -v $tool >/dev/null 2>&1 || missing="$missing; $tool"
done
arch=$(dpkg --print-architecture)
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
deb=target/dist/conflictwire_${version}_$arch.deb
rpm=target/dist/conflictwire-$version-1.$(uname -m).rpm
for file in "$deb" "$rpm"; do
    [ -f "$file" ] || missing="$missing; $file, which make dist makes"
done
if [ -n "$missing" ]; then
    say "the packages cannot be tried here. Missing: ${missing#; }"
    exit 1
fi

tests/packages/debian.sh
work=$PWD/target/packages
root=$(mktemp -d "$work/root.XXXXXX")
trap 'rm -rf "$root"' EXIT
tar -C "$root" -xf "$work/debian.tar"
mkdir -p "$root/trial/feeds"
cp "$deb" "$root/trial/first.deb"
cp "$rpm" "$root/trial/first.rpm"
cp tests/packages/trial.sh tests/packages/trial.toml tests/packages/trial.rss "$root/trial/"

# The next version: the same files under a higher number, with another line in what the operator may change.
mkdir "$root/next" "$root/next/etc"
dpkg-deb --raw-extract "$deb" "$root/next/deb"
sed -i "s/^Version: .*/Version: $version.1/" "$root/next/deb/DEBIAN/control"
echo '# A line of the next version.' >>"$root/next/deb/etc/conflictwire/conflictwire.toml"
(cd "$root/next/deb" && find usr etc -type f -exec md5sum {} + >DEBIAN/md5sums)
dpkg-deb --root-owner-group --build "$root/next/deb" "$root/trial/next.deb" >/dev/null
rm -rf "$root/next"

cat >"$root/etc/systemd/system/trial.service" <<'UNIT'
[Unit]
Description=The packages are tried
After=basic.target
[Service]
Type=oneshot
Environment=DEBIAN_FRONTEND=noninteractive HOME=/root
ExecStart=/bin/sh /trial/trial.sh
StandardOutput=append:/trial/said
StandardError=append:/trial/said
ExecStopPost=/bin/systemctl poweroff --no-block
[Install]
WantedBy=multi-user.target
UNIT
ln -s /etc/systemd/system/trial.service "$root/etc/systemd/system/multi-user.target.wants/trial.service"

say "starting it"
timeout 600 systemd-nspawn --quiet --directory "$root" --boot --register=no --keep-unit --console=pipe \
    --machine=conflictwire-trial --private-network </dev/null >"$work/console.log" 2>&1 || true
cat "$root/trial/said" >&2
[ -f "$root/trial/passed" ] || {
    say "failed; $work/console.log has what the system said"
    exit 1
}
say "all held"
