"""Prints the conflict topic with kafka-python: pure.py BROKERS [TOPIC [GROUP]]

Needs `pip install "kafka-python[zstd]"`: without the extra package (zstandard), the first batch is an error, since
the daemon compresses with zstd.
"""

import json
import signal
import sys

from kafka import KafkaConsumer

brokers = sys.argv[1]
topic = sys.argv[2] if len(sys.argv) > 2 else "news.conflict.v1"
group = sys.argv[3] if len(sys.argv) > 3 else "kafka-python-reader"
consumer = KafkaConsumer(
    topic,
    bootstrap_servers=brokers,
    group_id=group,
    # The default shows what aborted transactions wrote.
    isolation_level="read_committed",
    auto_offset_reset="earliest",
    enable_auto_commit=False,
)
running = True


def stop(*_):
    global running
    running = False


signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGINT, stop)
while running:
    batches = consumer.poll(timeout_ms=500)
    for messages in batches.values():
        for message in messages:
            article = json.loads(message.value)
            headers = {name: value.decode() for name, value in message.headers}
            # A correction: not about conflict any more, or taken back.
            relevant = bool(article["conflict"] and article["conflict"]["relevant"])
            word = "relevant" if relevant else "drop"
            print(headers["ce_id"], word, headers.get("cw_tags", "-"), article["title"], flush=True)
    if batches:
        consumer.commit()
consumer.close()
