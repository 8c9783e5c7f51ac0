#!/bin/sh
# Makes a clean Debian 12 with systemd, once: target/packages/debian.tar. Needs root and debootstrap.
set -eu
cd "$(dirname "$0")/../.."

work=$PWD/target/packages
[ ! -f "$work/debian.tar" ] || exit 0
echo "packages: making a Debian 12" >&2
mkdir -p "$work"
rm -rf "$work/debian"
debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,ca-certificates,busybox,rpm \
    bookworm "$work/debian" >"$work/debootstrap.log" 2>&1 || {
    tail -n 20 "$work/debootstrap.log" >&2
    exit 1
}
tar -C "$work/debian" -cf "$work/debian.tar.part" .
mv "$work/debian.tar.part" "$work/debian.tar"
rm -rf "$work/debian"
