"""Every query of the dashboard and every recording rule, asked of a real Prometheus that scrapes two
daemons, one on SQLite and one on Kafka. dashboard.sh beside this file starts it.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
import urllib.request

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests"))

import stand

DASHBOARD = json.loads((TOP / "deploy/grafana/conflictwire.json").read_text())
PROMETHEUS = TOP / "target/prometheus/usr/bin/prometheus"

# Metrics that show nothing until something has gone wrong.
ABSENT_IN_QUIET = (
    "conflictwire_lane_fenced_total",
    "conflictwire_lane_in_doubt_total",
    "conflictwire_lane_unpublished_total",
    'conflictwire_lane_transactions_total{job="$job", instance=~"$instance", outcome="failed"}',
)

SETTINGS = """\
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [RULES/recording.yaml, RULES/alerts.yaml]
scrape_configs:
  - job_name: conflictwire
    static_configs: [{targets: TARGETS}]
"""


def queries():
    """Panel, query."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for annotation in DASHBOARD["annotations"]["list"]:
        if "expr" in annotation:
            yield annotation["name"], annotation["expr"]


class Dashboard(unittest.TestCase):
    def test_every_panel_says_what_it_shows(self):
        seen = set()
        for panel in DASHBOARD["panels"]:
            if panel["type"] == "row":
                continue
            with self.subTest(panel["title"]):
                self.assertGreater(len(panel["description"]), 8)
                self.assertTrue(panel["fieldConfig"]["defaults"]["unit"])
                self.assertEqual(panel["datasource"]["uid"], "${datasource}")
            seen.add((panel["title"], panel["id"]))
        self.assertEqual(len({title for title, _ in seen}), len({number for _, number in seen}))

    def test_no_panel_covers_another(self):
        taken = set()
        for panel in DASHBOARD["panels"]:
            at = panel["gridPos"]
            self.assertLessEqual(at["x"] + at["w"], 24, panel["title"])
            cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
            self.assertFalse(taken & cells, panel["title"])
            taken |= cells

    def test_every_rate_goes_by_the_interval_of_the_scrapes(self):
        for title, query in queries():
            self.assertEqual(query.count("rate("), query.count("[$__rate_interval]"), title)


class Live(unittest.TestCase):
    def lint(self, base):
        """What promtool finds in the older text of a daemon."""
        request = urllib.request.Request(f"{base}/metrics", headers={"Accept": "text/plain;version=0.0.4"})
        answer = urllib.request.urlopen(request, timeout=10)
        self.assertEqual(answer.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        command = [PROMETHEUS.with_name("promtool"), "check", "metrics"]
        checked = subprocess.run(command, input=answer.read(), capture_output=True, check=False)
        return checked.returncode, (checked.stdout + checked.stderr).decode()

    def ask(self, query):
        url = f"{self.base}/api/v1/query?" + urllib.parse.urlencode({"query": query})
        try:
            return json.load(urllib.request.urlopen(url, timeout=10))["data"]["result"]
        except urllib.error.HTTPError as error:
            self.fail(f"{query}: {error.read().decode()}")

    def filled(self, query):
        for name, value in (("$job", "conflictwire"), ("$instance", ".*"), ("$__rate_interval", "10s")):
            query = query.replace(name, value)
        self.assertNotIn("$", query)
        return query

    def test_every_query_is_answered(self):
        item = ("1", "Air strike kills three in border town", "Three people were killed in an air strike.")
        documents = {"/good.xml": stand.feed([item])}
        with (
            stand.publisher(documents) as base,
            stand.kafka() as broker,
            stand.daemon(base, ["/good.xml", "/gone.xml"]) as (_, sqlite),
            stand.daemon(base, ["/good.xml", "/gone.xml"], broker=broker) as (_, kafka),
            tempfile.TemporaryDirectory() as folder,
        ):
            targets = json.dumps([one.removeprefix("http://") for one in (sqlite, kafka)])
            settings = pathlib.Path(folder) / "prometheus.yaml"
            rules = str(TOP / "deploy/prometheus")
            settings.write_text(SETTINGS.replace("TARGETS", targets).replace("RULES", rules))
            port = stand.free_port()
            command = [
                PROMETHEUS,
                f"--config.file={settings}",
                f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address=127.0.0.1:{port}",
            ]
            with stand.started(command, pathlib.Path(folder) / "log"):
                self.base = f"http://127.0.0.1:{port}"
                # Until it has read what it keeps, it answers 503.
                stand.eventually("Prometheus", lambda: urllib.request.urlopen(f"{self.base}/-/ready", timeout=10))
                stand.eventually("articles", lambda: self.ask("count(conflictwire_records_committed_total > 0) == 2"))
                stand.eventually(
                    "failures", lambda: self.ask('count(conflictwire_polls_total{outcome="failed"} > 0) == 2')
                )
                for base in (sqlite, kafka):
                    self.assertEqual(self.lint(base), (0, ""))
                # A rate needs two scrapes, and a rule one more.
                stand.eventually("rates", lambda: self.ask("count(rate(conflictwire_polls_total[10s])) > 1"))
                for title, query in queries():
                    with self.subTest(title, query=query):
                        filled = self.filled(query)
                        self.ask(filled)
                        if "> 0" in query or any(metric in query for metric in ABSENT_IN_QUIET):
                            continue
                        # What the producers hold is told every some seconds.
                        stand.eventually(title, lambda filled=filled: self.ask(filled), 60)
                recorded = re.findall(r"record: (\S+)", (TOP / "deploy/prometheus/recording.yaml").read_text())
                self.assertTrue(recorded)
                # It needs polls after the first scrape, which two feeds do not have; promtool proves it.
                recorded.remove("job:conflictwire_polls_failed:ratio_rate5m")
                for name in recorded:
                    with self.subTest(name):
                        stand.eventually(name, lambda name=name: self.ask(name), 30)
                for variable in DASHBOARD["templating"]["list"]:
                    if variable["type"] == "query":
                        metric = re.fullmatch(r"label_values\((\w+)(?:\{.*\})?, (\w+)\)", variable["definition"])
                        self.assertTrue(all(metric[2] in one["metric"] for one in self.ask(metric[1])))


if __name__ == "__main__":
    unittest.main(verbosity=2)
