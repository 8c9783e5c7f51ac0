-- The queries were tried in ClickHouse 26.9 with a table in place of the Kafka engine; the engine was not.
-- It reads with librdkafka, which shows committed records only, and delivers at least once, so repeats
-- are dropped by id and revision.

CREATE TABLE conflict_queue (record String) ENGINE = Kafka
SETTINGS kafka_broker_list = 'kafka-1:9092', kafka_topic_list = 'news.conflict.v1',
    kafka_group_name = 'clickhouse', kafka_format = 'JSONAsString', kafka_num_consumers = 1;

CREATE TABLE conflict_articles (
    id String, revision UInt32, relevant Bool, published_at Nullable(DateTime64(3)), title String,
    tags Array(String), record String
) ENGINE = ReplacingMergeTree(revision) ORDER BY id;

CREATE MATERIALIZED VIEW conflict_into TO conflict_articles AS
SELECT JSONExtractString(record, 'id') AS id, JSONExtractUInt(record, 'revision') AS revision,
    JSONExtractBool(record, 'conflict', 'relevant') AS relevant,
    parseDateTime64BestEffortOrNull(JSONExtractString(record, 'published_at')) AS published_at,
    JSONExtractString(record, 'title') AS title,
    JSONExtract(record, 'conflict', 'tags', 'Array(Tuple(id String))').id AS tags, record
FROM conflict_queue;

-- The newest revision of each, without those that are not about conflict any more.
SELECT * FROM conflict_articles FINAL WHERE relevant;
