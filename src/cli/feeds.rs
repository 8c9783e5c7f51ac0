//! Lists, adds, explains and exchanges feeds.
//!
//! Files of feeds belong to their owner: feeds are appended as text, nothing else in them is
//! touched.

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};
use anyhow::{Context as _, bail};
use clap::Subcommand;

use super::Exit;
use super::check::{counted, print_problems, print_table, progress};
use crate::clock::Clock;
use crate::commit::sqlite::read::{ReadError, Reader};
use crate::commit::{LedgerSettings, States};
use crate::config::{
    self, Config, ListForm, RawFeed, duration_text, export_opml, feed_table, import_opml,
};
use crate::model::{Feed, FeedId, Timestamp};
use crate::state::{FeedState, Standing};

/// What a problem names as its file if the command line is wrong.
const COMMAND_LINE: &str = "the command line";

/// Lists, adds, explains and exchanges feeds.
#[derive(Debug, clap::Args)]
pub struct FeedsArgs {
    #[command(subcommand)]
    command: FeedsCommand,
}

#[derive(Debug, Subcommand)]
enum FeedsCommand {
    /// List the configured feeds and how they stand
    List,
    /// Add a feed to a file of feeds
    Add(AddArgs),
    /// Say why a feed is polled when it is
    Explain {
        /// The feed's id
        id: String,
    },
    /// Add the feeds of an OPML file, each once
    Import {
        /// The OPML file, as feed readers export it
        file: PathBuf,
        /// The file of feeds they are added to [default: the first of feeds_from]
        #[arg(long, value_name = "FILE")]
        into: Option<PathBuf>,
    },
    /// Print the configured feeds as OPML
    Export,
}

#[derive(Debug, clap::Args)]
struct AddArgs {
    /// Where the feed is
    url: String,
    /// What its state is kept under [default: made from host and path]
    #[arg(long)]
    id: Option<String>,
    /// Who publishes it
    #[arg(long)]
    publisher: Option<String>,
    /// Where the publisher is: ISO 3166-1 alpha-2
    #[arg(long)]
    country: Option<String>,
    /// The language it is in: BCP 47
    #[arg(long)]
    language: Option<String>,
    /// The file of feeds it is added to [default: the first of feeds_from]
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// What stopped it, for a person.
pub fn run(args: &FeedsArgs, config: Option<&Path>) -> anyhow::Result<Exit> {
    let config = config::load(config)?;
    match &args.command {
        FeedsCommand::List => list(&config),
        FeedsCommand::Add(args) => add(args, &config),
        FeedsCommand::Explain { id } => explain(id, &config),
        FeedsCommand::Import { file, into } => import(file, into.as_deref(), &config),
        FeedsCommand::Export => {
            let text = export_opml(&config.feeds, &config.feed_defaults);
            anstream::stdout().write_all(text.as_bytes())?;
            Ok(Exit::Fine)
        }
    }
}

/// The state of each feed, read beside a daemon that may be running; empty if there is none.
///
/// # Errors
/// The database is there and is not read.
fn states(config: &Config) -> anyhow::Result<States> {
    match &config.ledger {
        LedgerSettings::Sqlite(settings) => match Reader::open(&settings.path) {
            Ok(reader) => Ok(reader.states()?),
            // Nothing has been polled yet.
            Err(ReadError::Missing { .. }) => Ok(States::new()),
            Err(error) => Err(error.into()),
        },
        LedgerSettings::JsonLines => Ok(States::new()),
    }
}

fn list(config: &Config) -> anyhow::Result<Exit> {
    if config.feeds.is_empty() {
        anstream::eprintln!("no feed is configured; add one with `conflictwire feeds add URL`");
        return Ok(Exit::Fine);
    }
    let states = states(config)?;
    let now = Clock::System.now();
    let row = |feed: &Feed| {
        let state = states.get(&feed.id);
        [
            feed.id.to_string(),
            feed.language.clone().unwrap_or_default(),
            feed.country.clone().unwrap_or_default(),
            feed.url.host_str().unwrap_or_default().to_owned(),
            interval_text(feed, state),
            next_text(state, now),
            standing_text(state),
        ]
    };
    let rows: Vec<_> = config.feeds.iter().map(row).collect();
    let styles = config.feeds.iter().map(|feed| standing_style(states.get(&feed.id)));
    let header = ["id", "language", "country", "host", "interval", "next poll", "standing"];
    print_table(&mut anstream::stdout().lock(), header, &rows, styles)?;
    Ok(Exit::Fine)
}

/// The wait between polls: as configured, else as learned, else its bounds.
fn interval_text(feed: &Feed, state: Option<&FeedState>) -> String {
    let learned = state.filter(|state| state.sequence > 0).map(|state| state.plan.interval);
    match feed.interval.or(learned) {
        Some(interval) => rounded(interval),
        None => {
            format!("{} to {}", duration_text(feed.interval_min), duration_text(feed.interval_max))
        }
    }
}

fn next_text(state: Option<&FeedState>, now: Timestamp) -> String {
    match state.and_then(|state| state.plan.due_at) {
        Some(due_at) if due_at > now => {
            let wait = due_at.duration_since(now);
            format!("in {}", rounded(wait.unsigned_abs()))
        }
        Some(_) | None => "due".to_owned(),
    }
}

fn standing_text(state: Option<&FeedState>) -> String {
    let Some(state) = state else { return "not polled yet".to_owned() };
    match state.standing {
        Standing::New => "not polled yet".to_owned(),
        Standing::Fine => "fine".to_owned(),
        Standing::Gone => "withdrawn by its publisher".to_owned(),
        Standing::Failing => {
            let class = state.last_failure.as_ref().map(|failure| failure.class.name());
            let times = counted(usize::try_from(state.failures).unwrap_or(usize::MAX), "time");
            format!("failing: {}, {times}", class.unwrap_or("unknown"))
        }
    }
}

fn standing_style(state: Option<&FeedState>) -> Style {
    match state.map(|state| state.standing).unwrap_or_default() {
        Standing::New => Style::new(),
        Standing::Fine => AnsiColor::Green.on_default(),
        Standing::Failing => AnsiColor::Red.on_default(),
        Standing::Gone => AnsiColor::Yellow.on_default(),
    }
}

/// A duration to the second, which is as much as anybody wants to read.
fn rounded(duration: std::time::Duration) -> String {
    duration_text(std::time::Duration::from_secs(duration.as_secs()))
}

fn explain(id: &str, config: &Config) -> anyhow::Result<Exit> {
    let Some(feed) = config.feeds.iter().find(|feed| feed.id.as_str() == id) else {
        let likeness = |feed: &&Feed| strsim::jaro_winkler(id, feed.id.as_str());
        let nearest = config.feeds.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        let hint = nearest.map(|feed| format!("; did you mean \"{}\"?", feed.id));
        bail!("no feed has the id \"{id}\"{}", hint.unwrap_or_default());
    };
    let states = states(config)?;
    let text = explanation(feed, states.get(&feed.id), Clock::System.now());
    anstream::stdout().write_all(text.as_bytes())?;
    Ok(Exit::Fine)
}

/// Why a feed is polled when it is: what decided, and everything else that had a say.
fn explanation(feed: &Feed, state: Option<&FeedState>, now: Timestamp) -> String {
    let mut lines = vec![format!("{}  {}", feed.id, feed.url)];
    let Some(state) = state.filter(|state| state.sequence > 0) else {
        lines.push("next poll: when the daemon runs; it has not been polled before".to_owned());
        return lines.join("\n") + "\n";
    };
    let plan = &state.plan;
    let at = plan.due_at.map(|at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
    lines.push(format!(
        "next poll: {} ({}), because of {}",
        at.unwrap_or_default(),
        next_text(Some(state), now),
        plan.reason.text()
    ));
    let polled_at = state.polled_at.map(|at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
    lines.push(format!(
        "standing: {} after {}, the last at {}",
        standing_text(Some(state)),
        counted(usize::try_from(state.sequence).unwrap_or(usize::MAX), "poll"),
        polled_at.unwrap_or_default()
    ));
    if let Some(failure) = &state.last_failure {
        lines.push(format!("last failure: {}: {}", failure.class.name(), failure.detail));
    }
    if let Some(url) = &state.moved_to {
        lines.push(format!("moved to: {url}; change its `url`, with an `id` its state stays"));
    }
    lines.push("what had a say, the longest wait decides:".to_owned());
    let source = if feed.interval.is_some() { "as configured" } else { "learned" };
    let (min, max) = (duration_text(feed.interval_min), duration_text(feed.interval_max));
    let or_none = |wait: Option<_>| wait.map_or_else(|| "none".to_owned(), rounded);
    for (name, wait, about) in [
        ("interval", rounded(plan.interval), format!("{source}, within {min} to {max}")),
        ("freshness", or_none(plan.fresh_for), "its last answer stays current".to_owned()),
        ("ttl", or_none(plan.ttl), "the feed's own word".to_owned()),
        ("backoff", or_none(plan.backoff), "grows with failures in a row".to_owned()),
        ("retry after", or_none(plan.retry_after), "what the server asked for".to_owned()),
        ("jitter", rounded(plan.jitter), "added so that feeds do not move in step".to_owned()),
    ] {
        lines.push(format!("  {name:<12}{wait:<14}{about}"));
    }
    lines.join("\n") + "\n"
}

fn add(args: &AddArgs, config: &Config) -> anyhow::Result<Exit> {
    let raw = RawFeed {
        id: args.id.clone(),
        url: Some(args.url.clone()),
        publisher: args.publisher.clone(),
        country: args.country.clone(),
        language: args.language.clone(),
        ..RawFeed::default()
    };
    let feed = match config::read_feed(COMMAND_LINE, raw, &config.feed_defaults) {
        Ok(feed) => feed,
        Err(problems) => {
            print_problems(&problems);
            return Ok(Exit::Usage);
        }
    };
    let target = Target::find(args.file.as_deref(), config)?;
    if let Some(known) = target.known.iter().find(|known| known.url == feed.url) {
        bail!("{} is listed already, as \"{}\"", feed.url, known.id);
    }
    if let Some(known) = target.known.iter().find(|known| known.id == feed.id) {
        bail!("\"{}\" is the id of {}; give another with --id", feed.id, known.url);
    }
    target.append(&[&feed], config)?;
    let mut out = anstream::stdout();
    writeln!(out, "added \"{}\" to {}", feed.id, target.path.display())?;
    target.write_hint(&mut out, config)?;
    Ok(Exit::Fine)
}

fn import(file: &Path, into: Option<&Path>, config: &Config) -> anyhow::Result<Exit> {
    let bytes =
        std::fs::read(file).with_context(|| format!("could not read \"{}\"", file.display()))?;
    let name = file.display().to_string();
    let (found, problems) = import_opml(&name, &bytes, &config.feed_defaults);
    let target = Target::find(into, config)?;
    let (added, skipped) = target.news(found);
    if !added.is_empty() {
        target.append(&added.iter().collect::<Vec<_>>(), config)?;
    }
    print_problems(&problems);
    let mut out = anstream::stdout();
    let (count, path) = (counted(added.len(), "feed"), target.path.display());
    writeln!(out, "added {count} to {path}; skipped {skipped} listed already; refused {}", {
        problems.len()
    })?;
    if !added.is_empty() {
        target.write_hint(&mut out, config)?;
    }
    Ok(if problems.is_empty() { Exit::Fine } else { Exit::Failed })
}

/// The file that feeds are added to.
#[derive(Debug)]
struct Target {
    path: PathBuf,
    /// Its text; `None` if it does not exist yet.
    text: Option<String>,
    /// Every feed that is configured or in the file.
    known: Vec<Feed>,
}

impl Target {
    /// The file that was named, else the first that the configuration names, else the
    /// configuration itself.
    fn find(named: Option<&Path>, config: &Config) -> anyhow::Result<Self> {
        let is_toml =
            |path: &&PathBuf| ListForm::of_file(&path.display().to_string()) == ListForm::Toml;
        let configured = config.feeds_from.iter().find(is_toml).or(config.path.as_ref());
        let Some(path) = named.or(configured.map(PathBuf::as_path)) else {
            bail!("there is no configuration to add it to; name a file, as --file feeds.toml");
        };
        let path = path.to_owned();
        let shown = path.display().to_string();
        if !is_toml(&&path) {
            bail!("\"{shown}\" is OPML; feeds are added to a TOML file");
        }
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => {
                return Err(error).with_context(|| format!("could not read \"{shown}\""));
            }
        };
        let mut target = Self { path, text, known: config.feeds.clone() };
        if let Some(text) = &target.text
            && !target.is_listed(config)
        {
            let found = config::read_feeds(&shown, text.as_bytes(), &config.feed_defaults);
            target.known.extend(found.map_err(config::ConfigError)?);
        }
        Ok(target)
    }

    /// Whether the configuration reads the file.
    fn is_listed(&self, config: &Config) -> bool {
        let real = |path: &Path| path.canonicalize().ok();
        let here = real(&self.path);
        here.is_some()
            && config.feeds_from.iter().chain(&config.path).any(|path| real(path) == here)
    }

    /// What is not known yet, each once and with an id of its own, and how many were.
    fn news(&self, found: Vec<Feed>) -> (Vec<Feed>, usize) {
        let mut urls: HashSet<String> =
            self.known.iter().map(|feed| feed.url.to_string()).collect();
        let mut ids: HashSet<FeedId> = self.known.iter().map(|feed| feed.id.clone()).collect();
        let bar = progress(found.len(), "adding feeds");
        let total = found.len();
        let mut added = Vec::new();
        for feed in found {
            bar.inc(1);
            if !urls.insert(feed.url.to_string()) {
                continue;
            }
            let id = free_id(&feed.id, &ids);
            ids.insert(id.clone());
            added.push(Feed { id, ..feed });
        }
        bar.finish_and_clear();
        let skipped = total - added.len();
        (added, skipped)
    }

    /// Appends feeds as text; what is there stays as it is.
    fn append(&self, feeds: &[&Feed], config: &Config) -> anyhow::Result<()> {
        let before = self.text.as_deref().unwrap_or_default();
        let mut text = String::new();
        if !before.is_empty() && !before.ends_with('\n') {
            text.push('\n');
        }
        text.extend(feeds.iter().map(|feed| feed_table(feed, &config.feed_defaults)));
        if before.is_empty() {
            text = text.trim_start().to_owned();
        }
        let shown = self.path.display();
        // `feed = [...]` cannot be added to from outside, for example.
        format!("{before}{text}").parse::<toml::Table>().map_err(|error| {
            let why = error.message();
            anyhow::anyhow!("cannot append to \"{shown}\", it would not be TOML any more: {why}")
        })?;
        let file = std::fs::OpenOptions::new().append(true).create(true).open(&self.path);
        let mut file = file.with_context(|| format!("could not open \"{shown}\""))?;
        file.write_all(text.as_bytes()).with_context(|| format!("could not write to \"{shown}\""))
    }

    /// Says what is left to do, if anything.
    fn write_hint(&self, out: &mut impl Write, config: &Config) -> std::io::Result<()> {
        if self.is_listed(config) {
            return Ok(());
        }
        let configured = match &config.path {
            Some(path) => path.display().to_string(),
            None => "the configuration".to_owned(),
        };
        writeln!(out, "add \"{}\" to feeds_from in {configured}", self.path.display())
    }
}

/// The id, or the first of `id-2`, `id-3`, … that is free.
fn free_id(id: &FeedId, taken: &HashSet<FeedId>) -> FeedId {
    if !taken.contains(id) {
        return id.clone();
    }
    let numbered = |number: usize| {
        let ending = format!("-{number}");
        let stem: String = id.as_str().chars().take(FeedId::LENGTH_MAX - ending.len()).collect();
        FeedId::parse(&format!("{stem}{ending}")).ok()
    };
    let free = (2..=taken.len() + 2).filter_map(numbered).find(|id| !taken.contains(id));
    free.expect("more numbers are tried than ids are taken")
}
