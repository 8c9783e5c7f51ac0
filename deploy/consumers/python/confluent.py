"""Prints the conflict topic: confluent.py BROKERS [TOPIC [GROUP]]

Needs `pip install confluent-kafka`, and nothing else: librdkafka reads zstd by itself.
"""

import json
import signal
import sys

from confluent_kafka import Consumer

brokers = sys.argv[1]
topic = sys.argv[2] if len(sys.argv) > 2 else "news.conflict.v1"
group = sys.argv[3] if len(sys.argv) > 3 else "confluent-reader"
consumer = Consumer(
    {
        "bootstrap.servers": brokers,
        "group.id": group,
        # The default of librdkafka; other clients have another.
        "isolation.level": "read_committed",
        "auto.offset.reset": "earliest",
        # Committed below, after the record was used.
        "enable.auto.commit": False,
    }
)
running = True


def stop(*_):
    global running
    running = False


signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGINT, stop)
consumer.subscribe([topic])
while running:
    message = consumer.poll(0.5)
    if message is None:
        continue
    if message.error():
        raise SystemExit(message.error())
    article = json.loads(message.value())
    headers = {name: value.decode() for name, value in message.headers()}
    # A correction: not about conflict any more, or taken back. Whoever keeps articles drops this one.
    relevant = bool(article["conflict"] and article["conflict"]["relevant"])
    print(
        headers["ce_id"], "relevant" if relevant else "drop", headers.get("cw_tags", "-"), article["title"], flush=True
    )
    consumer.commit(message)
consumer.close()
