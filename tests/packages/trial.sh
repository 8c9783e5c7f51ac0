#!/bin/sh
# Runs as root inside the clean Debian that run.sh starts. Writes /trial/passed if everything held.
set -eu
cd /trial

step() {
    printf 'trial: %s\n' "$*"
}
fail() {
    printf 'trial: FAILS: %s\n' "$*"
    journalctl --unit conflictwire --no-pager --lines 20 || true
    exit 1
}
# Until a condition holds; run.sh bounds all of it.
until_true() { # WHAT COMMAND...
    what=$1
    shift
    tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || fail "$what"
        sleep 0.1
    done
}
articles() {
    for word in ceasefire library; do
        STATE_DIRECTORY=/var/lib/conflictwire conflictwire search --config /etc/conflictwire/conflictwire.toml --json $word
    done | wc -l
}
both() {
    [ "$(articles)" = 2 ]
}
pid() {
    systemctl show --property MainPID --value conflictwire
}

step "installing the .deb"
dpkg --install first.deb
conflictwire --version
[ "$(systemctl is-enabled conflictwire)" = disabled ] || fail "it is enabled before anybody said which feeds to poll"
systemctl is-active --quiet conflictwire && fail "it runs before anybody said which feeds to poll"
conflictwire check
systemd-analyze verify conflictwire.service
systemd-analyze security --no-pager --threshold=11 conflictwire.service | tail -n 1
gzip -dc /usr/share/man/man1/conflictwire.1.gz | grep -q '^.TH conflictwire' || fail "there is no manual"
bash -n /usr/share/bash-completion/completions/conflictwire
dpkg --verify conflictwire

step "starting it"
busybox httpd -p 127.0.0.1:8088 -h /trial
cp trial.toml /etc/conflictwire/feeds.toml
systemctl enable --now conflictwire || fail "it does not start"
[ "$(systemctl is-active conflictwire)" = active ] || fail "it does not run"
conflictwire healthcheck
until_true "both articles in the ledger" both
first=$(pid)

step "upgrading it"
dpkg --install --force-confdef --force-confold next.deb
[ "$(systemctl is-active conflictwire)" = active ] || fail "it does not run after the upgrade"
[ "$(pid)" != "$first" ] || fail "the old program goes on after the upgrade"
cmp trial.toml /etc/conflictwire/feeds.toml || fail "the upgrade wrote over the list of feeds"
grep -q 'A line of the next version' /etc/conflictwire/conflictwire.toml || fail "what nobody changed was not upgraded"
conflictwire healthcheck
both || fail "articles were lost or told twice by the upgrade"

step "removing it"
dpkg --remove conflictwire
systemctl is-active --quiet conflictwire && fail "it runs after it was removed"
[ ! -e /usr/bin/conflictwire ] || fail "the program is still there"
[ -f /etc/conflictwire/feeds.toml ] || fail "the list of feeds went with the program"
dpkg --purge conflictwire
[ ! -e /etc/conflictwire/conflictwire.toml ] || fail "a purge leaves the configuration"
[ -d /var/lib/private/conflictwire ] || fail "a purge took the ledger"

# Debian's rpm has no database of Debian's packages, so what it needs is not there for it.
step "installing and removing the .rpm"
rpm --install --nodeps first.rpm
rpm --verify --nodeps conflictwire || fail "files differ from what the .rpm says"
systemctl start conflictwire
conflictwire healthcheck
rpm --erase conflictwire
systemctl is-active --quiet conflictwire && fail "it runs after it was removed"
[ ! -e /usr/bin/conflictwire ] || fail "the program is still there"

touch /trial/passed
