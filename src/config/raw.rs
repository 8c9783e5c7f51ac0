//! The shape of the configuration file, and nothing else: what was written, unread and unchecked.
//!
//! Durations and sizes are still text here; `check` reads them and knows their ranges. The doc
//! comments are the descriptions of the published schema (`conflictwire schema config`), and that
//! schema is what `read` holds a file against, so a key exists here or nowhere.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The configuration of conflictwire.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "conflictwire configuration")]
pub struct RawConfig {
    /// Files with more feeds: TOML with `[[feed]]` tables, OPML (by the ending ".opml" or ".xml"), JSON (".json") or
    /// a URL a line (".txt"); folders of such files; or the http or https URL of such a list, which is told by its content.
    /// Relative paths start at the directory of this file.
    pub feeds_from: Vec<String>,
    /// When feeds are polled.
    pub schedule: RawSchedule,
    /// How documents are fetched.
    pub fetch: RawFetch,
    /// How documents are read.
    pub parse: RawParse,
    /// How entries become articles.
    pub normalise: RawNormalise,
    /// How articles are tagged.
    pub tag: RawTag,
    /// Where outcomes are committed.
    pub ledger: RawLedger,
    /// The SQLite ledger.
    pub sqlite: RawSqlite,
    /// The Kafka ledger.
    pub kafka: RawKafka,
    /// The small HTTP server for health, metrics and the status page.
    pub admin: RawAdmin,
    /// Where hubs call that push feeds (WebSub).
    pub websub: RawWebSub,
    /// What is logged, and how.
    pub log: RawLog,
    /// Traces of polls, for a collector.
    pub telemetry: RawTelemetry,
    /// The life of the daemon.
    pub run: RawRun,
    /// Feeds to poll.
    pub feed: Vec<RawFeed>,
}

/// A file of feeds: `[[feed]]` tables and nothing else.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "conflictwire feeds")]
pub struct RawFeeds {
    /// Feeds to poll.
    pub feed: Vec<RawFeed>,
}

/// When feeds are polled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RawSchedule {
    /// Shortest wait between two polls of a feed. 1s to 7d.
    pub interval_min: String,
    /// Longest wait between two polls of a feed, unless the server asks for more. 1s to 30d.
    pub interval_max: String,
    /// The longest `Retry-After` that is believed. 1m to 30d.
    pub retry_after_max: String,
    /// What the first poll of a feed publishes: "all", "none", or what is no older than a duration
    /// such as "48h".
    pub backlog: String,
    /// The most article revisions that a feed adds in a day (UTC); then it is put off until the next.
    /// 1 to 10000000.
    pub articles_per_day: i64,
    /// The same, bytes of records and rejects as written. 1MiB to 1TiB.
    pub bytes_per_day: String,
    /// How often a list of feeds is asked for that `feeds_from` names by URL. 1s to 7d.
    pub list_interval: String,
}

impl Default for RawSchedule {
    fn default() -> Self {
        Self {
            interval_min: "5m".to_owned(),
            interval_max: "4h".to_owned(),
            retry_after_max: "24h".to_owned(),
            backlog: "all".to_owned(),
            articles_per_day: 20_000,
            bytes_per_day: "256MiB".to_owned(),
            list_interval: "15m".to_owned(),
        }
    }
}

/// How documents are fetched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RawFetch {
    /// For the whole exchange, redirects and body included. 1s to 10m.
    pub timeout: String,
    /// For one connection, name look-up and TLS included. 100ms to 1m.
    pub connect_timeout: String,
    /// The most bytes of a document, as sent and decompressed. 1KiB to 1GiB.
    pub body_limit: String,
    /// The most redirects followed for one document. 0 to 50.
    pub redirects_max: i64,
    /// Polls in flight at once. 1 to 1000.
    pub concurrency: i64,
    /// Polls of one host in flight at once. 1 to 100.
    pub host_concurrency: i64,
    /// Between the starts of two polls of one host. 0s to 10m.
    pub host_gap: String,
    /// What we call ourselves to servers. Empty: "conflictwire/" and the version.
    pub user_agent: String,
    /// A web address or mail address at which publishers can reach you; added to the user agent.
    pub contact: String,
    /// Addresses outside the public internet that may be dialled for feeds whose own host is there,
    /// and that have no say of their own: false for none, true for all, or ranges such as
    /// ["10.1.0.0/16"].
    pub allow_private_networks: RawPrivateNetworks,
    /// Addresses of hosts that are not to be looked up, as curl's --resolve: host = "address".
    pub resolve: BTreeMap<String, String>,
    /// What requests go through: "off"; a proxy, "http://host:port", "socks5://host:port" or
    /// "socks5h://host:port", where the proxy looks names up; or "environment", the proxies that
    /// `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` name.
    pub proxy: String,
    /// The file with users and passwords of proxies, a line for each: "host:port user:password". Empty:
    /// none.
    pub proxy_logins: String,
}

impl Default for RawFetch {
    fn default() -> Self {
        Self {
            timeout: "30s".to_owned(),
            connect_timeout: "10s".to_owned(),
            body_limit: "16MiB".to_owned(),
            redirects_max: 10,
            concurrency: 32,
            host_concurrency: 2,
            host_gap: "1s".to_owned(),
            user_agent: String::new(),
            contact: String::new(),
            allow_private_networks: RawPrivateNetworks::AllOrNone(false),
            resolve: BTreeMap::new(),
            proxy: "off".to_owned(),
            proxy_logins: String::new(),
        }
    }
}

/// Addresses outside the public internet that may be dialled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RawPrivateNetworks {
    /// All of them, or none.
    AllOrNone(bool),
    /// Those in these ranges.
    Ranges(Vec<String>),
}

/// How documents are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RawParse {
    /// The most entries taken from one document; the newest are kept. 1 to 100000.
    pub entries_max: i64,
}

impl Default for RawParse {
    fn default() -> Self {
        Self { entries_max: 2000 }
    }
}

/// How entries become articles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RawNormalise {
    /// The most characters of body text on a record; the rest is cut. 100 to 10000000.
    pub text_chars_max: i64,
}

impl Default for RawNormalise {
    fn default() -> Self {
        Self { text_chars_max: 100_000 }
    }
}

/// How articles are tagged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RawTag {
    /// The least score of a tag that makes an article relevant. 0 to 1.
    pub threshold: f64,
    /// A taxonomy file to use instead of the built-in one. Empty: built in.
    pub taxonomy: String,
    /// Lexicon files. Those of one language together take the place of the built-in lexicon of that
    /// language, or add a language.
    pub lexicons: Vec<String>,
    /// Files of actors, read after the built-in ones. An entry takes the place of one with the same id.
    pub actors: Vec<String>,
}

impl Default for RawTag {
    fn default() -> Self {
        Self { threshold: 0.5, taxonomy: String::new(), lexicons: Vec::new(), actors: Vec::new() }
    }
}

/// Where outcomes are committed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RawLedger {
    /// `sqlite`: a database file. `kafka`: topics. `json_lines`: standard output; remembers nothing.
    #[schemars(extend("enum" = ["sqlite", "kafka", "json_lines"]))]
    pub kind: String,
}

impl Default for RawLedger {
    fn default() -> Self {
        Self { kind: "sqlite".to_owned() }
    }
}

/// The Kafka ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RawKafka {
    /// Where Kafka answers: "host:port", one or more; the others are found through them.
    pub brokers: Vec<String>,
    /// Names the consumer group, and is what transactional ids begin with. Replicas that share the
    /// feeds have the same; two deployments on one Kafka have different ones. 1 to 200 characters of
    /// a-z, A-Z, 0-9, ".", "_" and "-".
    pub deployment: String,
    /// How many shares the feeds are dealt out in, by host; as many replicas can work at once. It is
    /// the number of partitions of the state topic, and fixed for a deployment. 1 to 256.
    pub lanes: i64,
    /// How long outcomes may wait to be committed together; 0s to 10s.
    pub commit_interval: String,
    /// "lane": records of a lane go to one partition, in order for each feed. "key": by the article's
    /// id, as a Java producer does it.
    #[schemars(extend("enum" = ["lane", "key"]))]
    pub partition_by: String,
    /// The names of the topics.
    pub topics: RawTopics,
    /// Any librdkafka property, verbatim: "security.protocol" = "SSL". Those that make the ledger
    /// safe are refused, those that load code, run programs or write files too; so is, of course,
    /// what librdkafka does not know.
    pub properties: BTreeMap<String, String>,
    /// Properties whose values are secrets: the file that holds each, one line end at its end taken
    /// off. "sasl.password" = "/run/secrets/kafka-password".
    pub secret_files: BTreeMap<String, String>,
}

impl Default for RawKafka {
    fn default() -> Self {
        Self {
            brokers: vec!["127.0.0.1:9092".to_owned()],
            deployment: "conflictwire".to_owned(),
            lanes: 16,
            commit_interval: "1s".to_owned(),
            partition_by: "lane".to_owned(),
            topics: RawTopics::default(),
            properties: BTreeMap::new(),
            secret_files: BTreeMap::new(),
        }
    }
}

/// The names of the Kafka topics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RawTopics {
    /// Every article revision.
    pub articles: String,
    /// Those that are about conflict.
    pub conflict: String,
    /// What could not be read.
    pub rejects: String,
    /// Feed state, compacted.
    pub state: String,
}

impl Default for RawTopics {
    fn default() -> Self {
        Self {
            articles: "news.articles.v1".to_owned(),
            conflict: "news.conflict.v1".to_owned(),
            rejects: "news.rejects.v1".to_owned(),
            state: "news.feed-state.v1".to_owned(),
        }
    }
}

/// The SQLite ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RawSqlite {
    /// The database file. Empty: `conflictwire.sqlite` in `$STATE_DIRECTORY`, else in
    /// `$XDG_STATE_HOME/conflictwire`, else in `~/.local/state/conflictwire`.
    pub path: String,
    /// How long articles are kept, counted from their commit: "forever", or 1h to 36500d.
    pub keep_age: String,
    /// How large the database may grow before the oldest articles go: "unlimited", or 1MiB to
    /// 16TiB.
    pub keep_size: String,
}

impl Default for RawSqlite {
    fn default() -> Self {
        Self {
            path: String::new(),
            keep_age: "forever".to_owned(),
            keep_size: "unlimited".to_owned(),
        }
    }
}

/// The small HTTP server for health, metrics and the status page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RawAdmin {
    /// The IP address and port it listens on (port 0: any free one), or "off".
    pub listen: String,
    /// The file that holds the token for the status page and `/api`; empty: none. Without one they are
    /// served to this machine only. Probes and metrics need none.
    pub token_file: String,
    /// Where other replicas on Kafka and whoever asks them reach this server: "host:port". Empty: they are told of none.
    pub advertise: String,
}

impl Default for RawAdmin {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:9273".to_owned(),
            token_file: String::new(),
            advertise: String::new(),
        }
    }
}

/// Where hubs call that push feeds (W3C WebSub).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RawWebSub {
    /// The IP address and port at which hubs are listened to (port 0: any free one), or "off": then no hub is asked.
    pub listen: String,
    /// The URL under which the world reaches `listen`: `"https://host/path"`. Needed if that is on.
    pub callback: String,
    /// The file that holds the key from which callback URLs and secrets are made. Needed if `listen` is on.
    pub key_file: String,
}

impl Default for RawWebSub {
    fn default() -> Self {
        Self { listen: "off".to_owned(), callback: String::new(), key_file: String::new() }
    }
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RawLog {
    /// The least level written.
    #[schemars(extend("enum" = ["error", "warn", "info", "debug", "trace"]))]
    pub level: String,
    /// "text" for people, "json" for machines, "auto": text on a terminal, JSON otherwise.
    #[schemars(extend("enum" = ["auto", "text", "json"]))]
    pub format: String,
}

impl Default for RawLog {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: "auto".to_owned() }
    }
}

/// Traces of polls, for a collector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RawTelemetry {
    /// The URL of an OpenTelemetry collector, `"http://host:4318"`; "/v1/traces" is added. Or "off"; or "environment":
    /// what `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` or `OTEL_EXPORTER_OTLP_ENDPOINT` names. Needs a program that was built
    /// with the feature `otlp`.
    pub otlp_endpoint: String,
}

impl Default for RawTelemetry {
    fn default() -> Self {
        Self { otlp_endpoint: "off".to_owned() }
    }
}

/// The life of the daemon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RawRun {
    /// How long a shutdown may take before what is unfinished is given up. 1s to 10m.
    pub drain_timeout: String,
    /// How much memory documents may take, all polls together: as they arrive, while they are read,
    /// and until what is made of them is committed. 64MiB to 1TiB.
    pub memory: String,
    /// How often the files of the configuration are looked at; one that has changed is read anew. 1s to
    /// 1h, or "off".
    pub watch: String,
}

impl Default for RawRun {
    fn default() -> Self {
        Self { drain_timeout: "20s".to_owned(), memory: "1GiB".to_owned(), watch: "5s".to_owned() }
    }
}

/// A feed to poll.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["url"]))]
pub struct RawFeed {
    /// What its state is kept under: 1 to 128 characters of a-z, 0-9, ".", "_" and "-". Left out:
    /// made from host and path. With an id, the URL may change and the state stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub id: Option<String>,
    /// Where it is: http or https. Needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub url: Option<String>,
    /// Who publishes it; shown on its records.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub publisher: Option<String>,
    /// Where the publisher is: ISO 3166-1 alpha-2, upper case ("GB").
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub country: Option<String>,
    /// The language it is in: BCP 47 ("pt-BR"). Each article's text decides; this helps where a text is
    /// too short to tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub language: Option<String>,
    /// A fixed wait between polls instead of the learned one, within `schedule.interval_min` and
    /// `schedule.interval_max`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub interval: Option<String>,
    /// As `schedule.backlog`, for this feed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub backlog: Option<String>,
    /// As `schedule.articles_per_day`, for this feed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i64")]
    pub articles_per_day: Option<i64>,
    /// As `schedule.bytes_per_day`, for this feed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub bytes_per_day: Option<String>,
    /// Addresses outside the public internet that may be dialled for this feed, wherever its redirects
    /// lead: false for none, true for all, or ranges such as ["10.1.0.0/16"]. Left out: as
    /// `fetch.allow_private_networks` says, and only as long as no public host redirects.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "RawPrivateNetworks")]
    pub allow_private_networks: Option<RawPrivateNetworks>,
    /// A proxy instead of `fetch.proxy`, or "off" for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub proxy: Option<String>,
    /// Sent as User-Agent instead of `fetch.user_agent` and `fetch.contact`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub user_agent: Option<String>,
    /// Headers that its requests carry beside the usual ones, to the origin of its URL alone: { "X-Client" = "7" }.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "BTreeMap<String, String>")]
    pub headers: Option<BTreeMap<String, String>>,
    /// A file with such headers, a line "Name: value" for each: for those that are secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub headers_file: Option<String>,
    /// A file with certificate authorities (PEM) that are trusted on its host, instead of this machine's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub roots_file: Option<String>,
    /// Redirects that are followed to its document: `follow` (all), `same_host` or `refuse`; left out: `follow`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub redirects: Option<String>,
    /// What is spoken with its host: "best", what its server prefers, or "1.1"; left out: "best".
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub http: Option<String>,
    /// Groups that it is in, by names of your own, for `feeds list --label`; at most 16, on no record.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<String>")]
    pub labels: Option<Vec<String>>,
    /// false: it stays in the list and is not polled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "bool")]
    pub enabled: Option<bool>,
    /// "hide" or "publish" the query of its URL on records; left out: "hide", since it may hold a
    /// token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub query: Option<String>,
    /// true: where the feed gives a teaser alone, the text of the article is taken from its page, as far as robots.txt
    /// allows and the page is that of the article. Left out: false, the text is the feed's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "bool")]
    pub fulltext: Option<bool>,
}

/// The JSON Schema (2020-12) of the configuration file.
pub fn schema() -> Value {
    schema_of::<RawConfig>()
}

/// The schema of `T`, with what it refers to in its place: easy to walk, and without our names.
pub(super) fn schema_of<T: JsonSchema>() -> Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}
