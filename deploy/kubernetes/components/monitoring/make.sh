#!/bin/sh
# Makes prometheusrule.yaml of deploy/prometheus/alerts.yaml, since kustomize reads no file outside
# of its folder. `make test-deploy` fails where the two differ.
set -eu
cd "$(dirname "$0")"
{
    echo '# Made by make.sh of deploy/prometheus/alerts.yaml: change that, not this.'
    echo 'apiVersion: monitoring.coreos.com/v1'
    echo 'kind: PrometheusRule'
    echo 'metadata:'
    echo '  name: conflictwire'
    echo '  labels: {app.kubernetes.io/name: conflictwire}'
    echo 'spec:'
    sed -n '/^groups:/,$p' ../../../prometheus/alerts.yaml | sed 's/^\(.\)/  \1/'
} >prometheusrule.yaml
