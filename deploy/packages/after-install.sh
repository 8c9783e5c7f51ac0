#!/bin/sh
# After the files are there, new or upgraded; of the .deb and the .rpm. Nothing is enabled or started: the
# feeds to poll are for the operator to say. A daemon that runs goes on with the new program.
set -e
[ -d /run/systemd/system ] || exit 0
systemctl daemon-reload
systemctl try-restart conflictwire.service
