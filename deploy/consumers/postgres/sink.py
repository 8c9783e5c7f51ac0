"""Keeps the conflict topic in PostgreSQL, each article once: sink.py BROKERS DATABASE [TOPIC]

DATABASE is a connection string ("host=db dbname=news"). Needs `pip install confluent-kafka "psycopg[binary]"`.

Exactly once: rows and offsets are committed in one transaction of the database, and reading begins where
the database says. Kafka's group deals out the partitions; its own offsets are not used. A sink that hung, and
whose partitions another one has taken, writes nothing when it wakes: it finds that the offsets have gone on.
"""

import json
import pathlib
import signal
import sys

import psycopg
from confluent_kafka import OFFSET_BEGINNING, Consumer

UPSERT = """
INSERT INTO conflict_articles
    (id, revision, feed, publisher, url, title, published_at, observed_at, language, score, record)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (id) DO UPDATE SET
    revision = excluded.revision, feed = excluded.feed, publisher = excluded.publisher, url = excluded.url,
    title = excluded.title, published_at = excluded.published_at, observed_at = excluded.observed_at,
    language = excluded.language, score = excluded.score, record = excluded.record
WHERE excluded.revision > conflict_articles.revision
"""
TAG = "INSERT INTO conflict_tags (article, tag, score, claim) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING"
FIRST = "INSERT INTO conflict_offsets (topic, partition, next) VALUES (%s, %s, 0) ON CONFLICT DO NOTHING"
NEXT = "SELECT next FROM conflict_offsets WHERE topic = %s AND partition = %s FOR UPDATE"
ADVANCE = "UPDATE conflict_offsets SET next = %s WHERE topic = %s AND partition = %s"


def without_nul(value):
    """PostgreSQL takes no U+0000 in a text."""
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, list):
        return [without_nul(one) for one in value]
    if isinstance(value, dict):
        return {key: without_nul(one) for key, one in value.items()}
    return value


def write(cursor, article):
    """One revision: a row with its tags, or none where the article is not about conflict any more."""
    conflict = article["conflict"]
    if not (conflict and conflict["relevant"]):
        cursor.execute(
            "DELETE FROM conflict_articles WHERE id = %s AND revision < %s", (article["id"], article["revision"])
        )
        return
    cursor.execute(
        UPSERT,
        (
            article["id"],
            article["revision"],
            article["feed"]["id"],
            article["feed"]["publisher"],
            article["url"],
            article["title"],
            article["published_at"],
            article["observed"]["at"],
            article["language"],
            conflict["score"],
            json.dumps(article),
        ),
    )
    if cursor.rowcount:
        cursor.execute("DELETE FROM conflict_tags WHERE article = %s", (article["id"],))
        cursor.executemany(
            TAG,
            [
                (article["id"], tag["id"], tag["score"], (tag.get("claim") or {}).get("status"))
                for tag in conflict["tags"]
            ],
        )


def take(cursor, topic, messages):
    """Records and how far they lead, of each partition from where the database is."""
    following = {}
    for partition in sorted({message.partition() for message in messages}):
        cursor.execute(FIRST, (topic, partition))
        [following[partition]] = cursor.execute(NEXT, (topic, partition)).fetchone()
    for message in messages:
        if message.offset() >= following[message.partition()]:
            write(cursor, without_nul(json.loads(message.value())))
            following[message.partition()] = message.offset() + 1
    for partition, offset in following.items():
        cursor.execute(ADVANCE, (offset, topic, partition))


def main(brokers, database, topic="news.conflict.v1"):
    connection = psycopg.connect(database)
    with connection.transaction():
        connection.execute((pathlib.Path(__file__).parent / "schema.sql").read_text())
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": "postgres-sink",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            # Where retention has deleted what would be next: not the end, which would skip what is left.
            "auto.offset.reset": "earliest",
        }
    )

    def begin(consumer, partitions):
        """Where the database says, and at the beginning where it says nothing."""
        with connection.transaction():
            known = dict(
                connection.execute("SELECT partition, next FROM conflict_offsets WHERE topic = %s", (topic,)).fetchall()
            )
        for partition in partitions:
            partition.offset = known.get(partition.partition, OFFSET_BEGINNING)
        consumer.assign(partitions)
        print(f"reads {len(partitions)} partitions, {len(known)} of them from where it was", flush=True)

    asked_to_stop = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked_to_stop.append(True))
    consumer.subscribe([topic], on_assign=begin)
    while not asked_to_stop:
        messages = consumer.consume(500, timeout=0.5)
        if not messages:
            continue
        for message in messages:
            if message.error():
                raise SystemExit(message.error())
        # A transaction that fails ends the program; the next start goes on where the last one was committed.
        with connection.transaction(), connection.cursor() as cursor:
            take(cursor, topic, messages)
    consumer.close()


main(*sys.argv[1:])
