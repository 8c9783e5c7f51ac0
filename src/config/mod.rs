//! Configuration: one TOML file and the environment, checked once, every problem at once.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::commit::LedgerSettings;
use crate::fetch::FetchSettings;
use crate::model::Feed;
use crate::schedule::queue::Politeness;
use crate::tag::Source;

/// A checked configuration: after this nothing is checked again and nothing falls back silently.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file it came from; `None` if only defaults and the environment speak.
    pub path: Option<PathBuf>,
    /// Every feed, each id once.
    pub feeds: Vec<Feed>,
    /// `[fetch]`.
    pub fetch: FetchSettings,
    /// Polls in flight at once (`fetch.concurrency`).
    pub concurrency: usize,
    /// `fetch.host_concurrency`, `fetch.host_gap`.
    pub politeness: Politeness,
    /// `[tag]`.
    pub tag: TagSettings,
    /// `[ledger]`, `[sqlite]`, …
    pub ledger: LedgerSettings,
    /// `admin.listen`; `None` if switched off.
    pub admin_listen: Option<SocketAddr>,
    /// `[log]`.
    pub log: LogSettings,
    /// How long a drain may take (`run.drain_timeout`).
    pub drain_timeout: Duration,
}

/// The `[tag]` table, checked, its files read.
#[derive(Clone, Debug)]
pub struct TagSettings {
    /// Least score of a tag that makes an article relevant.
    pub threshold: f64,
    /// The taxonomy, built in or from `tag.taxonomy`.
    pub taxonomy: Source,
    /// The lexicons, built in or from `tag.lexicons`.
    pub lexicons: Vec<Source>,
}

/// The `[log]` table, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// Least level written.
    pub level: tracing::level_filters::LevelFilter,
    /// How lines look.
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// A mistake in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, or "environment".
    pub file: String,
    /// The key ("feeds[12].url"); empty if the file as a whole is wrong.
    pub key: String,
    /// The value, what is allowed, the fix: the sentence after the key.
    pub text: String,
}

/// Every problem of a configuration, at once. Commands map it to exit code 78.
#[derive(Debug, thiserror::Error)]
#[error("{} in the configuration", .0.len())]
pub struct ConfigError(pub Vec<Problem>);

/// Finds, reads and checks the configuration: defaults, then the file, then the environment.
///
/// # Errors
/// [`ConfigError`] with every problem.
pub fn load(_path: Option<&Path>) -> Result<Config, ConfigError> {
    unimplemented!()
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}
impl Config {
    /// u
    pub fn unlisted_feed(&self) -> Feed {
        unimplemented!()
    }
}
