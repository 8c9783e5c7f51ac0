-- Not tried. Flink SQL with its Kafka connector: a row for each revision; the view keeps the newest of each
-- article and drops those that are not about conflict any more.

CREATE TABLE conflict_revisions (
    id STRING, revision INT, title STRING, published_at STRING,
    conflict ROW<relevant BOOLEAN, score DOUBLE, tags ARRAY<ROW<id STRING, score DOUBLE>>>,
    read_at AS PROCTIME()
) WITH (
    'connector' = 'kafka', 'topic' = 'news.conflict.v1', 'properties.bootstrap.servers' = 'kafka-1:9092',
    'properties.group.id' = 'flink', 'properties.isolation.level' = 'read_committed',
    'scan.startup.mode' = 'earliest-offset', 'format' = 'json', 'json.ignore-parse-errors' = 'false'
);

CREATE VIEW conflict_articles AS
SELECT id, revision, title, published_at, conflict FROM (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY id ORDER BY revision DESC) AS place FROM conflict_revisions
) WHERE place = 1 AND conflict.relevant;
