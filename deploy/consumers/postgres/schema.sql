-- What sink.py writes: the newest revision of each article about conflict, its tags, and how far it has
-- read. The offsets are in the database, so that rows and offsets are committed together.

CREATE TABLE IF NOT EXISTS conflict_articles (
    id           text PRIMARY KEY,
    revision     integer NOT NULL,
    feed         text NOT NULL,
    publisher    text,
    url          text,
    title        text,
    published_at timestamptz,
    observed_at  timestamptz NOT NULL,
    language     text,
    score        double precision,
    record       jsonb NOT NULL
);
CREATE INDEX IF NOT EXISTS conflict_articles_published ON conflict_articles (published_at);
CREATE INDEX IF NOT EXISTS conflict_articles_record ON conflict_articles USING gin (record jsonb_path_ops);

CREATE TABLE IF NOT EXISTS conflict_tags (
    article text NOT NULL REFERENCES conflict_articles (id) ON DELETE CASCADE,
    tag     text NOT NULL,
    score   double precision NOT NULL,
    claim   text,
    PRIMARY KEY (article, tag)
);
CREATE INDEX IF NOT EXISTS conflict_tags_tag ON conflict_tags (tag);

CREATE TABLE IF NOT EXISTS conflict_offsets (
    topic     text NOT NULL,
    partition integer NOT NULL,
    next      bigint NOT NULL,
    PRIMARY KEY (topic, partition)
);
