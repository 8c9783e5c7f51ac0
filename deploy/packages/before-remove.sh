#!/bin/sh
# Before the files go. Of an upgrade (`upgrade` of dpkg, 1 of rpm) the daemon notices nothing here.
set -e
case "${1:-}" in
remove | 0) ;;
*) exit 0 ;;
esac
[ -d /run/systemd/system ] || exit 0
systemctl disable --now conflictwire.service
