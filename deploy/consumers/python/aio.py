"""Prints the conflict topic with asyncio: aio.py BROKERS [TOPIC [GROUP]]

Needs `pip install "aiokafka[zstd]"`: without the extra package (cramjam), the first batch is an error, since the
daemon compresses with zstd.
"""

import asyncio
import json
import signal
import sys

from aiokafka import AIOKafkaConsumer


async def main(brokers, topic="news.conflict.v1", group="aiokafka-reader"):
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=brokers,
        group_id=group,
        # The default shows what aborted transactions wrote.
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    asked_to_stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked_to_stop.set)
    try:
        while not asked_to_stop.is_set():
            batches = await consumer.getmany(timeout_ms=500)
            for messages in batches.values():
                for message in messages:
                    article = json.loads(message.value)
                    headers = {name: value.decode() for name, value in message.headers}
                    # A correction: not about conflict any more, or taken back.
                    relevant = bool(article["conflict"] and article["conflict"]["relevant"])
                    word = "relevant" if relevant else "drop"
                    print(headers["ce_id"], word, headers.get("cw_tags", "-"), article["title"], flush=True)
            if batches:
                await consumer.commit()
    finally:
        await consumer.stop()


asyncio.run(main(*sys.argv[1:]))
