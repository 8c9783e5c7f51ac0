#!/bin/sh
# Unpacks Debian's Prometheus into target/prometheus, and does not install it, so that no service starts.
# Does nothing the second time; fails without a word where there is no Debian.
set -eu
cd "$(dirname "$0")/../.."

folder=target/prometheus
[ -x $folder/usr/bin/promtool ] && exit 0
command -v apt-get >/dev/null 2>&1 && command -v dpkg-deb >/dev/null 2>&1 || exit 1
mkdir -p $folder
cd $folder
# Only what is missing is fetched: lists that are there may do.
apt-get download -q prometheus >&2 || { apt-get update -q >&2 && apt-get download -q prometheus >&2; }
dpkg-deb -x prometheus_*.deb .
