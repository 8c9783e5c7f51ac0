"""The samples of deploy/consumers, each as a program of its own, against a real broker. run.sh beside this
file starts it.

The daemon publishes two articles about conflict and one that is not; then one of the two is revised and is
not about conflict any more. A transaction of somebody else is aborted. So a reader of the conflict topic must see
two articles and one correction, and nothing of what was aborted.
"""

import contextlib
import json
import os
import pathlib
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import confluent_kafka
import duckdb
import psycopg

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import stand

SAMPLES = stand.TOP / "deploy/consumers"
FOLDER = stand.TOP / "target/consumers"
TOPIC = "news.conflict.v1"

STRIKE = (
    "strike",
    "Air strike kills three in border town",
    "Three people were killed in an air strike on a border town, officials said.",
)
SHELLS = (
    "shells",
    "Shelling kills two near the front line",
    "Two soldiers were killed by artillery shelling near the front line.",
)
SPORT = ("sport", "Rovers win the cup", "Rovers beat United by two goals in the final on Saturday.")
# The same article as STRIKE, with another text.
RECIPE = ("strike", "A recipe for apple cake", "Peel the apples, mix flour and butter, and bake the cake for an hour.")

SETTINGS = 'schedule.interval_min = "1s"\nschedule.interval_max = "1s"\n'


def needs(*programs):
    missing = [one for one in programs if not (shutil.which(one) or pathlib.Path(one).exists())]
    return unittest.skipIf(missing, f"missing: {', '.join(map(str, missing))}")


def postgres():
    """The folder of PostgreSQL's server programs."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else pathlib.Path(shutil.which("initdb") or "/initdb").resolve().parent


def records(broker, level="read_committed"):
    """What readers at this level see of the conflict topic: id, revision, whether it is relevant."""
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": broker,
            "group.id": "look",
            "isolation.level": level,
            "enable.auto.commit": False,
        }
    )
    partitions = consumer.list_topics(TOPIC, 10).topics[TOPIC].partitions
    consumer.assign(
        [confluent_kafka.TopicPartition(TOPIC, one, confluent_kafka.OFFSET_BEGINNING) for one in partitions]
    )
    found, quiet = [], 0
    while quiet < 4:
        message = consumer.poll(0.5)
        quiet = quiet + 1 if message is None else 0
        if message and not message.error():
            article = json.loads(message.value())
            conflict = article["conflict"] or {}
            found.append((article["id"], article.get("revision"), bool(conflict.get("relevant"))))
    consumer.close()
    return found


def abort_a_transaction(broker):
    producer = confluent_kafka.Producer({"bootstrap.servers": broker, "transactional.id": "somebody"})
    producer.init_transactions(20)
    producer.begin_transaction()
    value = json.dumps({"id": "aborted", "title": "aborted", "conflict": None})
    for partition in range(12):
        producer.produce(TOPIC, key="aborted", value=value, partition=partition, headers={"ce_id": "aborted:1"})
    producer.flush(20)
    producer.abort_transaction(20)


class Lines:
    """The lines of a program that goes on, as they come."""

    def __init__(self, command, **more):
        self.lines = []
        more.setdefault("stderr", subprocess.STDOUT)
        self.process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True, **more)
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        stand.stop(self.process, 20)
        self.thread.join()
        self.process.stdout.close()


class Consumers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.documents = {"/wire.xml": stand.feed([STRIKE, SHELLS, SPORT])}
        base = cls.enterClassContext(stand.publisher(cls.documents))
        cls.broker = cls.enterClassContext(stand.kafka())
        cls.enterClassContext(stand.daemon(base, ["/wire.xml"], SETTINGS, cls.broker))
        cls.sqlite, _ = cls.enterClassContext(stand.daemon(base, ["/wire.xml"], SETTINGS))
        stand.eventually("two articles about conflict", lambda: len(records(cls.broker)) == 2)
        abort_a_transaction(cls.broker)
        aborted = [one for one in records(cls.broker, "read_uncommitted") if one[0] == "aborted"]
        assert len(aborted) == 12, "what is aborted is in the log"
        cls.documents["/wire.xml"] = stand.feed([RECIPE, SHELLS, SPORT])
        stand.eventually("a correction", lambda: len(records(cls.broker)) == 3)
        found = records(cls.broker)
        cls.expected = sorted(
            (f"{key}:{revision}", "relevant" if relevant else "drop") for key, revision, relevant in found
        )
        assert [word for _, word in cls.expected].count("drop") == 1, found

    def prints_all(self, *command, **more):
        with Lines(command, **more) as program:
            try:
                stand.eventually("three lines", lambda: len(program.lines) >= 3 or program.process.poll() is not None)
            except AssertionError:
                self.fail("\n".join(program.lines))
            # What was aborted would come in this time.
            time.sleep(1)
        words = sorted(tuple(line.split(" ")[:2]) for line in program.lines)
        self.assertEqual(words, self.expected, "\n".join(program.lines))
        titles = " ".join(program.lines)
        self.assertIn(STRIKE[1], titles)
        self.assertIn(RECIPE[1], titles)
        self.assertRegex(titles, r"relevant strike\S* ")
        self.assertIn(program.process.returncode, (0, 143, -15))

    def test_confluent_kafka(self):
        self.prints_all(sys.executable, SAMPLES / "python/confluent.py", self.broker)

    def test_aiokafka(self):
        self.prints_all(sys.executable, SAMPLES / "python/aio.py", self.broker)

    def test_kafka_python(self):
        self.prints_all(sys.executable, SAMPLES / "python/pure.py", self.broker)

    def test_without_a_package_for_zstd_nothing_is_read(self):
        for sample, package in (("aio", "cramjam"), ("pure", "zstandard")):
            with self.subTest(sample):
                path = SAMPLES / f"python/{sample}.py"
                without = (
                    f"import runpy, sys; sys.modules[{package!r}] = None; "
                    f"sys.argv = [{str(path)!r}, {self.broker!r}, {TOPIC!r}, 'without-{package}']; "
                    f"runpy.run_path({str(path)!r}, run_name='__main__')"
                )
                with Lines([sys.executable, "-c", without]) as program:
                    stand.eventually("an error", lambda: any("zstd" in line.lower() for line in program.lines), 30)
                self.assertFalse([line for line in program.lines if " relevant " in line])

    @needs("node", "npm")
    def test_kafkajs(self):
        environment = {
            **os.environ,
            "NODE_PATH": str(FOLDER / "node/node_modules"),
            "KAFKAJS_NO_PARTITIONER_WARNING": "1",
        }
        self.prints_all("node", SAMPLES / "node/reader.js", self.broker, env=environment)

    @needs("java")
    def test_java(self):
        self.prints_all(
            "java", "-cp", f"{stand.JARS}/*", SAMPLES / "java/Reader.java", self.broker, stderr=subprocess.DEVNULL
        )

    @needs("go")
    def test_go(self):
        self.prints_all(FOLDER / "go-reader", self.broker)

    def code(self, *names):
        """The command of the document that begins with these words, for this broker."""
        blocks = re.findall(r"```sh\n(.*?)```", (SAMPLES / "README.md").read_text(), re.S)
        [command] = [
            command
            for block in blocks
            for command in block.replace("\\\n", " ").splitlines()
            if command.startswith(names)
        ]
        return command.split(" | ")[0].replace("kafka-1:9092", self.broker)

    @needs("kcat")
    def test_kcat(self):
        answer = subprocess.run(self.code("kcat"), shell=True, text=True, capture_output=True, timeout=60, check=True)
        seen = sorted(line.split(" ")[0] for line in answer.stdout.splitlines())
        self.assertEqual(seen, sorted(key.split(":")[0] for key, _ in self.expected), answer.stdout)

    @needs("java")
    def test_the_console_consumer(self):
        command = self.code("kafka-console-consumer.sh").split()[1:]
        java = ["java", "-cp", f"{stand.JARS}/*", "org.apache.kafka.tools.consumer.ConsoleConsumer"]
        with Lines([*java, *command], stderr=subprocess.DEVNULL) as program:
            stand.eventually("three lines", lambda: len(program.lines) >= 3)
            time.sleep(1)
        self.assertEqual(len(program.lines), 3, program.lines)
        self.assertNotIn("aborted", " ".join(program.lines))

    @needs("java", "mvn")
    def test_connect(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            for name in ("worker.properties", "file.json"):
                text = (SAMPLES / "connect" / name).read_text().replace("kafka-1:9092", self.broker)
                text = text.replace("/var/lib/connect", str(folder)).replace(
                    "127.0.0.1:8083", f"127.0.0.1:{stand.free_port()}"
                )
                (folder / name).write_text(text)
            written = folder / "conflict.jsonl"
            worker = ["java", "-cp", f"{FOLDER}/connect/*", "org.apache.kafka.connect.cli.ConnectStandalone"]
            with Lines([*worker, folder / "worker.properties", folder / "file.json"]) as program:
                try:
                    stand.eventually("three lines", lambda: len(written.read_text().splitlines()) >= 3)
                except AssertionError:
                    self.fail("\n".join(program.lines[-30:]))
                time.sleep(1)
            articles = [json.loads(line) for line in written.read_text().splitlines()]
        seen = sorted(f"{article['id']}:{article['revision']}" for article in articles)
        self.assertEqual(seen, sorted(key for key, _ in self.expected))

    @needs(postgres() / "initdb")
    def test_postgres(self):
        with database() as connection_string:
            command = [sys.executable, SAMPLES / "postgres/sink.py", self.broker, connection_string]

            def ask(query):
                with psycopg.connect(connection_string) as connection:
                    return connection.execute(query).fetchall()

            def rows():
                return ask("SELECT id, revision, title FROM conflict_articles ORDER BY id")

            relevant = [(key.split(":")[0]) for key, word in self.expected if word == "relevant"]
            dropped = {key.split(":")[0] for key, word in self.expected if word == "drop"}
            [kept] = [one for one in relevant if one not in dropped]
            # The table is there once the sink runs.
            for _ in range(2):
                with Lines(command) as program:
                    stand.eventually("partitions", lambda: "".join(program.lines).startswith("reads 12"), 60)
                    stand.eventually("all records", lambda: self.seen_all(ask), 60)
                self.assertEqual(rows(), [(kept, 1, SHELLS[1])], "\n".join(program.lines))
                self.assertGreater(ask("SELECT count(*) FROM conflict_tags")[0][0], 0)
                self.assertEqual(program.process.returncode, 0, "\n".join(program.lines))

    @needs(postgres() / "initdb")
    def test_a_sink_that_is_cut_off_has_written_nothing(self):
        """The first one ends in the middle of its transaction; the next one begins where the database is."""
        with database() as connection_string:
            with psycopg.connect(connection_string) as connection:
                connection.execute((SAMPLES / "postgres/schema.sql").read_text())
            command = [sys.executable, SAMPLES / "postgres/sink.py", self.broker, connection_string]
            blocker = psycopg.connect(connection_string)
            blocker.execute("LOCK TABLE conflict_articles IN EXCLUSIVE MODE")
            with Lines(command) as late, psycopg.connect(connection_string, autocommit=True) as look:
                waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                stand.eventually("the first sink in its transaction", lambda: look.execute(waiting).fetchone()[0] == 1)
                # What it holds is taken away with its connection, as after a network that was cut.
                look.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
                stand.eventually("its end", lambda: late.process.poll() is not None, 30)
                self.assertNotEqual(late.process.returncode, 0)
            blocker.rollback()
            blocker.close()
            with Lines(command) as program, psycopg.connect(connection_string, autocommit=True) as look:
                stand.eventually("all records", lambda: self.seen_all(lambda query: look.execute(query).fetchall()), 60)
                rows = look.execute("SELECT title FROM conflict_articles").fetchall()
            self.assertEqual(rows, [(SHELLS[1],)], "\n".join(program.lines))

    @staticmethod
    def seen_all(ask):
        with contextlib.suppress(psycopg.Error):
            [(count,)] = ask("SELECT coalesce(sum(next), 0) FROM conflict_offsets")
            return count >= 3

    def test_duckdb(self):
        [(command, _)] = [
            (line, None)
            for line in (SAMPLES / "duckdb/articles.sql").read_text().splitlines()
            if "conflictwire search" in line
        ]
        words = command.removeprefix("--").split(">")[0].split()
        words = [{"conflictwire": stand.PROGRAM, "WORDS": "killed"}.get(word, word) for word in words]
        environment = {"STATE_DIRECTORY": str(self.sqlite), "PATH": os.environ["PATH"]}
        config = ["--config", str(self.sqlite / "conflictwire.toml")]
        answer = subprocess.run(words + config, text=True, capture_output=True, env=environment, check=True)
        self.assertTrue(answer.stdout)
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "articles.jsonl").write_text(answer.stdout)
            back = os.getcwd()
            os.chdir(folder)
            try:
                database = duckdb.connect()
                found = database.execute((SAMPLES / "duckdb/articles.sql").read_text()).fetchall()
                titles = database.execute("SELECT title FROM articles").fetchall()
            finally:
                os.chdir(back)
        self.assertIn((SHELLS[1],), titles)
        self.assertTrue(any(articles >= 1 for _, articles, _ in found))


@contextlib.contextmanager
def database():
    """A PostgreSQL of its own. Its server does not run as root."""
    with tempfile.TemporaryDirectory() as folder:
        become = []
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(folder, user.pw_uid, user.pw_gid)
            become = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        data, port = f"{folder}/data", stand.free_port()
        initdb = [*become, str(postgres() / "initdb"), "-D", data, "-U", "tester", "-A", "trust", "--no-sync"]
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd="/")
        server = [
            *become,
            postgres() / "postgres",
            "-D",
            data,
            "-p",
            port,
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            f"unix_socket_directories={folder}",
            "-c",
            "fsync=off",
        ]
        with stand.started(server, f"{folder}/log", cwd="/"):
            address = f"host=127.0.0.1 port={port} user=tester dbname=postgres"

            def answers():
                with contextlib.suppress(psycopg.Error), psycopg.connect(address):
                    return True

            stand.eventually("PostgreSQL", answers, 60)
            yield address


if __name__ == "__main__":
    unittest.main(verbosity=2)
