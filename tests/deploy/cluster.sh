#!/bin/sh
# Applies the files of deploy/kubernetes to a real API server with its store, started on loopback: with
# admission, and so with the pod security standards, and without anything that would run a pod. Both are
# built from Go modules into target/cluster, which takes a quarter of an hour on two processors.
set -eu
cd "$(dirname "$0")/../.."

KUBERNETES=1.34.4
ETCD=v3.6.16
folder=$PWD/target/cluster
log=$folder/build.log

say() {
    printf 'cluster: %s\n' "$*" >&2
}

# The module of Kubernetes names its parts by folders beside it; here each is the module of its own that
# is published with it.
apiserver() (
    mkdir -p "$folder/kubernetes" && cd "$folder/kubernetes" || exit 1
    printf 'module cluster\n\ngo 1.24\n' >go.mod
    of=$(go mod download -json k8s.io/kubernetes@v$KUBERNETES | sed -n 's/.*"GoMod": "\(.*\)",/\1/p') || exit 1
    {
        echo "module cluster"
        grep '^go ' "$of"
        echo "require k8s.io/kubernetes v$KUBERNETES"
        sed -n "s|^[[:space:]]*\(k8s.io/[a-z-]*\) => ./staging.*|replace \1 => \1 v0.${KUBERNETES#1.}|p" "$of"
    } >go.mod
    printf '//go:build tools\n\npackage cluster\n\nimport _ "k8s.io/kubernetes/cmd/kube-apiserver"\n' >tools.go
    version=k8s.io/component-base/version
    go build -mod=mod -ldflags "-X $version.gitVersion=v$KUBERNETES" -o ../kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver
)

etcd() (
    mkdir -p "$folder/etcd-build" && cd "$folder/etcd-build" || exit 1
    printf 'module store\n\ngo 1.24\n' >go.mod
    go get go.etcd.io/etcd/server/v3@$ETCD && go build -o ../etcd go.etcd.io/etcd/server/v3
)

tests/deploy/fetch.sh
command -v kubectl >/dev/null 2>&1 || {
    say "kubectl is missing"
    exit 1
}
mkdir -p "$folder"
export GOFLAGS=-buildvcs=false
[ -x "$folder/kube-apiserver" ] || {
    say "building kube-apiserver $KUBERNETES, which takes a while"
    apiserver >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
}
[ -x "$folder/etcd" ] || {
    say "building etcd $ETCD"
    etcd >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
}
exec target/deploy/python/bin/python tests/deploy/cluster_test.py "$@"
