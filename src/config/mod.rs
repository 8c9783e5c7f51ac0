//! Configuration: one TOML file and the environment, checked once, every problem at once.
//!
//! `read` and `walk` take a document to its raw form, `check` takes the raw form to [`Config`]; a
//! problem on the way is collected and the rest goes on. This file finds and reads the files.
//! Precedence: defaults, then the file, then the environment.

mod advertise;
mod callback;
mod check;
mod environment;
mod feed_url;
mod feeds;
mod files_read;
mod label;
mod list_forms;
mod lists;
mod logins;
mod networks;
mod opml;
mod origin;
mod raw;
mod read;
mod requests;
mod secrets;
mod telemetry;
mod token;
mod units;
mod walk;
mod warn;

use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cw_code::{Source, Sources, Tagger};
use cw_decide::schedule::queue::Politeness;
use cw_model::Feed;
use cw_status::LogSettings;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use self::advertise::read_advertise;
use self::check::Surroundings;
pub use self::environment::Environment;
#[cfg(feature = "fault-points")]
pub use self::environment::fault_spec;
use self::feeds::FeedList;
pub use self::feeds::{
    FEEDS_MAX, FeedDefaults, ImportedFeeds, export_opml, feed_table, import_opml, read_feed,
    read_feeds, read_list,
};
pub use self::files_read::FilesRead;
pub use self::list_forms::ListForm;
use self::list_forms::is_url;
use self::lists::Instead;
pub use self::lists::{ListByUrl, load_trying};
use self::origin::Origins;
use self::raw::RawTag;
pub use self::raw::{RawConfig, RawFeed, RawFeeds, schema};
use self::read::TomlReader;
pub use self::token::{NotAToken, TokenDigest};
pub use self::units::{Unfit, duration_text, read_duration, size_text};
use crate::fetch::FetchSettings;
use crate::ledger::LedgerSettings;
use crate::traces::TraceSettings;
use crate::websub::{Key, WebSubSettings};

/// From what this program was built; set by deploy/release.sh where there is a repository.
pub const REVISION: Option<&str> = option_env!("CONFLICTWIRE_REVISION");

/// What the file is called where nobody names it.
pub const CONFIG_FILE: &str = "conflictwire.toml";

/// Where the file is looked for if nobody says where it is.
const PATHS: [&str; 2] = ["config/conflictwire.toml", "/etc/conflictwire/conflictwire.toml"];

/// What a problem names as its file if there is none.
const NO_FILE: &str = "the defaults";

/// The largest file that is read: [`FEEDS_MAX`] feeds with everything that can be said of one.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// The most files of one folder that `feeds_from` names: one for each team or publisher, not for each feed.
const FOLDER_FILES_MAX: usize = 1000;

/// A checked configuration: after this nothing is checked again and nothing falls back silently.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file it came from; `None` if only defaults and the environment speak.
    pub path: Option<PathBuf>,
    /// The files of feeds (`feeds_from`), those of folders among them.
    pub feeds_from: Vec<PathBuf>,
    /// The lists that `feeds_from` names by URL.
    pub lists: Vec<ListByUrl>,
    /// How often those are asked for (`schedule.list_interval`).
    pub list_interval: Duration,
    /// Every feed to poll, each id once.
    pub feeds: Vec<Feed>,
    /// Those that are listed and not polled (`enabled = false`).
    pub disabled: Vec<Feed>,
    /// What a feed is that the configuration does not know.
    pub feed_defaults: FeedDefaults,
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
    /// What `admin.token_file` holds; `None` if there is none.
    pub admin_token: Option<TokenDigest>,
    /// Where `admin.token_file` is.
    pub admin_token_file: Option<PathBuf>,
    /// `[websub]`; `None` if switched off.
    pub websub: Option<WebSubSettings>,
    /// `[telemetry]`; `None` if switched off.
    pub traces: Option<TraceSettings>,
    /// `[log]`.
    pub log: LogSettings,
    /// How long a drain may take (`run.drain_timeout`).
    pub drain_timeout: Duration,
    /// What documents may take, bytes (`run.memory`).
    pub memory: u64,
    /// How often the files are looked at for changes (`run.watch`); `None`: never.
    pub watch: Option<Duration>,
    /// What works and is perhaps not what was meant.
    pub warnings: Vec<Problem>,
    /// What it was read from.
    pub files: FilesRead,
}

impl Config {
    /// Itself, if it has feeds: without any there is nothing to poll. A list that was not fetched yet may have some.
    ///
    /// # Errors
    /// [`ConfigError`], which says how to add one.
    pub fn with_feeds(self) -> Result<Self, ConfigError> {
        if !self.feeds.is_empty() || self.unfetched().next().is_some() {
            return Ok(self);
        }
        let (file, key, text) = match &self.path {
            Some(path) if !self.disabled.is_empty() => (
                path.display().to_string(),
                "feed".to_owned(),
                "every feed is disabled, so there is nothing to poll; enable one with \
                 `conflictwire feeds enable ID`"
                    .to_owned(),
            ),
            Some(path) => (
                path.display().to_string(),
                "feed".to_owned(),
                "no feed is configured, so there is nothing to poll; add one with \
                 `conflictwire feeds add URL`, list files in feeds_from, or try `conflictwire demo`"
                    .to_owned(),
            ),
            None => ("the configuration".to_owned(), String::new(), no_file_text()),
        };
        Err(ConfigError(vec![Problem { file, line: None, key, text }]))
    }

    /// The lists by URL that were never fetched; their feeds are missing.
    pub fn unfetched(&self) -> impl Iterator<Item = &ListByUrl> {
        self.lists.iter().filter(|list| list.feeds.is_none())
    }
}

/// The `[tag]` table, checked, its files read.
#[derive(Clone, Debug)]
pub struct TagSettings {
    /// Least score of a tag that makes an article relevant.
    pub threshold: f64,
    /// Taxonomy, lexicons and actors, built in or from the files that `[tag]` names.
    pub sources: Sources,
}

/// A TOML document that is no configuration, read in the same way.
#[derive(Clone, Debug)]
pub struct Document<T> {
    /// What fits.
    pub raw: T,
    /// What does not.
    pub problems: Vec<Problem>,
    origins: Origins,
}

impl<T: JsonSchema + DeserializeOwned + Default> Document<T> {
    /// Reads it against the schema of `T`.
    pub fn read(file: &str, bytes: &[u8]) -> Self {
        let mut reader = TomlReader::new::<T>(file);
        reader.read_bytes(bytes);
        let (raw, origins, problems) = reader.finish();
        Self { raw, problems, origins }
    }
}

impl<T> Document<T> {
    /// A problem of a key (`case[3].tags`), unless that has one already.
    pub fn problem(&self, key: &str, text: String) -> Option<Problem> {
        (!self.origins.is_reported(key)).then(|| self.origins.problem(key, text))
    }

    /// The line, from 1, in which a key was set, or what it belongs to.
    pub fn line(&self, key: &str) -> Option<usize> {
        self.origins.line(key)
    }
}

/// A mistake in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, or "environment".
    pub file: String,
    /// The line in the file, from 1, if it is known.
    pub line: Option<usize>,
    /// The key (`feed[12].url`), or the variable; empty if the file as a whole is wrong.
    pub key: String,
    /// The value, what is allowed, the fix: the sentence after the key.
    pub text: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if self.key.is_empty() {
            write!(f, ": {}", self.text)
        } else {
            write!(f, ": {}: {}", self.key, self.text)
        }
    }
}

/// Every problem of a configuration, at once. Commands map it to exit code 78.
#[derive(Debug, thiserror::Error)]
#[error("{} {} in the configuration", .0.len(), if .0.len() == 1 { "problem" } else { "problems" })]
pub struct ConfigError(pub Vec<Problem>);

/// Why a configuration is refused, in a sentence.
pub fn in_a_sentence(problems: &[String]) -> String {
    match problems {
        [] => "it is not known why".to_owned(),
        [only] => only.clone(),
        [first, more @ ..] => format!("{first}; and {} more", more.len()),
    }
}

/// Finds, reads and checks the configuration: defaults, then the file, then the environment.
///
/// # Errors
/// [`ConfigError`] with every problem.
pub fn load(path: Option<&Path>) -> Result<Config, ConfigError> {
    load_noting(path, &FilesRead::default())
}

/// As [`load`]; `files` learns what is read, whatever comes of it.
///
/// # Errors
/// [`ConfigError`] with every problem.
pub fn load_noting(path: Option<&Path>, files: &FilesRead) -> Result<Config, ConfigError> {
    let environment = Environment::of_process();
    load_with(find(path).as_deref(), &environment, Sources::built_in(), files, None)
}

/// As [`load`], but from exactly this file, or none, and with these variables.
///
/// # Errors
/// [`ConfigError`] with every problem.
pub fn load_from(path: Option<&Path>, environment: &Environment) -> Result<Config, ConfigError> {
    load_with(path, environment, Sources::built_in(), &FilesRead::default(), None)
}

/// As [`load`], but as if the file named this ledger: its table is read whichever is named.
///
/// # Errors
/// [`ConfigError`] with every problem.
pub fn load_with_ledger(path: Option<&Path>, kind: &str) -> Result<Config, ConfigError> {
    let environment = Environment::of_process().with("ledger.kind", kind);
    load_from(find(path).as_deref(), &environment)
}

/// How lines are to look, as far as a configuration says that may have mistakes in other places.
pub fn log_settings(path: Option<&Path>) -> LogSettings {
    let environment = Environment::of_process();
    let found = find(path);
    let mut reader = TomlReader::new::<RawConfig>(NO_FILE);
    if let Some(Ok(bytes)) = found.as_deref().map(|path| read_file(path, &FilesRead::default())) {
        reader.read_bytes(&bytes);
    }
    reader.read_environment(&environment);
    let (raw, _, _) = reader.finish::<RawConfig>();
    check::log_settings(&raw.log)
}

/// That there is no file, where it was looked for, and what writes one.
pub fn no_file_text() -> String {
    let [here, system] = PATHS;
    format!(
        "there is no configuration at ./{here} or {system}; write one with `conflictwire init`, name one \
         with --config, or try `conflictwire demo`, which needs none"
    )
}

/// Whether a file is the one that is read in this folder if nobody names one.
pub fn is_found_without_being_named(path: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    find(None).is_some_and(|found| real(&found) == real(path))
}

fn find(path: Option<&Path>) -> Option<PathBuf> {
    path.map(Path::to_owned).or_else(|| PATHS.iter().map(PathBuf::from).find(|path| path.exists()))
}

fn load_with(
    path: Option<&Path>,
    environment: &Environment,
    built_in: Sources,
    read: &FilesRead,
    instead: Option<Instead<'_>>,
) -> Result<Config, ConfigError> {
    let file = path.map_or_else(|| NO_FILE.to_owned(), |path| path.display().to_string());
    let mut reader = TomlReader::new::<RawConfig>(&file);
    if let Some(path) = path {
        match read_file(path, read) {
            Ok(bytes) => reader.read_bytes(&bytes),
            // Everything else would be measured against a file that was not read.
            Err(error) => {
                let (key, text) = (String::new(), error.to_string());
                return Err(ConfigError(vec![Problem { file, line: None, key, text }]));
            }
        }
    }
    reader.read_environment(environment);
    let (raw, origins, mut problems) = reader.finish::<RawConfig>();
    let directory = path.and_then(Path::parent).unwrap_or(Path::new("")).to_owned();
    let state_directory = environment.state_directory();
    let beside = beside_database(&raw.sqlite.path, &directory);
    let kept_lists = beside.as_deref().or(state_directory.as_deref());
    let files = Files { directory: &directory, origins: &origins, read, kept_lists, instead };
    let own = FeedList::new(ListForm::Toml, raw.feed.clone(), origins.clone());
    let FeedsFrom { files: of_files, by_url } = files.feeds_from(&raw.feeds_from, &mut problems);
    let files_of_feeds = of_files.iter().map(|list| PathBuf::from(list.origins.file())).collect();
    let (by_url, of_urls): (Vec<_>, Vec<_>) = by_url.into_iter().unzip();
    let lists: Vec<FeedList> =
        [own].into_iter().chain(of_files).chain(of_urls.into_iter().flatten()).collect();
    let tag = files.tag_settings(&raw.tag, built_in, &mut problems);
    files.properties(&raw.kafka, &mut problems);
    let secrets = files.secrets(&raw.kafka, &mut problems);
    let named = ("websub.key_file", raw.websub.key_file.as_str());
    let websub_key = files.secret(named, Key::read, &mut problems);
    let named = ("admin.token_file", raw.admin.token_file.as_str());
    let admin_token = files.secret(named, TokenDigest::read, &mut problems);
    let of_files = lists.iter().filter(|list| !list.is_by_url);
    let feed_files = files.of_feeds(of_files.flat_map(|list| &list.feeds));
    let proxy_logins = files.proxy_logins(&raw.fetch.proxy_logins, &mut problems);
    let advertise = read_advertise(&raw.admin).unwrap_or_else(|unfit| {
        problems.push(origins.problem("admin.advertise", unfit.to_string()));
        None
    });
    let traces = telemetry::read(&raw.telemetry, environment, &origins, &mut problems);
    let surroundings = Surroundings {
        directory: &directory,
        state_directory: state_directory.clone(),
        secrets,
        environment,
        proxy_logins,
        feed_files: &feed_files,
        admin_token,
        websub_key,
        advertise,
    };
    let config = check::check(&raw, &lists, tag, &surroundings, &mut problems);
    if problems.is_empty() {
        let token_file = Some(&raw.admin.token_file).filter(|name| !name.is_empty());
        let secrets = files.secret_files(&raw);
        let named = (&origins, raw.feeds_from.as_slice());
        let contact = &raw.fetch.contact;
        let warnings = warn::warnings(&config, contact, &secrets, environment, named, &lists);
        return Ok(Config {
            path: path.map(Path::to_owned),
            feeds_from: files_of_feeds,
            lists: by_url,
            admin_token_file: token_file.map(|name| directory.join(name)),
            traces,
            warnings: [warnings, warn::open_headers(&feed_files, &lists)].concat(),
            files: read.clone(),
            ..config
        });
    }
    sort(&mut problems);
    Err(ConfigError(problems))
}

/// The folder of the database, if one is named: every user's commands find the same there.
fn beside_database(path: &str, directory: &Path) -> Option<PathBuf> {
    Some(path).filter(|path| !path.is_empty())?;
    directory.join(path).parent().map(Path::to_owned)
}

/// Puts the problems of each file together, files in the order they came up, and by line.
fn sort(problems: &mut [Problem]) {
    let mut files: Vec<String> = Vec::new();
    for problem in problems.iter() {
        if !files.contains(&problem.file) {
            files.push(problem.file.clone());
        }
    }
    problems
        .sort_by_key(|problem| (files.iter().position(|file| *file == problem.file), problem.line));
}

/// Why a file that a person named is not read.
#[derive(Debug, thiserror::Error)]
enum FileError {
    #[error("cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    #[error("is larger than {}; split it", size_text(FILE_BYTES_MAX))]
    TooLarge,
    #[error("has more than {FOLDER_FILES_MAX} files of feeds; put them into fewer")]
    TooMany,
}

/// Reads a file that a person named.
///
/// # Errors
/// What is wrong with it.
fn read_file(path: &Path, files: &FilesRead) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    let read = || std::fs::File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes);
    files.note(path, read)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= FILE_BYTES_MAX) {
        Ok(bytes)
    } else {
        Err(FileError::TooLarge)
    }
}

/// The files of feeds in a folder, by name; `None` if it is no folder. Hidden files are left out, and
/// editors' copies and whatever else has another ending.
///
/// # Errors
/// What the system says, or that they are too many.
fn files_in(path: &Path, files: &FilesRead) -> Result<Option<Vec<PathBuf>>, FileError> {
    let list = || -> Result<Option<Vec<PathBuf>>, FileError> {
        if !path.is_dir() {
            return Ok(None);
        }
        let mut found = Vec::new();
        for entry in std::fs::read_dir(path)? {
            let name = entry?.file_name();
            let shown = name.to_string_lossy();
            let is_list = |ending: &&str| shown.to_ascii_lowercase().ends_with(*ending);
            let endings = [".toml", ".opml", ".xml", ".json"];
            if shown.starts_with('.') || !endings.iter().any(is_list) {
                continue;
            }
            found.push(path.join(&name));
            if found.len() > FOLDER_FILES_MAX {
                return Err(FileError::TooMany);
            }
        }
        found.sort();
        Ok(Some(found))
    };
    files.note(path, list)
}

/// The files that the configuration file names.
struct Files<'a> {
    directory: &'a Path,
    origins: &'a Origins,
    /// Learns which are read.
    read: &'a FilesRead,
    /// Where lists by URL are kept, if anywhere.
    kept_lists: Option<&'a Path>,
    /// What is read in the place of one of those.
    instead: Option<Instead<'a>>,
}

/// What `feeds_from` comes to.
#[derive(Debug, Default)]
struct FeedsFrom {
    /// Those of files; folders are the files in them.
    files: Vec<FeedList>,
    /// Those that are named by URL, each with what was read of it.
    by_url: Vec<(ListByUrl, Option<FeedList>)>,
}

impl Files<'_> {
    /// Reads a file named by `key`; `None`, and a problem, if that is not possible.
    fn read(
        &self,
        key: &str,
        name: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<(String, Vec<u8>)> {
        if self.origins.is_reported(key) {
            return None;
        }
        let path = self.directory.join(name);
        let bytes = self.or_report(key, &path, read_file(&path, self.read), problems)?;
        Some((path.display().to_string(), bytes))
    }

    /// What was read; `None`, and a problem, if that was not possible.
    fn or_report<T>(
        &self,
        key: &str,
        path: &Path,
        read: Result<T, FileError>,
        problems: &mut Vec<Problem>,
    ) -> Option<T> {
        let report = |error| {
            let text = format!("\"{}\" {error}", path.display());
            problems.push(self.origins.problem(key, text));
        };
        read.map_err(report).ok()
    }

    fn feeds_from(&self, names: &[String], problems: &mut Vec<Problem>) -> FeedsFrom {
        let mut lists = FeedsFrom::default();
        for (index, name) in names.iter().enumerate() {
            let key = format!("feeds_from[{index}]");
            if self.origins.is_reported(&key) {
                continue;
            }
            if is_url(name) {
                lists.by_url.extend(self.list_by_url(&key, name, problems));
                continue;
            }
            let path = self.directory.join(name);
            let folder = self.or_report(&key, &path, files_in(&path, self.read), problems);
            for path in folder.map_or_else(Vec::new, |files| files.unwrap_or_else(|| vec![path])) {
                let read = read_file(&path, self.read);
                let Some(bytes) = self.or_report(&key, &path, read, problems) else { continue };
                let (list, mut found) = FeedList::read(&path.display().to_string(), &bytes);
                problems.append(&mut found);
                lists.files.push(list);
            }
        }
        lists
    }

    /// What is built in, with the files of the configuration in their places.
    fn tag_settings(
        &self,
        raw: &RawTag,
        mut sources: Sources,
        problems: &mut Vec<Problem>,
    ) -> TagSettings {
        if !raw.taxonomy.is_empty() {
            let written = self.source("tag.taxonomy", &raw.taxonomy, problems);
            sources.taxonomy = written.unwrap_or(sources.taxonomy);
        }
        let mut read = |key: &str, names: &[String]| -> Vec<Source> {
            let numbered = names.iter().enumerate();
            let read = numbered.filter_map(|(index, name)| {
                self.source(&format!("tag.{key}[{index}]"), name, problems)
            });
            read.collect()
        };
        sources.replace_lexicons(read("lexicons", &raw.lexicons));
        sources.actors.extend(read("actors", &raw.actors));
        let is_ours = raw.taxonomy.is_empty() && raw.lexicons.is_empty() && raw.actors.is_empty();
        // The built-in ones are held right by their own tests.
        if !is_ours && let Err(found) = Tagger::new(&sources, 0.5) {
            problems.extend(found.into_iter().map(|problem| Problem {
                file: problem.file,
                line: problem.line,
                key: String::new(),
                text: problem.detail,
            }));
        }
        TagSettings { threshold: raw.threshold, sources }
    }

    fn source(&self, key: &str, name: &str, problems: &mut Vec<Problem>) -> Option<Source> {
        let (name, bytes) = self.read(key, name, problems)?;
        match String::from_utf8(bytes) {
            Ok(text) => Some(Source { name, text }),
            Err(_not_utf8) => {
                let text = format!("\"{name}\" is not UTF-8; save it in that encoding");
                problems.push(self.origins.problem(key, text));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
