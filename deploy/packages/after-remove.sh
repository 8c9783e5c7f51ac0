#!/bin/sh
# After the files have gone. The ledger stays, after a purge too: it is what no reinstalling brings back.
set -e
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
fi
case "${1:-}" in
purge | 0)
    if [ -d /var/lib/private/conflictwire ]; then
        echo "conflictwire: the ledger stays in /var/lib/private/conflictwire; remove it if nobody needs it"
    fi
    ;;
esac
