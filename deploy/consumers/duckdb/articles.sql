-- Articles about conflict in DuckDB, out of the SQLite ledger or of anything else that has one record a line:
--
--     conflictwire search --newest --limit 100000 --format json WORDS >articles.jsonl
--     duckdb news.duckdb <articles.sql
--
-- Of Kafka: kcat -C -e -b BROKERS -t news.conflict.v1 -X isolation.level=read_committed >articles.jsonl

-- Named columns: what version 1 gains later is no error, and an article without tags is one of no type.
CREATE OR REPLACE TABLE revisions AS
SELECT * FROM read_json('articles.jsonl', format = 'newline_delimited', columns = {
    id: 'VARCHAR', revision: 'INTEGER', change: 'VARCHAR', url: 'VARCHAR', title: 'VARCHAR',
    language: 'VARCHAR', published_at: 'TIMESTAMP', observed: 'STRUCT("at" TIMESTAMP)',
    feed: 'STRUCT(id VARCHAR, publisher VARCHAR, country VARCHAR)',
    conflict: 'STRUCT(relevant BOOLEAN, score DOUBLE,
        tags STRUCT(id VARCHAR, score DOUBLE, claim STRUCT(status VARCHAR, "by" VARCHAR))[],
        actors STRUCT(id VARCHAR, "name" VARCHAR, kind VARCHAR)[],
        places STRUCT("name" VARCHAR, country VARCHAR, lat DOUBLE, lon DOUBLE, "primary" BOOLEAN)[],
        casualties STRUCT(kind VARCHAR, low INTEGER, high INTEGER, "scope" VARCHAR, part_of INTEGER)[])'
});

-- The newest revision of each article, and none of those that are not about conflict any more.
CREATE OR REPLACE VIEW articles AS
SELECT * FROM (SELECT * FROM revisions QUALIFY row_number() OVER (PARTITION BY id ORDER BY revision DESC) = 1)
WHERE conflict.relevant;

CREATE OR REPLACE VIEW tags AS
SELECT id AS article, published_at, title, feed.publisher AS publisher, tag.id AS tag, tag.score AS score,
    tag.claim.status AS claim
FROM articles, unnest(conflict.tags) AS of(tag);

SELECT tag, count(*) AS articles, count(DISTINCT publisher) AS publishers
FROM tags GROUP BY tag ORDER BY articles DESC, tag;
