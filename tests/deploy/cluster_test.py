"""The files of deploy/kubernetes, applied to a real API server. cluster.sh beside this file starts it.

Nothing runs there: no scheduler, no node. What is proved is that the server takes every object without a
warning, and that its admission lets the pods in where the namespace enforces `restricted`.
"""

import contextlib
import copy
import os
import pathlib
import secrets
import subprocess
import tempfile
import unittest

import yaml

import deploy_test
import stand

CLUSTER = deploy_test.TOP / "target/cluster"


@contextlib.contextmanager
def apiserver():
    """The file by which kubectl and helm reach it."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        folder = pathlib.Path(folder)
        client, peer, port = stand.free_port(), stand.free_port(), stand.free_port()
        store = f"http://127.0.0.1:{client}"
        peers = f"http://127.0.0.1:{peer}"
        etcd = [
            CLUSTER / "etcd",
            f"--data-dir={folder}/etcd",
            f"--listen-client-urls={store}",
            f"--advertise-client-urls={store}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}",
            "--unsafe-no-fsync",
        ]
        stack.enter_context(stand.started(etcd, folder / "etcd.log"))
        key = folder / "key.pem"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        # One user, who may do everything: what is tried is admission, and not rights.
        token = secrets.token_hex(16)
        (folder / "tokens").write_text(f'{token},tester,tester,"system:masters"\n')
        server = [
            CLUSTER / "kube-apiserver",
            f"--etcd-servers={store}",
            f"--cert-dir={folder}/certificates",
            "--bind-address=127.0.0.1",
            f"--secure-port={port}",
            "--authorization-mode=AlwaysAllow",
            f"--token-auth-file={folder}/tokens",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
        ]
        stack.enter_context(stand.started(server, folder / "apiserver.log"))
        config = folder / "kubeconfig"
        cluster = {"server": f"https://127.0.0.1:{port}", "insecure-skip-tls-verify": True}
        config.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "test",
                    "clusters": [{"name": "test", "cluster": cluster}],
                    "users": [{"name": "test", "user": {"token": token}}],
                    "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
                }
            )
        )
        try:
            stand.eventually("the API server", lambda: kubectl(config, "get", "--raw", "/readyz")[1] == "ok", 180)
        except AssertionError:
            print((folder / "apiserver.log").read_text()[-4000:])
            raise
        yield config


def kubectl(config, *arguments, text=None):
    answer = subprocess.run(
        ["kubectl", *map(str, arguments)],
        input=text,
        text=True,
        capture_output=True,
        check=False,
        env={**os.environ, "KUBECONFIG": str(config)},
    )
    return answer.returncode, answer.stdout, answer.stderr


class Cluster(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.config = cls.enterClassContext(apiserver())
        for kind in ("podmonitors", "prometheusrules"):
            definition = deploy_test.TOOLS / f"operator/crd/monitoring.coreos.com_{kind}.yaml"
            cls.must("apply", "--server-side", "-f", definition)
            cls.must("wait", "--for=condition=Established", "--timeout=60s", "-f", definition)

    @classmethod
    def must(cls, *arguments, text=None):
        code, out, error = kubectl(cls.config, *arguments, text=text)
        assert (code, error) == (0, ""), (arguments, out, error)
        return out

    def namespace(self, name):
        labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
        self.must(
            "apply",
            "-f",
            "-",
            text=yaml.safe_dump(
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
            ),
        )

    def pod(self, template, namespace):
        """Asks admission for a pod as a controller would, which puts the volume of a claim there."""
        spec = dict(template["spec"])
        known = {volume["name"] for volume in spec["volumes"]}
        mounts = {mount["name"] for container in spec["containers"] for mount in container["volumeMounts"]}
        spec["volumes"] = spec["volumes"] + [
            {"name": name, "persistentVolumeClaim": {"claimName": name}} for name in sorted(mounts - known)
        ]
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "spec": spec,
            "metadata": {
                "name": "tried",
                "namespace": namespace,
                "labels": template["metadata"]["labels"],
            },
        }
        return kubectl(self.config, "create", "--dry-run=server", "-f", "-", text=yaml.safe_dump(pod))

    def test_every_object_is_taken_without_a_warning(self):
        for name, text in deploy_test.rendered().items():
            namespace = "conflictwire"
            if name.startswith("chart"):
                namespace = "news"
                self.namespace(namespace)
            elif name == "topics":
                # Its account is in the overlay.
                self.must("apply", "-f", "-", text=deploy_test.rendered()["kafka"])
            with self.subTest(name):
                # Twice: that an object can be applied again is what an update does.
                for _ in range(2):
                    self.must("apply", "--warnings-as-errors", f"--namespace={namespace}", "-f", "-", text=text)
                for template in deploy_test.pods(text):
                    code, _, error = self.pod(template, namespace)
                    self.assertEqual((code, error), (0, ""))
            self.must("delete", "--wait=false", f"--namespace={namespace}", "deploy,statefulset,job", "--all")

    def test_a_pod_that_is_not_restricted_is_refused(self):
        text = deploy_test.rendered()["chart"]
        self.namespace("news")
        self.must("apply", "--namespace=news", "-f", "-", text=text)

        def refused(change, word):
            template, _ = deploy_test.daemon(text)
            template = copy.deepcopy(template)
            change(template["spec"], template["spec"]["containers"][0]["securityContext"])
            code, _, error = self.pod(template, "news")
            self.assertNotEqual(code, 0, word)
            self.assertIn("violates PodSecurity", error)
            self.assertIn(word, error)

        refused(lambda _, security: security.pop("capabilities"), "capabilities")
        refused(lambda _, security: security.update(allowPrivilegeEscalation=True), "allowPrivilegeEscalation")
        refused(lambda _, security: security.update(runAsUser=0, runAsNonRoot=False), "runAsNonRoot")
        refused(lambda spec, _: spec.update(hostPID=True), "hostPID")
        refused(lambda spec, _: spec["volumes"].append({"name": "host", "hostPath": {"path": "/"}}), "hostPath")

    def test_a_key_that_the_server_does_not_know_is_refused(self):
        self.namespace("news")
        text = deploy_test.rendered()["chart kafka"].replace("maxUnavailable: 1", "maxUnavailabel: 1")
        code, _, error = kubectl(
            self.config, "apply", "--namespace=news", "--dry-run=server", "--validate=strict", "-f", "-", text=text
        )
        self.assertNotEqual(code, 0)
        self.assertIn("maxUnavailabel", error)

    def test_helm_installs_upgrades_and_takes_away(self):
        self.namespace("released")

        def helm(*arguments):
            code, out, error = deploy_test.helm(*arguments, "--kubeconfig", self.config, "--namespace", "released")
            self.assertEqual(code, 0, error)
            self.assertNotIn("would violate", error)
            return out

        values = deploy_test.CHART / "examples/kafka.yaml"
        # No node runs the job that looks at the configuration first.
        unlooked = ("--set", "check.enabled=false")
        notes = helm("install", "wire", deploy_test.CHART, "--values", values, *unlooked)
        self.assertIn("check --connect", notes)

        def names(kind):
            return set(self.must("get", kind, "--namespace=released", "-o", "name").split())

        jobs = names("job")
        self.assertEqual(len(jobs), 1)
        helm("upgrade", "wire", deploy_test.CHART, "--values", values, "--set", "replicas=5", *unlooked)
        self.assertEqual(names("job"), jobs, "the settings of the topics are the same, and so is the job")
        helm("upgrade", "wire", deploy_test.CHART, "--values", values, "--set", "kafka.applyTopics.partitions=24", *unlooked)
        self.assertEqual(len(names("job") - jobs), 1)
        helm("uninstall", "wire")
        self.assertFalse(names("deploy") | names("networkpolicy") | names("prometheusrule"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
