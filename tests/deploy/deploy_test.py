"""The files of deploy/kubernetes: they render, Kubernetes and the program take them, and they promise
what their documents say. run.sh beside this file starts it, with what fetch.sh has made ready.
"""

import contextlib
import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import stand
from stand import PROGRAM, TOP

KUBERNETES = TOP / "deploy/kubernetes"
CHART = KUBERNETES / "chart"
TOOLS = TOP / "target/deploy"
VERSIONS = sorted(path.name.removeprefix("v") for path in (TOOLS / "schemas").iterdir())

# What kube-score finds and we do on purpose.
ON_PURPOSE = {
    "container-image-pull-policy": "a tag or digest that is fixed need not be asked for at every start",
    "deployment-has-host-podantiaffinity": "topologySpreadConstraints keep replicas apart",
}


def run(*command, text=None, folder=TOP):
    """What a command prints on both outputs, and its exit code."""
    command = [str(word) for word in command]
    answer = subprocess.run(command, input=text, cwd=folder, text=True, capture_output=True, check=False)
    return answer.returncode, answer.stdout, answer.stderr


def tool(name, *arguments, text=None):
    return run(TOOLS / "bin" / name, *arguments, text=text)


def kustomize(folder, components=()):
    """What an overlay renders to, with components as somebody's own overlay takes them."""
    with tempfile.TemporaryDirectory(dir=TOOLS) as own:
        way = os.path.relpath(KUBERNETES, own)
        own_file = {
            "resources": [f"{way}/{folder}"],
            "components": [f"{way}/components/{name}" for name in components],
        }
        (pathlib.Path(own) / "kustomization.yaml").write_text(yaml.safe_dump(own_file))
        code, out, error = tool("kustomize", "build", own)
    assert code == 0, error
    return out


def helm(*arguments):
    code, out, error = tool("helm", *arguments)
    # It says of each link where it leads.
    lines = [line for line in error.splitlines() if "found symbolic link" not in line]
    return code, out, "\n".join(lines)


def template(values=None, sets=(), release="wire"):
    arguments = ["template", release, CHART, "--namespace", "news", "--kube-version", VERSIONS[0]]
    arguments += ["--values", values] if values else []
    for one in sets:
        arguments += ["--set-json", one]
    return helm(*arguments)


def chart(values=None, sets=(), release="wire"):
    code, out, error = template(values, sets, release)
    assert code == 0, error
    return out


def examples():
    return sorted((CHART / "examples").glob("*.yaml"))


@functools.cache
def rendered():
    """Everything that is tried, by name: texts of YAML."""
    both = ("monitoring", "reload")
    texts = {"sqlite": kustomize("overlays/sqlite"), "kafka": kustomize("overlays/kafka")}
    texts |= {f"{name} with components": kustomize(f"overlays/{name}", both) for name in ("sqlite", "kafka")}
    texts |= {"topics": kustomize("topics"), "chart": chart()}
    texts |= {f"chart {path.stem}": chart(path) for path in examples()}
    return texts


def objects(text):
    return [one for one in yaml.safe_load_all(text) if one]


def of_kind(text, *kinds):
    return [one for one in objects(text) if one["kind"] in kinds]


def pods(text):
    return [one["spec"]["template"] for one in of_kind(text, "StatefulSet", "Deployment", "Job")]


def daemon(text):
    """The pod and the container of the daemon."""
    [workload] = of_kind(text, "StatefulSet", "Deployment")
    pod = workload["spec"]["template"]
    return pod, pod["spec"]["containers"][0]


def matches(selector, labels):
    return all(labels.get(name) == value for name, value in selector["matchLabels"].items())


def kubeconform(text, version):
    place = TOOLS / "schemas" / "{{.NormalizedKubernetesVersion}}" / "{{.ResourceKind}}{{.KindSuffix}}.json"
    return tool("kubeconform", "-strict", "-kubernetes-version", version, "-schema-location", place, "-", text=text)


def of_every(test):
    """Runs a test on everything that is rendered, and names what it fails on."""

    @functools.wraps(test)
    def on_each(self):
        for name, text in rendered().items():
            with self.subTest(name):
                test(self, text)

    return on_each


def mebibytes(quantity):
    number, unit = re.fullmatch(r"(\d+)(Mi|Gi|MiB|GiB)", quantity).groups()
    return int(number) * (1024 if unit.startswith("G") else 1)


def configurations(text):
    """The ConfigMaps with a configuration: of the daemon, and of the job that looks at it first."""
    return [one for one in of_kind(text, "ConfigMap") if "conflictwire.toml" in one["data"]]


@contextlib.contextmanager
def mounted(text):
    """The folder of a ConfigMap, with secrets beside it where the configuration looks for them."""
    [config] = [one["data"] for one in configurations(text) if "helm.sh/hook" not in one["metadata"].get("annotations", {})]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        shutil.copy(TOP / "tests/fixtures/tls/ca.pem", folder / "ca.crt")
        (folder / "password").write_text("a password")
        for name, content in config.items():
            (folder / name).write_text(content.replace("/run/secrets/conflictwire", str(folder)))
        yield folder


class Manifests(unittest.TestCase):
    def test_two_versions_of_kubernetes_are_looked_at(self):
        self.assertGreaterEqual(len(VERSIONS), 2)

    @of_every
    def test_kubernetes_knows_every_key(self, text):
        for version in VERSIONS:
            code, out, error = kubeconform(text, version)
            self.assertEqual((code, out, error), (0, "", ""), version)

    def test_a_key_that_kubernetes_does_not_know_is_found(self):
        text = rendered()["kafka with components"]
        for right, wrong in [
            ("maxUnavailable:", "maxUnavailabel:"),
            ("readOnlyRootFilesystem:", "readonlyRootFilesystem:"),
            ("podMetricsEndpoints:", "podMetricEndpoints:"),
            ("replicas: 3", "replicas: three"),
        ]:
            self.assertIn(right, text)
            for version in VERSIONS:
                code, out, _ = kubeconform(text.replace(right, wrong), version)
                self.assertEqual(code, 1, wrong)
                self.assertIn(wrong.split(":")[0], out)

    @of_every
    def test_kube_score_finds_nothing(self, text):
        ignored = [word for test in ON_PURPOSE for word in ("--ignore-test", test)]
        # Throttled, a replica loses its lanes.
        ignored.append("--ignore-container-cpu-limit")
        code, out, error = tool("kube-score", "score", "--output-format", "ci", *ignored, "-", text=text)
        findings = [line for line in out.splitlines() if line.startswith(("[CRITICAL]", "[WARNING]"))]
        self.assertEqual((code, findings), (0, []), error)
        self.assertIn("[OK]", out)

    @of_every
    def test_pods_keep_to_the_standard_restricted(self, text):
        self.assertTrue(pods(text) or "topics" in text)
        for pod in pods(text):
            spec = pod["spec"]
            self.assertIs(spec["automountServiceAccountToken"], False)
            self.assertFalse({"hostNetwork", "hostPID", "hostIPC"} & spec.keys())
            for container in spec["containers"] + spec.get("initContainers", []):
                security = container["securityContext"]
                self.assertEqual(security["capabilities"], {"drop": ["ALL"]})
                self.assertEqual(security["seccompProfile"], {"type": "RuntimeDefault"})
                self.assertIs(security["allowPrivilegeEscalation"], False)
                self.assertIs(security["runAsNonRoot"], True)
                self.assertIs(security["readOnlyRootFilesystem"], True)
                self.assertEqual((security["runAsUser"], security["runAsGroup"]), (65532, 65532))
            kinds = {kind for volume in spec["volumes"] for kind in volume if kind != "name"}
            self.assertLessEqual(kinds, {"configMap", "secret", "emptyDir", "persistentVolumeClaim"})
        for account in of_kind(text, "ServiceAccount"):
            self.assertIs(account["automountServiceAccountToken"], False)

    @of_every
    def test_every_selector_finds_its_pods(self, text):
        labels = [pod["metadata"]["labels"] for pod in pods(text)]
        for one in of_kind(text, "StatefulSet", "Deployment", "PodDisruptionBudget", "PodMonitor"):
            self.assertTrue(any(matches(one["spec"]["selector"], of) for of in labels), one["kind"])
        for policy in of_kind(text, "NetworkPolicy"):
            self.assertTrue(any(matches(policy["spec"]["podSelector"], of) for of in labels))
        for service in of_kind(text, "Service"):
            self.assertTrue(any(matches({"matchLabels": service["spec"]["selector"]}, of) for of in labels))

    @of_every
    def test_a_daemon_may_be_taken_away_one_at_a_time(self, text):
        for workload in of_kind(text, "StatefulSet", "Deployment"):
            [budget] = of_kind(text, "PodDisruptionBudget")
            self.assertEqual(budget["spec"]["maxUnavailable"], 1)
            if workload["kind"] == "Deployment":
                update = {"maxSurge": 0, "maxUnavailable": 1}
                self.assertEqual(workload["spec"]["strategy"]["rollingUpdate"], update)
                spread = {of["topologyKey"] for of in workload["spec"]["template"]["spec"]["topologySpreadConstraints"]}
                self.assertEqual(spread, {"kubernetes.io/hostname", "topology.kubernetes.io/zone"})
                self.assertNotIn("volumeClaimTemplates", workload["spec"])
            else:
                self.assertEqual(workload["spec"]["replicas"], 1)

    @of_every
    def test_private_networks_are_out_of_reach(self, text):
        blocks = [
            peer["ipBlock"]
            for policy in of_kind(text, "NetworkPolicy")
            for rule in policy["spec"].get("egress", [])
            for peer in rule["to"]
            if peer.get("ipBlock", {}).get("cidr") == "0.0.0.0/0"
        ]
        for block in blocks:
            self.assertLessEqual(
                {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8"},
                set(block["except"]),
            )
        self.assertTrue(blocks or not of_kind(text, "StatefulSet", "Deployment"))

    @of_every
    def test_a_rule_of_every_pod_names_both_directions(self, text):
        for pod in pods(text):
            directions = {
                direction
                for policy in of_kind(text, "NetworkPolicy")
                if matches(policy["spec"]["podSelector"], pod["metadata"]["labels"])
                for direction in policy["spec"]["policyTypes"]
            }
            self.assertEqual(directions, {"Ingress", "Egress"})

    def test_the_namespace_enforces_restricted(self):
        for name in ("sqlite", "kafka"):
            [namespace] = of_kind(rendered()[name], "Namespace")
            self.assertEqual(namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"], "restricted")

    def test_the_alerts_are_those_of_prometheus(self):
        ours = yaml.safe_load((TOP / "deploy/prometheus/alerts.yaml").read_text())
        [rule] = of_kind(rendered()["kafka with components"], "PrometheusRule")
        self.assertEqual(rule["spec"], ours, "run deploy/kubernetes/components/monitoring/make.sh")
        [rule] = of_kind(rendered()["chart kafka"], "PrometheusRule")
        of_release = json.loads(json.dumps(ours).replace(r"job=\"conflictwire\"", r"job=\"news/wire\""))
        self.assertEqual(rule["spec"], of_release)
        self.assertNotEqual(of_release, ours)
        for name, job in [("kafka with components", "conflictwire"), ("chart kafka", "news/wire")]:
            [monitor] = of_kind(rendered()[name], "PodMonitor")
            [endpoint] = monitor["spec"]["podMetricsEndpoints"]
            self.assertIn({"targetLabel": "job", "replacement": job}, endpoint["relabelings"])

    def test_the_dashboard_is_that_of_grafana(self):
        ours = (TOP / "deploy/grafana/conflictwire.json").read_text()
        maps = of_kind(rendered()["chart kafka"], "ConfigMap")
        [found] = [one for one in maps if "grafana_dashboard" in one["metadata"]["labels"]]
        self.assertEqual(json.loads(found["data"]["conflictwire.json"]), json.loads(ours))


def variables(container, address="10.0.0.7"):
    """The environment of a container in a pod at this address."""
    found = {}
    for one in container.get("env", []):
        if "valueFrom" in one:
            assert one["valueFrom"] == {"fieldRef": {"fieldPath": "status.podIP"}}, one
            found[one["name"]] = address
        else:
            # Kubernetes puts in what stands before.
            value = re.sub(r"\$\((\w+)\)", lambda name: found[name[1]], one["value"])
            found[one["name"]] = value
    return found


class Program(unittest.TestCase):
    """What is rendered, and the program."""

    @of_every
    def test_it_takes_the_configuration(self, text):
        with mounted(text) as folder:
            environment = {"STATE_DIRECTORY": str(folder)}
            for pod in pods(text):
                for name, value in variables(pod["spec"]["containers"][0]).items():
                    environment.setdefault(name, value)
            answer = subprocess.run(
                [PROGRAM, "check", "--config", folder / "conflictwire.toml"],
                env=environment,
                text=True,
                capture_output=True,
                check=False,
            )
            self.assertEqual(answer.returncode, 0, answer.stderr)
            kind = "sqlite" if of_kind(text, "StatefulSet") else "kafka"
            self.assertIn(f"ledger {kind}", answer.stdout)

    def test_a_mistake_in_the_configuration_is_found(self):
        text = chart(sets=['config="[fetch]\\ntimout = \\"1s\\""'])
        with mounted(text) as folder:
            code, _, error = run(PROGRAM, "check", "--config", folder / "conflictwire.toml")
            self.assertEqual(code, 78)
            self.assertIn("timout", error)

    @of_every
    def test_it_has_the_commands_that_containers_run(self, text):
        for pod in pods(text):
            words = pod["spec"]["containers"][0]["args"]
            command = [word for word in words if re.fullmatch("[a-z]+", word)]
            self.assertIn(command, [["run"], ["topics", "apply"], ["check"]])
            code, help_text, error = run(PROGRAM, *command, "--help")
            self.assertEqual(code, 0, error)
            for flag in [word.split("=")[0] for word in words if word.startswith("--")]:
                self.assertRegex(help_text, rf"{flag}\b")

    @of_every
    def test_it_serves_what_the_probes_ask(self, text):
        if not of_kind(text, "StatefulSet", "Deployment"):
            return
        _, container = daemon(text)
        paths = {
            name: container[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")
        }
        self.assertEqual(paths, {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"})
        [port] = container["ports"]
        [listen] = [one["value"] for one in container["env"] if one["name"] == "CONFLICTWIRE__ADMIN__LISTEN"]
        self.assertIn(listen, [f"{every}:{port['containerPort']}" for every in ("0.0.0.0", "[::]")])

    @of_every
    def test_replicas_say_where_they_are_and_a_single_daemon_need_not(self, text):
        if not of_kind(text, "StatefulSet", "Deployment"):
            return
        _, container = daemon(text)
        [port] = container["ports"]
        is_shared = bool(of_kind(text, "Deployment"))
        said = {variables(container, address).get("CONFLICTWIRE__ADMIN__ADVERTISE") for address in ("10.0.0.7", "fd00::7")}
        expected = {f"{address}:{port['containerPort']}" for address in ("10.0.0.7", "fd00::7")}
        self.assertEqual(said, expected if is_shared else {None})

    def test_on_kafka_a_list_of_feeds_by_url_has_a_folder(self):
        for name in ("kafka", "kafka with components", "chart kafka"):
            with self.subTest(name):
                pod, container = daemon(rendered()[name])
                state = variables(container)["STATE_DIRECTORY"]
                [mount] = [one for one in container["volumeMounts"] if one["mountPath"] == state]
                self.assertFalse(mount.get("readOnly"))
                [volume] = [one for one in pod["spec"]["volumes"] if one["name"] == mount["name"]]
                self.assertIn("sizeLimit", volume["emptyDir"])

    @of_every
    def test_its_limits_fit_what_it_takes(self, text):
        if not of_kind(text, "StatefulSet", "Deployment"):
            return
        pod, container = daemon(text)
        with mounted(text) as folder:
            config = (folder / "conflictwire.toml").read_text()
        memory = re.search(r'^memory = "(.*)"', config, re.M)
        memory = mebibytes(memory.group(1)) if memory else 1024
        limit = mebibytes(container["resources"]["limits"]["memory"])
        self.assertGreaterEqual(limit, 2 * memory)
        self.assertEqual(limit, mebibytes(container["resources"]["requests"]["memory"]))
        # run.drain_timeout is 20 s.
        self.assertGreater(pod["spec"]["terminationGracePeriodSeconds"], 20)

    @of_every
    def test_passwords_are_in_no_configuration(self, text):
        for config in of_kind(text, "ConfigMap"):
            content = config["data"].get("conflictwire.toml", "")
            for line in content.splitlines():
                if "password" in line and not line.startswith("#"):
                    self.assertRegex(line, r'= "/run/secrets/conflictwire/')


class Changes(unittest.TestCase):
    """How a change of the configuration reaches the daemon."""

    def pod(self, *sets):
        return daemon(chart(sets=sets))[0]

    def test_another_configuration_is_another_pod(self):
        for change in ('log.level="warn"', 'feeds="[[feed]]\\nurl = \\"https://example.org/rss\\""'):
            self.assertNotEqual(self.pod(), self.pod(change))
        self.assertEqual(self.pod(), self.pod("podDisruptionBudget.enabled=false"))
        for name in ("sqlite", "kafka"):
            [volume] = [
                one["configMap"]["name"]
                for one in daemon(rendered()[name])[0]["spec"]["volumes"]
                if one["name"] == "configuration"
            ]
            self.assertRegex(volume, "^conflictwire-[a-z0-9]{10}$")

    def test_with_reload_the_pod_stays(self):
        reload = "reload.enabled=true"
        self.assertEqual(self.pod(reload), self.pod(reload, 'log.level="warn"'))
        self.assertIs(self.pod(reload)["spec"]["shareProcessNamespace"], True)

    def test_the_script_reloads_the_daemon(self):
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            folder = pathlib.Path(folder)
            files = folder / "files"
            files.mkdir()
            feed = '[[feed]]\nid = "a"\nurl = "https://feed.invalid/rss.xml"\n'
            (files / "feeds.toml").write_text(feed)
            config = files / "conflictwire.toml"
            config.write_text('feeds_from = ["feeds.toml"]\n')
            listen = f"127.0.0.1:{stand.free_port()}"
            environment = {"STATE_DIRECTORY": str(folder), "CONFLICTWIRE__ADMIN__LISTEN": listen}
            with open(folder / "log", "w") as log:
                process = subprocess.Popen(
                    [PROGRAM, "run", "--config", config], env=environment, stdout=log, stderr=log
                )
            stack.callback(stand.stop, process)

            def reloads(outcome):
                wanted = f'conflictwire_config_reloads_total{{outcome="{outcome}"}} '
                with contextlib.suppress(OSError):
                    page = urllib.request.urlopen(f"http://{listen}/metrics", timeout=5).read().decode()
                    for line in page.splitlines():
                        if line.startswith(wanted):
                            return float(line.removeprefix(wanted))
                return None

            stand.eventually("the daemon", lambda: reloads("refused") is not None)
            script = KUBERNETES / "components/reload/reload.sh"
            shell = ["busybox", "sh"] if shutil.which("busybox") else ["sh"]
            watcher = subprocess.Popen(
                [*shell, script, files, "1"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
            stack.callback(watcher.stdout.close)
            stack.callback(stand.stop, watcher)
            self.assertIn("looking at", watcher.stdout.readline())
            (files / "feeds.toml").write_text(feed.replace('"a"', '"b"'))
            stand.eventually("a reload", lambda: reloads("accepted") == 1)
            config.write_text("feeds_form = []\n")
            stand.eventually("a refusal", lambda: reloads("refused") == 1)
            self.assertIsNone(process.poll(), "the daemon goes on with what it had")


# Nothing may be written but the state; the mounts are those of this process alone.
CONFINED = """
mount --make-rprivate / && mount -t tmpfs -o mode=0770,gid=65532 state "$1" && mount -o remount,bind,ro / &&
exec setpriv --reuid=65532 --regid=65532 --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs \\
    "$2" run --config "$3"
"""


@unittest.skipUnless(
    run("unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt")[0] == 0, "nothing may be mounted here"
)
class Confined(unittest.TestCase):
    """The program as the pods confine it, but for seccomp: user, capabilities, and a root that is read-only."""

    @contextlib.contextmanager
    def confined(self, text, state):
        """Where its pages are."""
        with mounted(text) as folder, tempfile.TemporaryDirectory() as other:
            other = pathlib.Path(other)
            folder.chmod(0o755)
            other.chmod(0o755)
            place = other / "state"
            place.mkdir()
            feeds = folder / "feeds.toml"
            feeds.write_text(re.sub(r"https?://([^/:]+)(:\d+)?/", r"https://\1.invalid/", feeds.read_text()))
            listen = f"127.0.0.1:{stand.free_port()}"
            environment = {
                "PATH": os.environ["PATH"],
                "CONFLICTWIRE__ADMIN__LISTEN": listen,
                # Where there is no volume, there is nowhere to write at all.
                "STATE_DIRECTORY": str(place) if state else "/nowhere",
            }
            command = ["unshare", "--mount", "sh", "-c", CONFINED, "sh", place, PROGRAM, folder / "conflictwire.toml"]
            with open(other / "log", "w+") as log:
                process = subprocess.Popen([str(word) for word in command], env=environment, stdout=log, stderr=log)
                try:
                    stand.eventually("the daemon", lambda: self.page(listen, "livez")[0] == 200)
                    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
                    self.assertRegex(status, r"Uid:\t65532\t65532")
                    self.assertRegex(status, r"CapEff:\t0{16}\nCapBnd:\t0{16}")
                    yield listen
                finally:
                    stand.stop(process)
                log.seek(0)
                # What terminationGracePeriodSeconds is for: it drains and ends by itself.
                self.assertEqual(process.returncode, 0, log.read())

    @staticmethod
    def page(listen, name):
        try:
            answer = urllib.request.urlopen(f"http://{listen}/{name}", timeout=5)
            return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def test_it_runs_on_sqlite_with_its_volume(self):
        for name in ("sqlite", "chart", "chart small"):
            with self.subTest(name), self.confined(rendered()[name], state=True) as listen:
                stand.eventually("the ledger", lambda listen=listen: self.page(listen, "readyz")[0] == 200)

    def test_it_lives_without_a_broker_and_without_a_volume(self):
        for name in ("kafka", "chart kafka"):
            text = rendered()[name].replace("kafka-bootstrap.kafka.svc:9093", "127.0.0.1:1")
            with self.subTest(name), self.confined(text, state=False) as listen:
                said = stand.eventually("an answer", lambda listen=listen: self.refusal(listen))
                self.assertIn("the ledger does not take commits", said)

    def refusal(self, listen):
        code, said = self.page(listen, "readyz")
        return said if code == 503 and "starting" not in said else None

    @unittest.skipUnless((TOP / "target/kafka/run").exists(), "no broker is here: run tests/kafka/fetch.sh first")
    def test_replicas_share_the_lanes_of_a_real_broker(self):
        with stand.kafka() as broker:
            brokers = '["192.0.2.10:9092","192.0.2.11:9092"]'
            text = rendered()["chart kafka-plain"]
            self.assertIn(brokers, text)
            text = text.replace(brokers, f'["{broker}"]')
            with mounted(text) as folder:
                # As the job of the chart does.
                jobs = of_kind(rendered()["chart kafka"], "Job")
                [job] = [one for one in jobs if "-topics-" in one["metadata"]["name"]]
                words = job["spec"]["template"]["spec"]["containers"][0]["args"]
                words = [word.replace("/etc/conflictwire", str(folder)) for word in words]
                code, _, error = run(PROGRAM, *words)
                self.assertEqual(code, 0, error)
            with self.confined(text, state=False) as one, self.confined(text, state=False) as other:

                def owned(listen):
                    lines = self.page(listen, "metrics")[1].splitlines()
                    ours = [line for line in lines if "conflictwire_lane_state{" in line and 'state="owned"' in line]
                    return sum(float(line.rsplit(" ", 1)[1]) for line in ours)

                stand.eventually("lanes for both", lambda: owned(one) == owned(other) == 2)
                for listen in (one, other):
                    stand.eventually("readiness", lambda listen=listen: self.page(listen, "readyz")[0] == 200)


class Documents(unittest.TestCase):
    """The overlay that README.md shows, as somebody would write it."""

    def overlay(self, base, level, reload):
        text = (KUBERNETES / "README.md").read_text()
        [shown] = re.findall(r"```yaml\n(# wire/kustomization.yaml\n.*?)```", text, re.S)
        with tempfile.TemporaryDirectory(dir=TOOLS) as own:
            own = pathlib.Path(own)
            (own / "feeds.toml").write_text('[[feed]]\nurl = "https://example.org/rss.xml"\n')
            ledger = "" if base == "overlays/sqlite" else 'ledger.kind = "kafka"\n'
            (own / "conflictwire.toml").write_text(f'feeds_from = ["feeds.toml"]\n{ledger}log.level = "{level}"\n')
            file = yaml.safe_load(shown.replace("../conflictwire/deploy/kubernetes", os.path.relpath(KUBERNETES, own)))
            file["resources"] = [file["resources"][0].replace("overlays/sqlite", base)]
            if base == "topics":
                del file["components"]
            if reload:
                # As components/reload says at its head.
                file["components"].append(file["components"][0].replace("monitoring", "reload"))
                file["generatorOptions"] = {"disableNameSuffixHash": True}
            (own / "kustomization.yaml").write_text(yaml.safe_dump(file))
            code, out, error = tool("kustomize", "build", own)
        self.assertEqual(code, 0, error)
        return out

    def test_an_overlay_of_ones_own_is_used(self):
        for base in ("overlays/sqlite", "overlays/kafka"):
            text = self.overlay(base, "warn", reload=False)
            for version in VERSIONS:
                self.assertEqual(kubeconform(text, version), (0, "", ""))
            pod, container = daemon(text)
            self.assertEqual(container["image"], "registry.example.org/conflictwire:0.1.0")
            with mounted(text) as folder:
                code, out, error = run(PROGRAM, "check", "--config", folder / "conflictwire.toml")
                self.assertEqual(code, 0, error)
                self.assertIn("1 feed", out)
            # Another configuration is another pod, and with reload it is not.
            self.assertNotEqual(pod, daemon(self.overlay(base, "info", reload=False))[0])
            self.assertEqual(
                daemon(self.overlay(base, "warn", reload=True))[0], daemon(self.overlay(base, "info", reload=True))[0]
            )

    def test_the_topics_are_made_by_ones_own_configuration_too(self):
        text = self.overlay("topics", "warn", reload=False)
        [config] = of_kind(text, "ConfigMap")
        self.assertIn('log.level = "warn"', config["data"]["conflictwire.toml"])
        [pod] = pods(text)
        self.assertEqual(pod["spec"]["containers"][0]["image"], "registry.example.org/conflictwire:0.1.0")
        names = {volume["configMap"]["name"] for volume in pod["spec"]["volumes"] if "configMap" in volume}
        self.assertEqual(names, {config["metadata"]["name"]})
        # The daemons of the same folder of files take the same ConfigMap.
        [other] = of_kind(self.overlay("overlays/kafka", "warn", reload=False), "ConfigMap")
        self.assertEqual(other["data"], config["data"])


class Values(unittest.TestCase):
    """What the chart takes and refuses."""

    def test_helm_finds_nothing(self):
        for values in [CHART / "values.yaml", *examples()]:
            code, out, error = helm("lint", "--strict", "--kube-version", VERSIONS[0], "--values", values, CHART)
            self.assertEqual(code, 0, out + error)
            self.assertNotIn("[WARNING]", out)

    def test_every_value_has_its_schema(self):
        """A value that the schema leaves open at every level would take a misspelt one."""
        values = yaml.safe_load((CHART / "values.yaml").read_text())
        schema = json.loads((CHART / "values.schema.json").read_text())

        def walk(path, value, schema):
            self.assertIn("properties", schema, path)
            self.assertIs(schema["additionalProperties"], False, path)
            for key, inner in value.items():
                self.assertIn(key, schema["properties"], path)
                of = schema["properties"][key]
                if isinstance(inner, dict) and inner and "properties" in of:
                    walk(f"{path}.{key}", inner, of)

        walk("", values, schema)

    def test_wrong_values_are_refused(self):
        kafka = ['ledger="kafka"', 'kafka.brokers=["k:9092"]']
        for name, sets in {
            "a misspelt table": ["networkPolicies={}"],
            "a misspelt key": ['image.repo="x"'],
            "no such ledger": ['ledger="postgres"'],
            "Kafka without brokers": ['ledger="kafka"'],
            "a broker without a port": ['ledger="kafka"', 'kafka.brokers=["k"]'],
            "brokers as a text": ['ledger="kafka"', 'kafka.brokers="k:9092"'],
            "a password that all may read": [*kafka, 'kafka.properties={"sasl.password":"x"}'],
            "a secret without a name": [*kafka, 'kafka.secret={"properties":{"sasl.password":"password"}}'],
            "no replicas": ["replicas=0"],
            "daemons that share a file": ["replicas=2"],
            "too many lanes": [*kafka, "kafka.lanes=257"],
            "a number as a text": ['replicas="3"'],
            "no such level": ['log.level="verbose"'],
            "no limit of memory": ['resources={"requests":{},"limits":{"memory":null}}'],
            "a size with another unit": ['sqlite.size="10GB"'],
            "a tag that moves": ['image.tag="latest"'],
            "half a digest": ['image.digest="sha256:12"'],
            "a port that is none": ["networkPolicy.kafka.ports=[0]"],
            "an address that is none": ['listenAddress="localhost"'],
            "no feeds": ['feeds=""'],
            "a table that the chart writes": ['config="[kafka]\\nlanes = 4"'],
            "its key in one line": ['config="[ledger]\\nkind = \\"kafka\\""'],
            "feeds where settings belong": ['config="[[feed]]\\nurl = \\"https://example.org\\""'],
        }.items():
            with self.subTest(name):
                code, out, error = template(sets=sets)
                self.assertNotEqual(code, 0, out)
                self.assertRegex(error, "schema|the chart writes|is a secret, and a ConfigMap keeps none|cannot share one SQLite file")

    def test_replicas_are_three_on_kafka_unless_said_and_one_with_sqlite(self):
        kafka = ['ledger="kafka"', 'kafka.brokers=["k:9092"]']
        for sets, expected in [((), 1), (["replicas=1"], 1), (kafka, 3), ([*kafka, "replicas=5"], 5)]:
            [workload] = of_kind(chart(sets=sets), "StatefulSet", "Deployment")
            self.assertEqual(workload["spec"]["replicas"], expected)

    def test_a_configuration_with_a_mistake_ends_an_upgrade_before_a_pod_goes(self):
        text = chart(sets=['config="[fetch\\ntimeout = 1"'])
        [job] = [one for one in of_kind(text, "Job") if one["metadata"]["name"].endswith("-check")]
        hooks = [one for one in objects(text) if "helm.sh/hook" in one["metadata"].get("annotations", {})]
        for one in hooks:
            self.assertEqual(one["metadata"]["annotations"]["helm.sh/hook"], "pre-install,pre-upgrade")
        # What the pod mounts is made before it, and is a hook too; of the release there may be nothing yet.
        spec = job["spec"]["template"]["spec"]
        names = {one["metadata"]["name"] for one in hooks if one["kind"] == "ConfigMap"}
        self.assertEqual({one["configMap"]["name"] for one in spec["volumes"]}, names)
        self.assertNotIn("serviceAccountName", spec)
        weights = {one["kind"]: int(one["metadata"]["annotations"].get("helm.sh/hook-weight", 0)) for one in hooks}
        self.assertLess(max(weights["ConfigMap"], weights["NetworkPolicy"]), weights["Job"])
        # It runs on just what the daemon would get, and its code is one that fails the job at once.
        old, new = configurations(text)
        self.assertEqual(old["data"], new["data"])
        [rule] = job["spec"]["podFailurePolicy"]["rules"]
        with mounted(text) as folder:
            [container] = spec["containers"]
            words = [word.replace("/etc/conflictwire", str(folder)) for word in container["args"]]
            code, _, error = run(PROGRAM, *words)
        self.assertIn(code, rule["onExitCodes"]["values"], error)
        self.assertIn("conflictwire.toml", error)
        self.assertNotIn("Job", {one["kind"] for one in objects(chart(sets=["check.enabled=false"]))})

    def test_a_package_has_what_the_links_lead_to(self):
        values = CHART / "examples/kafka.yaml"
        with tempfile.TemporaryDirectory() as folder:
            code, out, error = helm("package", CHART, "--destination", folder)
            self.assertEqual(code, 0, out + error)
            [package] = pathlib.Path(folder).glob("*.tgz")
            code, packaged, error = helm(
                "template", "wire", package, "--namespace", "news", "--kube-version", VERSIONS[0], "--values", values
            )
            self.assertEqual(code, 0, error)
        self.assertEqual(packaged, chart(values))

    def test_names_are_short_enough(self):
        for release in ("a", "conflictwire", "a" * 53):
            text = chart(examples()[0], release=release)
            for one in objects(text):
                self.assertLessEqual(len(one["metadata"]["name"]), 63)

    def test_two_releases_share_nothing(self):
        def names(release):
            return {
                (one["kind"], one["metadata"]["name"])
                for one in objects(chart(CHART / "examples/kafka.yaml", release=release))
            }

        self.assertFalse(names("one") & names("two"))

    def test_the_notes_name_what_is_there(self):
        """Notes are rendered for a cluster only, so a copy of the chart has them as a template."""
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder) / "conflictwire"
            shutil.copytree(CHART, copy)
            notes = (copy / "templates/NOTES.txt").rename(copy / "templates/notes.yaml")
            notes.write_text('notes: |\n  {{- include "notes" . | nindent 2 }}\n')
            text = (CHART / "templates/NOTES.txt").read_text()
            (copy / "templates/_notes.tpl").write_text('{{- define "notes" -}}\n' + text + "{{- end -}}\n")
            for values in [CHART / "values.yaml", *examples()]:
                code, out, error = helm(
                    "template",
                    "wire",
                    copy,
                    "--namespace",
                    "news",
                    "--kube-version",
                    VERSIONS[0],
                    "--values",
                    values,
                    "--show-only",
                    "templates/notes.yaml",
                )
                self.assertEqual(code, 0, error)
                notes = yaml.safe_load(out)["notes"]
                commands = re.findall(r"-- conflictwire ([a-z -]+)", notes)
                self.assertGreaterEqual(len(commands), 2)
                for command in commands:
                    words = [word for word in command.split() if word != "ceasefire"]
                    self.assertEqual(run(PROGRAM, *words, "--help")[0], 0, command)
                kinds = {one["kind"].lower(): one["metadata"]["name"] for one in objects(chart(values))}
                for kind, name in re.findall(r"(statefulset|deploy)[/ ]([a-z-]+)", notes):
                    self.assertEqual(kinds.get({"deploy": "deployment"}.get(kind, kind)), name)


if __name__ == "__main__":
    unittest.main(verbosity=2)
