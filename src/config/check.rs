//! Raw configuration to checked configuration, or every problem at once. Pure: files have been read.
//!
//! Each range is here, once, with its reason; the comments in `config/conflictwire.toml` repeat it
//! for people. What is out of range is reported and replaced, for the rest of the check only, so
//! that one mistake is one problem.

use core::net::{IpAddr, SocketAddr};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cw_decide::lane::wire::PartitionBy;
use cw_decide::schedule::queue::Politeness;
use cw_model::Quota;
use cw_status::{LogFormat, LogSettings};
use url::{Host, Url};

use super::callback::{self, read_callback};
use super::environment::Environment;
use super::feeds::{
    BYTES_PER_DAY, CheckedFeeds, FeedDefaults, FeedList, check_feeds, read_articles_per_day,
};
use super::networks::read_networks;
use super::origin::Origins;
use super::raw::{
    RawConfig, RawFetch, RawKafka, RawLog, RawPrivateNetworks, RawSchedule, RawSqlite, RawWebSub,
};
use super::requests::FeedFiles;
use super::token::TokenDigest;
use super::units::{
    duration_text, quoted, read_backlog, read_duration_in, read_size_in, size_text,
};
use super::{Config, FilesRead, Problem, TagSettings};
use crate::fetch::{
    FetchSettings, NotAProxy, PrivateNetworks, Proxies, Proxy, ProxyLogin, SharedProxy,
};
use crate::host_port::HostPort;
use crate::ledger::LedgerSettings;
use crate::ledger::kafka::settings::{KafkaSettings, Secret, TopicNames};
use crate::ledger::sqlite::SqliteSettings;
use crate::memory::shares::Shares;
use crate::websub::{Key, WebSubSettings};

const fn seconds(min: u64, max: u64) -> RangeInclusive<Duration> {
    Duration::from_secs(min)..=Duration::from_secs(max)
}

const DAY: u64 = 24 * 3600;

/// Below a second is no polling but a load test; above a week a feed has turned over many times.
const INTERVAL_MIN: RangeInclusive<Duration> = seconds(1, 7 * DAY);
/// As `INTERVAL_MIN`; above a month nobody is waiting any more.
const INTERVAL_MAX: RangeInclusive<Duration> = seconds(1, 30 * DAY);
/// Servers ask for minutes to days; a month is a mistake or a ban.
const RETRY_AFTER_MAX: RangeInclusive<Duration> = seconds(60, 30 * DAY);
/// Slow servers need tens of seconds; ten minutes would hold a place from other feeds too long.
const TIMEOUT: RangeInclusive<Duration> = seconds(1, 600);
/// A tenth of a second reaches the other side of the world and no further.
const CONNECT_TIMEOUT: RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(60);
/// The smallest feeds are a KiB; a GiB for each poll in flight is what large machines have.
const BODY_LIMIT: RangeInclusive<u64> = 1024..=1 << 30;
/// Browsers stop at 20; 50 is beyond any chain that ends.
const REDIRECTS: RangeInclusive<i64> = 0..=50;
/// A thousand connections are what a process may open without special limits.
const CONCURRENCY: RangeInclusive<i64> = 1..=1000;
/// More than a few is rude to others' hosts, but one's own may take it.
const HOST_CONCURRENCY: RangeInclusive<i64> = 1..=100;
/// Nought for one's own host; longer than ten minutes is what intervals are for.
const HOST_GAP: RangeInclusive<Duration> = seconds(0, 600);
/// Feeds list tens of entries, sitemaps up to 50000.
const ENTRIES: RangeInclusive<i64> = 1..=100_000;
/// Less than 100 characters is no text; ten million are the longest of books.
const TEXT_CHARS: RangeInclusive<i64> = 100..=10_000_000;
/// Less than an hour would delete what readers have not yet seen; 36500d is a century.
const KEEP_AGE: RangeInclusive<Duration> = seconds(3600, 36_500 * DAY);
/// A database is not smaller than a MiB; 16 TiB is near the largest SQLite can have.
const KEEP_SIZE: RangeInclusive<u64> = 1 << 20..=1 << 44;
/// Less has no room for the smallest feeds; a TiB is more than any machine has for it.
const MEMORY: RangeInclusive<u64> = 64 << 20..=1 << 40;
/// The polls in flight need seconds; service managers kill after minutes.
const DRAIN_TIMEOUT: RangeInclusive<Duration> = seconds(1, 600);
/// A lane on Kafka has one of these to commit what it has; the polls under way have the others.
const PARTS_OF_A_DRAIN: u32 = 4;
/// Looking costs a few system calls a file; what may wait an hour may wait for SIGHUP.
const WATCH: RangeInclusive<Duration> = seconds(1, 3600);
/// A partition, a producer and some ten threads each: more lanes than feeds' hosts help nobody.
const LANES: RangeInclusive<i64> = 1..=256;
/// Nought commits each outcome alone; above ten seconds a reader waits for nothing.
const COMMIT_INTERVAL: RangeInclusive<Duration> = seconds(0, 10);
/// Kafka's own limit for topic names is 249; ids have ".lane.255" added.
const KAFKA_NAME_MAX: usize = 200;
/// Servers refuse longer headers.
const USER_AGENT_BYTES_MAX: usize = 256;

/// The database where its path is not configured.
const DATABASE_NAME: &str = "conflictwire.sqlite";

/// What the configuration is read against.
#[derive(Debug)]
pub(super) struct Surroundings<'a> {
    /// What relative paths start at.
    pub(super) directory: &'a Path,
    /// Where state may live, if anything says.
    pub(super) state_directory: Option<PathBuf>,
    /// Kafka's secrets, as read from their files.
    pub(super) secrets: BTreeMap<String, Secret>,
    /// The environment, for proxies.
    pub(super) environment: &'a Environment,
    /// Users and passwords of proxies, as read from their file.
    pub(super) proxy_logins: BTreeMap<String, ProxyLogin>,
    /// What feeds say in files.
    pub(super) feed_files: &'a FeedFiles,
    /// The admin server's token, as read from its file.
    pub(super) admin_token: Option<TokenDigest>,
    /// WebSub's key, as read from its file.
    pub(super) websub_key: Option<Key>,
    /// `admin.advertise`.
    pub(super) advertise: Option<String>,
}

/// Checks everything; problems go to `problems`, and the configuration may be used only if there
/// are none. `path`, `feeds_from`, `lists`, `admin_token_file`, `traces`, `warnings` and `files` are left empty.
pub(super) fn check(
    raw: &RawConfig,
    lists: &[FeedList],
    tag: TagSettings,
    surroundings: &Surroundings<'_>,
    problems: &mut Vec<Problem>,
) -> Config {
    let main = Origins::default();
    let origins = lists.first().map_or(&main, |list| &list.origins);
    let mut check = Checker { origins, problems };
    let threshold = check.threshold(raw.tag.threshold);
    let fetch = check.fetch(&raw.fetch, surroundings);
    let feed_defaults = check.feed_defaults(raw, fetch.body_limit);
    let concurrency = check.count("fetch.concurrency", raw.fetch.concurrency, &CONCURRENCY);
    let host_concurrency = raw.fetch.host_concurrency;
    let politeness = Politeness {
        host_concurrency: check.count(
            "fetch.host_concurrency",
            host_concurrency,
            &HOST_CONCURRENCY,
        ),
        host_gap: fetch.host_gap,
    };
    let drain_timeout = check.duration("run.drain_timeout", &raw.run.drain_timeout, &DRAIN_TIMEOUT);
    let ledger = check.ledger(raw, drain_timeout, surroundings);
    let admin_listen = check.listen("admin.listen", &raw.admin.listen, "127.0.0.1:9273");
    let websub = check.websub(&raw.websub, admin_listen, surroundings.websub_key.clone());
    let log = check.log(&raw.log.level, &raw.log.format);
    let memory = check.memory(raw, fetch.body_limit);
    let watch = check.watch(&raw.run.watch);
    let list_interval =
        check.duration("schedule.list_interval", &raw.schedule.list_interval, &INTERVAL_MIN);
    let CheckedFeeds { enabled, disabled } =
        check_feeds(lists, surroundings.feed_files, &feed_defaults, problems);
    Config {
        path: None,
        feeds_from: Vec::new(),
        lists: Vec::new(),
        list_interval,
        feeds: enabled,
        disabled,
        feed_defaults,
        fetch,
        concurrency,
        politeness,
        tag: TagSettings { threshold, ..tag },
        ledger,
        admin_listen,
        admin_token: surroundings.admin_token,
        admin_token_file: None,
        websub,
        traces: None,
        log,
        drain_timeout,
        memory,
        watch,
        warnings: Vec::new(),
        files: FilesRead::default(),
    }
}

struct Checker<'a> {
    origins: &'a Origins,
    problems: &'a mut Vec<Problem>,
}

impl Checker<'_> {
    fn report(&mut self, key: &str, text: String) {
        if !self.origins.is_reported(key) {
            self.problems.push(self.origins.problem(key, text));
        }
    }

    /// What was read, or a stand-in and a problem.
    fn or_report<T>(&mut self, key: &str, read: Result<T, impl Display>, stand_in: T) -> T {
        read.unwrap_or_else(|unfit| {
            self.report(key, unfit.to_string());
            stand_in
        })
    }

    fn duration(&mut self, key: &str, text: &str, range: &RangeInclusive<Duration>) -> Duration {
        self.or_report(key, read_duration_in(text, range), *range.start())
    }

    fn count(&mut self, key: &str, given: i64, range: &RangeInclusive<i64>) -> usize {
        let (min, max) = (range.start(), range.end());
        let fits = if range.contains(&given) { usize::try_from(given).ok() } else { None };
        let read = fits.ok_or_else(|| format!("{given} is out of range; use {min} to {max}"));
        self.or_report(key, read, 1)
    }

    fn choice<T: Copy>(&mut self, key: &str, given: &str, known: &[(&str, T)], or: T) -> T {
        let found = known.iter().find(|(name, _)| *name == given).map(|(_, value)| *value);
        let read = found.ok_or_else(|| {
            let names: Vec<String> = known.iter().map(|(name, _)| format!("\"{name}\"")).collect();
            format!("{} is not known; use one of {}", quoted(given), names.join(", "))
        });
        self.or_report(key, read, or)
    }

    fn watch(&mut self, text: &str) -> Option<Duration> {
        (text != "off").then(|| {
            let read =
                read_duration_in(text, &WATCH).map_err(|unfit| format!("{unfit}, or \"off\""));
            self.or_report("run.watch", read, *WATCH.end())
        })
    }

    /// What documents may take; enough for one of the largest.
    fn memory(&mut self, raw: &RawConfig, body_limit: u64) -> u64 {
        let read = read_size_in(&raw.run.memory, &MEMORY);
        let is_right = read.is_ok();
        let memory = self.or_report("run.memory", read, *MEMORY.end());
        let needed = Shares::memory_min(body_limit);
        if is_right && memory < needed && !self.origins.is_reported("fetch.body_limit") {
            let text = format!(
                "{} needs run.memory to be {} or more, and it is {}; lower the one or raise the other",
                size_text(body_limit),
                size_text(needed.next_multiple_of(1 << 20)),
                size_text(memory)
            );
            self.report("fetch.body_limit", text);
        }
        memory
    }

    fn quota(&mut self, raw: &RawSchedule) -> Quota {
        let articles = read_articles_per_day(raw.articles_per_day);
        let bytes = read_size_in(&raw.bytes_per_day, &BYTES_PER_DAY);
        Quota {
            articles: self.or_report("schedule.articles_per_day", articles, 1),
            bytes: self.or_report("schedule.bytes_per_day", bytes, *BYTES_PER_DAY.start()),
        }
    }

    fn feed_defaults(&mut self, raw: &RawConfig, body_limit: u64) -> FeedDefaults {
        let schedule = &raw.schedule;
        let (min_key, max_key) = ("schedule.interval_min", "schedule.interval_max");
        let min = read_duration_in(&schedule.interval_min, &INTERVAL_MIN);
        let max = read_duration_in(&schedule.interval_max, &INTERVAL_MAX);
        // Only if both are right in themselves: one mistake is one problem.
        if let (Ok(min), Ok(max)) = (&min, &max)
            && min > max
            && !self.origins.is_reported(max_key)
        {
            let (given, bound) = (&schedule.interval_min, duration_text(*max));
            let text =
                format!("{given} is longer than {max_key} ({bound}); lower it, or raise {max_key}");
            self.report(min_key, text);
        }
        let interval_min = self.or_report(min_key, min, *INTERVAL_MIN.start());
        let interval_max = self.or_report(max_key, max, *INTERVAL_MAX.end());
        let retry_after_max = &schedule.retry_after_max;
        let backlog = read_backlog(&schedule.backlog);
        let text_chars_max = raw.normalise.text_chars_max;
        FeedDefaults {
            interval_min,
            interval_max,
            retry_after_max: self.duration(
                "schedule.retry_after_max",
                retry_after_max,
                &RETRY_AFTER_MAX,
            ),
            backlog: self.or_report("schedule.backlog", backlog, cw_model::Backlog::All),
            entries_max: self.count("parse.entries_max", raw.parse.entries_max, &ENTRIES),
            text_chars_max: self.count("normalise.text_chars_max", text_chars_max, &TEXT_CHARS),
            body_limit,
            quota: self.quota(schedule),
        }
    }

    fn threshold(&mut self, threshold: f64) -> f64 {
        // Also false for NaN, which TOML can write.
        if (0.0..=1.0).contains(&threshold) {
            return threshold;
        }
        self.report("tag.threshold", format!("{threshold} is out of range; use 0 to 1"));
        0.0
    }

    fn fetch(&mut self, raw: &RawFetch, surroundings: &Surroundings<'_>) -> FetchSettings {
        let timeout = self.duration("fetch.timeout", &raw.timeout, &TIMEOUT);
        let key = "fetch.connect_timeout";
        let connect_timeout = self.duration(key, &raw.connect_timeout, &CONNECT_TIMEOUT);
        let body_limit = read_size_in(&raw.body_limit, &BODY_LIMIT);
        FetchSettings {
            timeout,
            connect_timeout,
            host_gap: self.duration("fetch.host_gap", &raw.host_gap, &HOST_GAP),
            body_limit: self.or_report("fetch.body_limit", body_limit, *BODY_LIMIT.start()),
            redirects_max: self.count("fetch.redirects_max", raw.redirects_max, &REDIRECTS),
            user_agent: self.user_agent(&raw.user_agent, &raw.contact),
            private_networks: self.private_networks(&raw.allow_private_networks),
            resolve: self.resolve(&raw.resolve),
            proxies: Proxies {
                shared: self.proxy(&raw.proxy, surroundings.environment),
                logins: surroundings.proxy_logins.clone(),
            },
        }
    }

    fn proxy(&mut self, text: &str, environment: &Environment) -> SharedProxy {
        let read = match text {
            "off" => return SharedProxy::Direct,
            "environment" => environment
                .proxies()
                .map(SharedProxy::Environment)
                .map_err(|name| format!("the variable {name} of the environment {NotAProxy}")),
            text => Proxy::read(text).map(SharedProxy::One).map_err(|no| {
                // Not shown if it holds a password.
                let given = if text.contains('@') { "the text".to_owned() } else { quoted(text) };
                format!("{given} {no}, or \"off\", or \"environment\"")
            }),
        };
        self.or_report("fetch.proxy", read, SharedProxy::Direct)
    }

    fn user_agent(&mut self, name: &str, contact: &str) -> String {
        let is_header = |text: &str| text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        let wanted = format!("use at most {USER_AGENT_BYTES_MAX} printable ASCII characters");
        if !is_header(name) || name.len() > USER_AGENT_BYTES_MAX {
            self.report("fetch.user_agent", format!("{} is no header; {wanted}", quoted(name)));
        }
        let is_address = contact.is_empty() || is_contact(contact);
        if !is_address || !is_header(contact) || contact.len() > USER_AGENT_BYTES_MAX {
            let text = format!(
                "{} is no address; use one such as \"https://example.org/about\" or \
                 \"ada@example.org\"",
                quoted(contact)
            );
            self.report("fetch.contact", text);
        }
        let ours = concat!("conflictwire/", env!("CARGO_PKG_VERSION"));
        let name = if name.trim().is_empty() { ours } else { name.trim() };
        match contact {
            "" => name.to_owned(),
            contact => format!("{name} (+{contact})"),
        }
    }

    fn private_networks(&mut self, raw: &RawPrivateNetworks) -> PrivateNetworks {
        let (networks, problems) = read_networks(raw);
        for (index, text) in problems {
            self.report(&format!("fetch.allow_private_networks[{index}]"), text);
        }
        networks
    }

    fn resolve(&mut self, raw: &BTreeMap<String, String>) -> BTreeMap<String, IpAddr> {
        let mut read = BTreeMap::new();
        for (name, address) in raw {
            // As the walk writes it, so that the line is found.
            let key = super::walk::child_path("fetch.resolve", name);
            let host = match Host::parse(name) {
                Ok(Host::Domain(host)) => host,
                Ok(Host::Ipv4(_) | Host::Ipv6(_)) | Err(_) => {
                    let text = format!("{} is no host name; use the name alone", quoted(name));
                    self.report(&key, text);
                    continue;
                }
            };
            match address.parse() {
                Ok(address) => {
                    read.insert(host, address);
                }
                Err(_not_an_address) => {
                    let given = quoted(address);
                    let text = format!("{given} is no IP address; use for example \"127.0.0.1\"");
                    self.report(&key, text);
                }
            }
        }
        read
    }

    fn ledger(
        &mut self,
        raw: &RawConfig,
        drain_timeout: Duration,
        surroundings: &Surroundings<'_>,
    ) -> LedgerSettings {
        // The tables are checked whatever the kind, so that a change of kind brings no surprise.
        let kafka = self.kafka(&raw.kafka, drain_timeout, surroundings);
        let (keep_age, keep_bytes) = self.retention(&raw.sqlite);
        match raw.ledger.kind.as_str() {
            "sqlite" => {
                let path = self.database(&raw.sqlite.path, surroundings);
                LedgerSettings::Sqlite(SqliteSettings { path, keep_age, keep_bytes })
            }
            "kafka" => LedgerSettings::Kafka(Box::new(kafka)),
            "json_lines" => LedgerSettings::JsonLines,
            other => {
                let given = quoted(other);
                let text =
                    format!("{given} is not known; use \"sqlite\", \"kafka\" or \"json_lines\"");
                self.report("ledger.kind", text);
                LedgerSettings::JsonLines
            }
        }
    }

    fn kafka(
        &mut self,
        raw: &RawKafka,
        drain_timeout: Duration,
        surroundings: &Surroundings<'_>,
    ) -> KafkaSettings {
        if raw.brokers.is_empty() {
            let text = "empty; where Kafka answers, for example [\"127.0.0.1:9092\"]";
            self.report("kafka.brokers", text.to_owned());
        }
        for (index, broker) in raw.brokers.iter().enumerate() {
            if HostPort::parse(broker).is_none() {
                let text = format!(
                    "{} is no host and port; use for example \"127.0.0.1:9092\"",
                    quoted(broker)
                );
                self.report(&format!("kafka.brokers[{index}]"), text);
            }
        }
        let topics = [
            ("articles", &raw.topics.articles),
            ("conflict", &raw.topics.conflict),
            ("rejects", &raw.topics.rejects),
            ("state", &raw.topics.state),
        ];
        self.kafka_name("kafka.deployment", &raw.deployment);
        for (index, (key, name)) in topics.iter().enumerate() {
            let key = format!("kafka.topics.{key}");
            self.kafka_name(&key, name);
            if topics.iter().take(index).any(|(_, earlier)| earlier == name) {
                let text = format!("{} is another topic already; each has its own", quoted(name));
                self.report(&key, text);
            }
        }
        let partition_by = [("lane", PartitionBy::Lane), ("key", PartitionBy::Key)];
        let interval = &raw.commit_interval;
        KafkaSettings {
            brokers: raw.brokers.clone(),
            deployment: raw.deployment.clone(),
            lanes: u32::try_from(self.count("kafka.lanes", raw.lanes, &LANES)).unwrap_or(1),
            commit_interval: self.duration("kafka.commit_interval", interval, &COMMIT_INTERVAL),
            leave_patience: drain_timeout / PARTS_OF_A_DRAIN,
            partition_by: self.choice(
                "kafka.partition_by",
                &raw.partition_by,
                &partition_by,
                PartitionBy::Lane,
            ),
            topics: TopicNames {
                articles: raw.topics.articles.clone(),
                conflict: raw.topics.conflict.clone(),
                rejects: raw.topics.rejects.clone(),
                state: raw.topics.state.clone(),
            },
            properties: raw.properties.clone(),
            secrets: surroundings.secrets.clone(),
            advertise: surroundings.advertise.clone(),
        }
    }

    fn kafka_name(&mut self, key: &str, name: &str) {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let fits = !name.is_empty() && name.len() <= KAFKA_NAME_MAX && name.chars().all(plain);
        // Kafka refuses these two: they would be directories.
        if !fits || matches!(name, "." | "..") {
            let given = quoted(name);
            self.report(
                key,
                format!(
                    "{given} is not 1 to 200 characters of a-z, A-Z, 0-9, \".\", \"_\" and \"-\""
                ),
            );
        }
    }

    /// How long and how much the SQLite ledger keeps.
    fn retention(&mut self, sqlite: &RawSqlite) -> (Option<Duration>, Option<u64>) {
        let keep_age = match sqlite.keep_age.as_str() {
            "forever" => None,
            text => {
                let read = read_duration_in(text, &KEEP_AGE)
                    .map_err(|problem| format!("{problem}, or \"forever\""));
                Some(self.or_report("sqlite.keep_age", read, *KEEP_AGE.end()))
            }
        };
        let keep_bytes = match sqlite.keep_size.as_str() {
            "unlimited" => None,
            text => {
                let read = read_size_in(text, &KEEP_SIZE)
                    .map_err(|problem| format!("{problem}, or \"unlimited\""));
                Some(self.or_report("sqlite.keep_size", read, *KEEP_SIZE.end()))
            }
        };
        (keep_age, keep_bytes)
    }

    fn database(&mut self, path: &str, surroundings: &Surroundings<'_>) -> PathBuf {
        if !path.is_empty() {
            return surroundings.directory.join(path);
        }
        let Some(directory) = &surroundings.state_directory else {
            let text = "empty, and none of $STATE_DIRECTORY, $XDG_STATE_HOME and $HOME is set; \
                        name the file";
            self.report("sqlite.path", text.to_owned());
            return PathBuf::new();
        };
        directory.join(DATABASE_NAME)
    }

    /// Where hubs call; `None` if they are not asked to.
    fn websub(
        &mut self,
        raw: &RawWebSub,
        admin: Option<SocketAddr>,
        key: Option<Key>,
    ) -> Option<WebSubSettings> {
        let listen = self.listen("websub.listen", &raw.listen, "127.0.0.1:9103");
        for (key, unfit) in callback::problems(raw, listen, admin) {
            self.report(key, unfit.to_string());
        }
        Some(WebSubSettings {
            listen: listen?,
            callback: read_callback(&raw.callback).ok()?,
            key: key?,
        })
    }

    fn listen(&mut self, key: &str, text: &str, example: &str) -> Option<SocketAddr> {
        if text == "off" {
            return None;
        }
        let read = text.parse().map_err(|_not_an_address| {
            let given = quoted(text);
            format!(
                "{given} is no IP address with a port; use for example \"{example}\", or \"off\""
            )
        });
        self.or_report(key, read.map(Some), None)
    }

    fn log(&mut self, level: &str, format: &str) -> LogSettings {
        let levels = LogSettings::LEVELS;
        let info = LogSettings::LEVEL;
        LogSettings {
            level: self.choice("log.level", level, &levels, info),
            format: self.choice("log.format", format, &LOG_FORMATS, LogFormat::Auto),
        }
    }
}

/// The forms of log lines by name.
const LOG_FORMATS: [(&str, LogFormat); 3] =
    [("auto", LogFormat::Auto), ("text", LogFormat::Text), ("json", LogFormat::Json)];

/// The `[log]` table, with the defaults in the place of what is no name.
pub(super) fn log_settings(raw: &RawLog) -> LogSettings {
    let level = LogSettings::LEVELS.iter().find(|(name, _)| *name == raw.level);
    let format = LOG_FORMATS.iter().find(|(name, _)| *name == raw.format);
    LogSettings {
        level: level.map_or(LogSettings::LEVEL, |(_, level)| *level),
        format: format.map_or(LogFormat::Auto, |(_, format)| *format),
    }
}

/// Whether people can be reached there.
fn is_contact(text: &str) -> bool {
    let is_web =
        Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https" | "mailto"));
    let is_mail = text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && host.contains('.') && !text.contains([' ', '(', ')'])
    });
    is_web || is_mail
}
