#!/bin/sh
# reload.sh FOLDER SECONDS: looks at the files of a folder every so many seconds, and sends SIGHUP to the
# daemon when they have changed. It shares the daemon's process namespace and user; needs busybox.
set -u
folder=$1
seconds=$2

# A mounted ConfigMap is a folder of links; what they lead to is replaced as a whole.
sum() {
    cat "$folder"/* 2>/dev/null | cksum
}

# The one that runs on this folder, not a child of it that reads a document.
daemon() {
    # A process may end while it is looked at.
    for process in /proc/[0-9]*; do
        case "$(tr '\0' ' ' <"$process/cmdline")" in
        *conflictwire\ run\ *" $folder/"*) echo "${process#/proc/}" && return ;;
        esac
    done 2>/dev/null
}

# A shell that is the first process of a container ends at no signal that it does not name.
trap 'exit 0' TERM INT
known=$(sum)
echo "reload: looking at $folder every $seconds s"
while :; do
    # In the background, so that a signal is heard at once.
    sleep "$seconds" &
    wait $!
    now=$(sum)
    [ "$now" = "$known" ] && continue
    pid=$(daemon)
    if [ -n "$pid" ] && kill -HUP "$pid"; then
        echo "reload: the files have changed, sent SIGHUP to $pid"
        known=$now
    else
        echo "reload: the files have changed, and no daemon was found; trying again" >&2
    fi
done
