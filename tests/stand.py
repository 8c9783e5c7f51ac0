"""What tests in Python start: one Kafka broker, a publisher with feeds, and the daemon. All of it on
loopback, each at a free port, and ended when its block ends.
"""

import contextlib
import http.server
import os
import pathlib
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request

TOP = pathlib.Path(__file__).resolve().parents[1]
PROGRAM = os.environ.get("CONFLICTWIRE_TEST_BINARY", str(TOP / "target/debug/conflictwire"))
JARS = TOP / "target/kafka/jars"

NODE = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=BROKER://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=BROKER://127.0.0.1:{broker}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=BROKER
log.dirs={folder}/data
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
num.network.threads=2
num.io.threads=4
background.threads=2
"""

FEED = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0"><channel><title>Example Wire</title><link>http://127.0.0.1/</link>
<description>News made for a test</description><language>en</language>
{items}</channel></rss>
"""
ITEM = """<item><title>{title}</title><link>http://127.0.0.1/{guid}</link><guid isPermaLink="false">{guid}</guid>
<pubDate>{date}</pubDate><description>{text}</description></item>
"""


def feed(items):
    """A document with these items: (guid, title, text)."""
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() - 600))
    return FEED.format(items="".join(ITEM.format(guid=g, title=t, text=x, date=date) for g, t, x in items))


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def answers(port):
    with socket.create_connection(("127.0.0.1", port), 1):
        return True


def eventually(what, holds, seconds=90):
    """What `holds` says as soon as that is something."""
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError):
            answer = holds()
            if answer:
                return answer
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come within {seconds} s")
        time.sleep(0.2)


def stop(process, seconds=60):
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def started(command, log, **more):
    with open(log, "ab") as file:
        process = subprocess.Popen([str(word) for word in command], stdout=file, stderr=file, **more)
    try:
        yield process
    finally:
        stop(process)


@contextlib.contextmanager
def kafka():
    """Where a broker answers. tests/kafka/fetch.sh has made its jars ready."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        broker, controller = free_port(), free_port()
        properties = folder / "node.properties"
        properties.write_text(NODE.format(broker=broker, controller=controller, folder=folder))
        java = [TOP / "target/kafka/run", "java", "-XX:TieredStopAtLevel=1", "-cp", f"{JARS}/*"]
        formatting = [*java, "kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qk", "-c", properties]
        subprocess.run([str(word) for word in formatting], check=True, stdout=subprocess.DEVNULL)
        logging = f"-Dlog4j2.configurationFile={TOP / 'tests/kafka/log4j2.properties'}"
        memory = ["-Xmx384m", "-Xms128m", "-XX:+UseSerialGC"]
        command = [*java[:2], *memory, logging, *java[2:], "kafka.Kafka", properties]
        with started(command, folder / "log"):
            eventually("a broker", lambda: answers(broker))
            yield f"127.0.0.1:{broker}"


@contextlib.contextmanager
def publisher(documents):
    """Serves documents by their path, as they are at the time: a dictionary that may change."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            text = documents.get(self.path)
            self.send_response(200 if text else 404)
            self.send_header("content-type", "application/rss+xml")
            self.end_headers()
            self.wfile.write((text or "").encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def daemon(base, paths, more="", broker=None):
    """The daemon, ready: its folder and where its pages are."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        feeds = "".join(
            f'[[feed]]\nid = "{path.strip("/").split(".")[0]}"\nurl = "{base}{path}"\npublisher = "Example Wire"\n'
            'allow_private_networks = ["127.0.0.0/8"]\n\n'
            for path in paths
        )
        port = free_port()
        ledger = f'ledger.kind = "kafka"\nkafka.brokers = ["{broker}"]\nkafka.lanes = 2\n' if broker else ""
        config = folder / "conflictwire.toml"
        config.write_text(f'{ledger}admin.listen = "127.0.0.1:{port}"\n{more}\n{feeds}')
        environment = {"STATE_DIRECTORY": str(folder), "PATH": os.environ["PATH"]}
        if broker:
            eventually(
                "topics",
                lambda: (
                    not subprocess.run(
                        [PROGRAM, "topics", "apply", "--config", config],
                        env=environment,
                        capture_output=True,
                        check=False,
                    ).returncode
                ),
            )
        with started([PROGRAM, "run", "--config", config], folder / "log", env=environment):
            pages = f"http://127.0.0.1:{port}"
            eventually("the daemon", lambda: urllib.request.urlopen(f"{pages}/readyz", timeout=5))
            yield folder, pages
