"""Writes the schemas by which kubeconform looks at manifests: schemas.py FOLDER VERSION...

Those of Kubernetes are in the package kubernetes-validate, with references to a server; here they refer
to the file beside them. Those of the Prometheus operator are in its CustomResourceDefinitions, which
allow unknown keys; here they are refused.
"""

import importlib.util
import json
import pathlib
import sys

import yaml


def strict(schema):
    """Refuses keys that an object does not name."""
    if isinstance(schema, dict):
        if "properties" in schema and "additionalProperties" not in schema:
            schema["additionalProperties"] = False
        for inner in schema.values():
            strict(inner)
    elif isinstance(schema, list):
        for inner in schema:
            strict(inner)


def of_kubernetes(source, target):
    target.mkdir(parents=True, exist_ok=True)
    for path in source.glob("*.json"):
        schema = json.loads(path.read_text().replace('"/api/_definitions.json#', '"_definitions.json#'))
        # What a reference is relative to: the file, and not a server.
        schema.pop("$id", None)
        (target / path.name).write_text(json.dumps(schema))


def of_operator(crds, target):
    for path in crds.glob("*.yaml"):
        definition = yaml.safe_load(path.read_text())["spec"]
        kind, group = definition["names"]["kind"].lower(), definition["group"].split(".")[0]
        for version in definition["versions"]:
            schema = version["schema"]["openAPIV3Schema"]
            strict(schema)
            schema["properties"]["metadata"] = {"type": "object"}
            (target / f"{kind}-{group}-{version['name']}.json").write_text(json.dumps(schema))


folder = pathlib.Path(sys.argv[1])
# Found and not imported: what it depends on is not installed.
package = pathlib.Path(importlib.util.find_spec("kubernetes_validate").origin).parent / "kubernetes-json-schema"
for version in sys.argv[2:]:
    target = folder / "schemas" / f"v{version}"
    of_kubernetes(package / f"v{version}-local-strict", target)
    of_operator(folder / "operator" / "crd", target)
