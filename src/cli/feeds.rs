//! Lists, adds, explains and exchanges feeds.
//!
//! Files of feeds belong to their owner: feeds are appended as text, nothing else in them is
//! touched.

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use anstyle::Style;
use anyhow::{Context as _, bail};
use clap::Subcommand;
use cw_decide::process::{PAGES_MAX, TEASER_CHARS_MAX};
use cw_decide::schedule::cadence::INTERVAL_START;
use cw_model::state::{FeedState, MOVE_DAYS, Reason, Trust};
use cw_model::{Feed, FeedId, FullText, Timestamp};
use cw_status::shown::{Shown, json_line, shown};
use cw_text::likeness::did_you_mean;
use url::Url;

use super::Exit;
use super::check::{cell, counted, print_problems, progress};
use super::show::Medium;
use super::standing::{Knowledge, NextPoll, age_text, moment_text};
use super::table::Table;
use crate::admin::words;
use crate::clock::Clock;
use crate::config::{
    self, Config, ListForm, RawFeed, duration_text, export_opml, feed_table, import_opml, size_text,
};

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
    List(ListArgs),
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
        /// The file of feeds they are added to [default: the first that the configuration names]
        #[arg(long, value_name = "FILE")]
        into: Option<PathBuf>,
    },
    /// Print the configured feeds as OPML
    Export,
}

#[derive(Debug, clap::Args)]
struct ListArgs {
    /// One JSON object a line
    #[arg(long)]
    json: bool,
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
    /// The file of feeds it is added to [default: the first that the configuration names]
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
        FeedsCommand::List(args) if args.json => list_json(&config),
        FeedsCommand::List(_) => list(&config),
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

fn list(config: &Config) -> anyhow::Result<Exit> {
    if config.feeds.is_empty() {
        say!("no feed is configured; add one with `conflictwire feeds add URL`");
        return Ok(Exit::Fine);
    }
    let knowledge = Knowledge::read(config)?;
    let now = Clock::System.now();
    let header =
        ["id", "language", "country", "host", "interval", "next poll", "as of", "standing"];
    let mut table = Table::with_header(header);
    for feed in &config.feeds {
        let known = knowledge.of(feed);
        let standing = cell(&knowledge.standing_text(feed, now), knowledge.style(feed, now));
        let [id, language, country, host, interval, next, as_of] = [
            feed.id.as_str(),
            feed.language.as_deref().unwrap_or_default(),
            feed.country.as_deref().unwrap_or_default(),
            feed.url.host_str().unwrap_or_default(),
            &interval_text(feed, known.map(|known| known.state.as_ref())),
            &next_text(knowledge.next_poll(feed, now)),
            &age_text(known.and_then(|known| known.as_of), now),
        ]
        .map(|text| cell(text, Style::new()));
        table.row([id, language, country, host, interval, next, as_of, standing]);
    }
    table.write(&mut anstream::stdout().lock(), Medium::of_stdout())?;
    for line in knowledge.summary(&config.feeds, now) {
        anstream::eprintln!("{line}");
    }
    Ok(Exit::Fine)
}

/// The same for programs: times in UTC, null where nothing is known.
fn list_json(config: &Config) -> anyhow::Result<Exit> {
    let knowledge = Knowledge::read(config)?;
    let now = Clock::System.now();
    let mut out = anstream::stdout().lock();
    for feed in &config.feeds {
        let known = knowledge.of(feed);
        let plan = known.map(|known| &known.state.plan);
        let interval = feed.interval.or_else(|| plan?.interval);
        let interval = interval.map(|wait| wait.clamp(feed.interval_min, feed.interval_max));
        let moment = |at: Timestamp| format!("{at:.0}");
        let line = serde_json::json!({
            "id": feed.id.as_str(),
            "url": feed.shown(&feed.url),
            "host": feed.url.host_str(),
            "publisher": feed.publisher,
            "language": feed.language,
            "country": feed.country,
            "standing": knowledge.standing_text(feed, now),
            "interval_seconds": interval.map(|wait| wait.as_secs()),
            "next_poll": next_text(knowledge.next_poll(feed, now)),
            "next_poll_at": knowledge.due(feed, now).map(|due| moment(due.at)),
            "polled_at": plan.and_then(|plan| plan.polled_at).map(moment),
            "failures": plan.map(|plan| plan.failures),
            "as_of": known.and_then(|known| known.as_of).map(moment),
        });
        writeln!(out, "{}", json_line(&line.to_string()))?;
    }
    Ok(Exit::Fine)
}

/// The wait between polls: as configured, else as learned, within the bounds as they are now; else
/// those.
fn interval_text(feed: &Feed, state: Option<&FeedState>) -> String {
    match feed.interval.or_else(|| state?.plan.interval) {
        Some(interval) => rounded(interval.clamp(feed.interval_min, feed.interval_max)),
        None => {
            format!("{} to {}", duration_text(feed.interval_min), duration_text(feed.interval_max))
        }
    }
}

fn next_text(next: NextPoll) -> String {
    match next {
        NextPoll::In(wait) => format!("in {}", rounded(wait)),
        NextPoll::Due => "due".to_owned(),
        NextPoll::Unwritten(_) => "not known".to_owned(),
        NextPoll::Overdue(late) => format!("overdue {}", rounded(late)),
        NextPoll::Unowned => "nobody polls".to_owned(),
        NextPoll::Unknown => "not known".to_owned(),
    }
}

/// The same in a sentence's worth of words.
fn next_explained(next: NextPoll) -> String {
    match next {
        NextPoll::In(_) | NextPoll::Due => next_text(next),
        NextPoll::Unwritten(late) => format!(
            "{} ago; it may have been polled since: a poll that changes nothing is written within \
             the hour",
            rounded(late)
        ),
        NextPoll::Overdue(late) => {
            format!("{} ago, and no poll is known since", rounded(late))
        }
        NextPoll::Unowned => "if somebody polled".to_owned(),
        NextPoll::Unknown => "not known".to_owned(),
    }
}

/// A duration to the second, which is as much as anybody wants to read.
fn rounded(duration: std::time::Duration) -> String {
    duration_text(std::time::Duration::from_secs(duration.as_secs()))
}

fn explain(id: &str, config: &Config) -> anyhow::Result<Exit> {
    let Some(feed) = config.feeds.iter().find(|feed| feed.id.as_str() == id) else {
        let now = Clock::System.now();
        if let Some(state) = Knowledge::read(config)?.of_unconfigured(id) {
            let at = state.plan.polled_at.map_or_else(String::new, |at| moment_text(at, now));
            bail!(
                "no feed has the id \"{id}\" in the configuration, so it is not polled; the ledger \
                 remembers one, polled last at {at}, which goes on from there if it is added again"
            );
        }
        bail!("no feed has the id \"{id}\"; {}", hint(id, &config.feeds));
    };
    let text = explanation(feed, &Knowledge::read(config)?, Clock::System.now());
    anstream::stdout().write_all(text.as_bytes())?;
    Ok(Exit::Fine)
}

/// What an id that no feed has may have been meant to be.
fn hint(id: &str, feeds: &[Feed]) -> String {
    did_you_mean(id, feeds.iter().map(|feed| feed.id.as_str()))
        .unwrap_or_else(|| "`conflictwire feeds list` shows them".to_owned())
}

/// Why a feed is polled when it is: what decided, and everything else that had a say.
fn explanation(feed: &Feed, knowledge: &Knowledge, now: Timestamp) -> String {
    let mut lines = vec![format!("{}  {}", feed.id, feed.shown(&feed.url))];
    let as_of = knowledge.as_of_text(feed, now);
    let state = knowledge.of(feed).map(|known| known.state.as_ref());
    let Some(state) = state.filter(|state| state.plan.sequence > 0) else {
        lines.push(match knowledge.ignorance() {
            None if knowledge.may_be_forgotten(feed) => {
                "next poll: not known; its lane has lost what was written first, its state perhaps \
                     among it"
                    .to_owned()
            }
            None => {
                "next poll: when a daemon runs that has read its configuration; it has not been \
                     polled before"
                    .to_owned()
            }
            Some(why) => format!("next poll: not known; {why}"),
        });
        lines.extend(as_of);
        return one_line_each(&lines);
    };
    lines.extend(schedule_lines(feed, state, knowledge, now));
    lines.extend(as_of);
    lines.extend(past_lines(feed, state, now));
    lines.extend(trust_text(&state.plan.trust, now));
    lines.extend(unpublished_text(state));
    lines.extend(share_lines(feed, state));
    lines.extend(full_text_line(feed));
    one_line_each(&lines)
}

/// Where the full texts are from, if not from the feed.
fn full_text_line(feed: &Feed) -> Option<String> {
    let (chars, pages) = (TEASER_CHARS_MAX, PAGES_MAX);
    (feed.full_text == FullText::Page).then(|| {
        format!(
            "full text: from pages (fulltext), of articles of which the feed gives less than {chars} characters; at \
             most {pages} a poll. `conflictwire poll {}` shows what comes of them",
            feed.id
        )
    })
}

/// When the feed is polled next and how it stands.
fn schedule_lines(
    feed: &Feed,
    state: &FeedState,
    knowledge: &Knowledge,
    now: Timestamp,
) -> [String; 2] {
    let due = knowledge.due(feed, now);
    let at = due.map(|due| due.at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
    let next = format!(
        "next poll: {} ({}), because {}",
        at.unwrap_or_default(),
        next_explained(knowledge.next_poll(feed, now)),
        words::because(due.map(|due| due.why), state.plan.next.reason)
    );
    let polled_at = state.plan.polled_at.map(|at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
    let standing = format!(
        "standing: {}, after {}, the last at {}",
        knowledge.standing_text(feed, now),
        counted(usize::try_from(state.plan.sequence).unwrap_or(usize::MAX), "poll"),
        polled_at.unwrap_or_default()
    );
    [next, standing]
}

/// What its polls came to, as far as a person has to know it.
fn past_lines(feed: &Feed, state: &FeedState, now: Timestamp) -> Vec<String> {
    let mut lines = Vec::new();
    let before = state.plan.url.as_ref().filter(|_| state.plan.is_of_another_url(feed));
    if let Some(url) = before.and_then(|url| Url::parse(url).ok()) {
        lines.push(format!("what follows is of the URL before: {}", feed.shown(&url)));
    }
    lines.push(match state.plan.succeeded_at {
        Some(at) => format!("last answer: {}", moment_text(at, now)),
        None => "last answer: none yet".to_owned(),
    });
    if let Some(failure) = &state.plan.last_failure {
        let (class, at) = (failure.class.name(), moment_text(failure.at, now));
        lines.push(format!("last failure: {at}: {class}: {}", failure.detail));
    }
    if let Some(crash) = state.plan.put_off_for() {
        lines.push(format!(
            "put off since {}, under version {}: asked at once if its configuration, the taxonomy, a \
             lexicon or the version is another",
            crash.at.strftime("%Y-%m-%d %H:%M:%S UTC"),
            crash.under.split(' ').next().unwrap_or_default(),
        ));
    }
    let today = state.plan.today.on_day_of(now);
    if today.left > 0 {
        lines.push(format!(
            "left unread: {} of the last document that was read, for the feed had added as much as it \
             might in a day (now {} or {}); what it still lists is read the next day, or when its quota \
             is raised",
            counted(usize::try_from(today.left).unwrap_or(usize::MAX), "article"),
            counted(usize::try_from(feed.quota.articles).unwrap_or(usize::MAX), "article"),
            size_text(feed.quota.bytes),
        ));
    }
    if let Some(url) = state.plan.moved_to.as_ref().and_then(|url| Url::parse(url).ok()) {
        let url = feed.shown(&url);
        lines.push(match state.plan.moves.days {
            MOVE_DAYS.. => format!(
                "moved to: {url}, which is asked first, for permanent redirects led there on {MOVE_DAYS} \
                 days; change its `url`, with an `id` its state stays"
            ),
            _ => format!(
                "moved to: {url}, as its last answer said; change its `url`, with an `id` its state stays"
            ),
        });
    }
    lines
}

/// Which validators its requests carry, if not all that it gave, and why.
fn trust_text(trust: &Trust, now: Timestamp) -> Option<String> {
    let (why, since) = trust.distrust?;
    let (sent, why) = (words::sends(trust.sends), words::distrust(why));
    let since = moment_text(since, now);
    Some(format!("validators: {sent}, since {since}: {why}; tried again after 30 days"))
}

/// Everything that had a say in when it is polled next.
fn share_lines(feed: &Feed, state: &FeedState) -> Vec<String> {
    let plan = &state.plan.next;
    let mut lines = vec![match plan.reason {
        // The plan of the poll before, but for its end.
        Reason::Local => "what had a say when it was asked last:".to_owned(),
        _ => "what had a say at the last poll:".to_owned(),
    }];
    let or_none = |wait: Option<_>| wait.map_or_else(|| "none".to_owned(), rounded);
    for (name, wait, about) in [
        ("interval", rounded(plan.interval), interval_about(feed, state)),
        (
            "freshness",
            or_none(plan.fresh_for),
            "its last answer stays current; cut to interval_max".to_owned(),
        ),
        ("ttl", or_none(plan.ttl), "the feed's own word; cut to interval_max".to_owned()),
        ("backoff", or_none(plan.backoff), "grows with failures in a row".to_owned()),
        (
            "retry after",
            or_none(plan.retry_after),
            "what the server asked for; cut to retry_after_max".to_owned(),
        ),
        ("jitter", rounded(plan.jitter), "added so that feeds do not move in step".to_owned()),
    ] {
        lines.push(format!("  {name:<12}{wait:<14}{about}"));
    }
    lines
}

/// Where the interval of a state's plan comes from, and what it would be now if that is another.
fn interval_about(feed: &Feed, state: &FeedState) -> String {
    let (min, max) = (duration_text(feed.interval_min), duration_text(feed.interval_max));
    let (source, now) = match (feed.interval, state.plan.interval) {
        (Some(interval), _) => ("as configured", interval),
        (None, Some(learned)) => ("learned", learned),
        (None, None) => ("to begin with", INTERVAL_START),
    };
    let now = now.clamp(feed.interval_min, feed.interval_max);
    if now == state.plan.next.interval {
        format!("{source}, within {min} to {max}")
    } else {
        format!("now {} {source}, within {min} to {max}", rounded(now))
    }
}

/// Lines as they may be shown: a publisher's answer or a file of feeds can begin none of its own.
fn one_line_each(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{}\n", shown(line))).collect()
}

/// What waits for room in the topics.
fn unpublished_text(state: &FeedState) -> Option<String> {
    let unpublished = state.unpacked_memory().unpublished;
    let largest = unpublished.values().map(|one| one.room.bytes).max()?;
    Some(format!(
        "not published: {} too large for the topics, the largest takes {largest} bytes; published once \
         max.message.bytes leaves room",
        counted(unpublished.len(), "article")
    ))
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
        bail!("{} is listed already, as \"{}\"", feed.shown(&feed.url), known.id);
    }
    if let Some(known) = target.known.iter().find(|known| known.id == feed.id) {
        let there = known.shown(&known.url);
        bail!("\"{}\" is the id of {there}; give another with --id", feed.id);
    }
    target.append(&[&feed], config)?;
    let mut out = anstream::stdout();
    writeln!(out, "added \"{}\" to {}", feed.id, Shown(target.path.display()))?;
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
    let (count, path) = (counted(added.len(), "feed"), Shown(target.path.display()));
    // A feed may have several, and a file that ends early has one for all that it leaves out.
    let wrong = counted(problems.len(), "problem");
    writeln!(out, "added {count} to {path}; skipped {skipped} listed already; {wrong}")?;
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
        let path = Shown(self.path.display());
        writeln!(out, "add \"{path}\" to feeds_from in {}", Shown(configured))
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cw_decide::States;
    use cw_model::FailureClass;
    use cw_model::state::{Crash, Distrust, FeedPlan, LastFailure, Plan, Sends, Standing};

    use super::super::standing::{in_database_of as in_database, trials};
    use super::*;

    const FEEDS: &str =
        "# Ours.\n[[feed]]\nid = \"a\" # the first\nurl = \"https://a.example/rss\"";

    fn configured() -> (tempfile::TempDir, Config) {
        let directory = tempfile::tempdir().unwrap();
        let main = directory.path().join("conflictwire.toml");
        std::fs::write(&main, "feeds_from = [\"feeds.toml\"]").unwrap();
        std::fs::write(directory.path().join("feeds.toml"), FEEDS).unwrap();
        let config = reload(&directory);
        (directory, config)
    }

    fn reload(directory: &tempfile::TempDir) -> Config {
        let main = directory.path().join("conflictwire.toml");
        config::load_from(Some(&main), &[("HOME", "/home/ada")].into_iter().collect()).unwrap()
    }

    fn add_args(url: &str, id: Option<&str>) -> AddArgs {
        AddArgs {
            url: url.to_owned(),
            id: id.map(str::to_owned),
            publisher: Some("B \"and\" C".to_owned()),
            country: None,
            language: Some("uk".to_owned()),
            file: None,
        }
    }

    #[test]
    fn adding_keeps_what_is_there() {
        let (directory, config) = configured();
        assert_eq!(add(&add_args("https://b.example/rss", None), &config).unwrap(), Exit::Fine);
        let text = std::fs::read_to_string(directory.path().join("feeds.toml")).unwrap();
        let expected = "\n\n[[feed]]\nid = \"b.example-rss\"\nurl = \"https://b.example/rss\"\n\
                        publisher = 'B \"and\" C'\nlanguage = \"uk\"\n";
        assert_eq!(text, format!("{FEEDS}{expected}"));
        assert_eq!(reload(&directory).feeds.len(), 2);
    }

    #[test]
    fn what_is_listed_already_is_not_added() {
        let (directory, config) = configured();
        for args in [
            add_args("https://a.example/rss#top", None),
            add_args("https://b.example/rss", Some("a")),
        ] {
            assert!(add(&args, &config).is_err(), "{args:?}");
        }
        assert_eq!(add(&add_args("htp://b.example", None), &config).unwrap(), Exit::Usage);
        let text = std::fs::read_to_string(directory.path().join("feeds.toml")).unwrap();
        assert_eq!(text, FEEDS);
    }

    #[test]
    fn a_file_that_does_not_exist_is_made() {
        let (directory, config) = configured();
        let file = directory.path().join("more.toml");
        let args = AddArgs { file: Some(file.clone()), ..add_args("https://b.example/rss", None) };
        add(&args, &config).unwrap();
        // Not configured yet, and known all the same.
        assert!(add(&args, &config).is_err());
        assert!(std::fs::read_to_string(file).unwrap().starts_with("[[feed]]\n"));
    }

    #[test]
    fn feeds_are_not_added_to_what_would_not_be_toml_any_more() {
        let (directory, _) = configured();
        let main = directory.path().join("conflictwire.toml");
        std::fs::write(&main, "feed = [{ url = \"https://a.example/rss\" }]").unwrap();
        let config = reload(&directory);
        let error = add(&add_args("https://b.example/rss", None), &config).unwrap_err();
        assert!(error.to_string().contains("would not be TOML"), "{error}");
        assert_eq!(reload(&directory).feeds.len(), 1);
    }

    #[test]
    fn what_is_exported_is_imported_once() {
        let (directory, config) = configured();
        let opml = directory.path().join("a.opml");
        let outlines: String = (0..5000)
            .map(|n| format!("<outline text=\"{n}\" xmlUrl=\"https://h{n}.example/rss\"/>\n"))
            .collect();
        let twice = "<outline xmlUrl=\"https://a.example/rss\"/><outline xmlUrl=\"htp://x\"/>";
        let text = format!("<opml><body>{outlines}{twice}{twice}</body></opml>");
        std::fs::write(&opml, text).unwrap();
        // Two cannot be read, so it did not do all it was asked.
        assert_eq!(import(&opml, None, &config).unwrap(), Exit::Failed);
        let config = reload(&directory);
        assert_eq!(config.feeds.len(), 5001);

        std::fs::write(&opml, export_opml(&config.feeds, &config.feed_defaults)).unwrap();
        assert_eq!(import(&opml, None, &config).unwrap(), Exit::Fine);
        assert_eq!(reload(&directory).feeds, config.feeds);

        let other = directory.path().join("other.toml");
        let (found, _) =
            import_opml("a.opml", &std::fs::read(&opml).unwrap(), &config.feed_defaults);
        let target = Target { path: other.clone(), text: None, known: Vec::new() };
        let (news, skipped) = target.news(found);
        assert_eq!((&news, skipped), (&config.feeds, 0));
        target.append(&news.iter().collect::<Vec<_>>(), &config).unwrap();
        let bytes = std::fs::read(&other).unwrap();
        let read = config::read_feeds("other.toml", &bytes, &config.feed_defaults).unwrap();
        assert_eq!(read, config.feeds);
    }

    #[test]
    fn an_id_that_is_taken_gets_a_number() {
        let id = |text: &str| FeedId::parse(text).unwrap();
        let taken: HashSet<FeedId> = [id("a"), id("a-2"), id(&"x".repeat(128))].into();
        assert_eq!(free_id(&id("b"), &taken), id("b"));
        assert_eq!(free_id(&id("a"), &taken), id("a-3"));
        let cut = free_id(&id(&"x".repeat(128)), &taken);
        assert_eq!(cut, id(&format!("{}-2", "x".repeat(126))));
    }

    #[test]
    fn an_explanation_has_everything_that_had_a_say() {
        let (_directory, config) = configured();
        let feed = config.feeds.first().unwrap();
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let seconds = |count| Some(Duration::from_secs(count));
        let plan = FeedPlan {
            sequence: 12,
            standing: Standing::Failing,
            failures: 2,
            polled_at: Some(now),
            last_failure: Some(LastFailure {
                class: FailureClass::Busy,
                detail: "the server answered 429".to_owned(),
                at: now,
            }),
            next: Plan {
                due_at: Some("2026-03-01T13:00:00Z".parse().unwrap()),
                reason: Reason::RetryAfter,
                interval: Duration::from_secs(900),
                fresh_for: seconds(600),
                ttl: None,
                backoff: seconds(1800),
                retry_after: seconds(3600),
                quota: None,
                jitter: Duration::from_millis(1500),
            },
            ..FeedPlan::default()
        };
        let state = FeedState { plan, ..FeedState::default() };
        let expected = "\
a  https://a.example/rss
next poll: 2026-03-01 13:00:00 UTC (in 1h), because the server asked to wait
standing: failing: busy, 2 times, after 12 polls, the last at 2026-03-01 12:00:00 UTC
as of: 2026-03-01 12:00:00 UTC (0s ago); read from \"/var/a.sqlite\"; a daemon has it open (process 42)
last answer: none yet
last failure: 2026-03-01 12:00:00 UTC (0s ago): busy: the server answered 429
what had a say at the last poll:
  interval    15m           to begin with, within 5m to 4h
  freshness   10m           its last answer stays current; cut to interval_max
  ttl         none          the feed's own word; cut to interval_max
  backoff     30m           grows with failures in a row
  retry after 1h            what the server asked for; cut to retry_after_max
  jitter      1s            added so that feeds do not move in step
";
        let known = |state: FeedState| in_database([(feed.id.clone(), state.into())].into());
        assert_eq!(explanation(feed, &known(state.clone()), now), expected);
        let nothing = in_database(States::new());
        assert!(explanation(feed, &nothing, now).contains("it has not been polled before"));
        let wanting = Feed { full_text: FullText::Page, ..feed.clone() };
        let text = explanation(&wanting, &known(state.clone()), now);
        assert!(text.contains("full text: from pages"), "{text}");

        // The configuration has changed since: what was so then is not said to be so now.
        let faster = Feed { interval: Some(Duration::from_secs(600)), ..feed.clone() };
        let text = explanation(&faster, &known(state.clone()), now);
        assert!(text.contains("interval    15m           now 10m as configured, within"), "{text}");
        let elsewhere = Feed { url: "https://b.example/rss".parse().unwrap(), ..feed.clone() };
        let mut old = state;
        old.plan.url = Some("https://a.example/rss?key=1".into());
        let text = explanation(&elsewhere, &known(old), now);
        for words in [
            "next poll: 2026-03-01 12:00:00 UTC (due), because its URL is another since its last poll",
            "standing: not polled yet under its URL; under the one before: failing: busy, 2 times",
            "what follows is of the URL before: https://a.example/rss",
        ] {
            assert!(text.contains(words), "{words} in {text}");
        }
        assert!(!text.contains("key=1"), "{text}");
    }

    #[test]
    fn which_validators_are_not_sent_is_said_with_the_reason() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        assert_eq!(trust_text(&Trust::default(), now), None);
        let distrust = Some((Distrust::Refused, now));
        let trust = Trust { sends: Sends::Nothing, distrust, ..Trust::default() };
        assert_eq!(
            trust_text(&trust, now).unwrap(),
            "validators: none is sent, so that it always answers with the whole document, since \
             2026-03-01 12:00:00 UTC (0s ago): its server answers a request with more wrongly, and one \
             without rightly; tried again after 30 days"
        );
    }

    #[test]
    fn a_feed_that_is_put_off_says_what_for_and_how_to_lift_it() {
        let (_directory, config) = configured();
        let feed = config.feeds.first().unwrap();
        let at: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let under = trials().under(feed);
        let plan = FeedPlan {
            sequence: 3,
            standing: Standing::Failing,
            failures: 1,
            polled_at: Some(at),
            last_failure: Some(LastFailure {
                class: FailureClass::Crash,
                detail: "the document ended the process that read it: signal: 6".to_owned(),
                at,
            }),
            next: Plan {
                due_at: Some("2026-03-08T12:00:00Z".parse().unwrap()),
                reason: Reason::Crash,
                ..Plan::default()
            },
            crash: Some(Crash { under: under.clone(), at }),
            ..FeedPlan::default()
        };
        let state = FeedState { plan, ..FeedState::default() };
        let known = in_database([(feed.id.clone(), state.into())].into());
        let text = explanation(feed, &known, at);
        let expected = "\
next poll: 2026-03-08 12:00:00 UTC (in 7d), because its document ended the process that read it; such \
a feed is asked weekly
standing: put off: its document ends the process that reads it, after 3 polls, the last at 2026-03-01 \
12:00:00 UTC
as of: 2026-03-01 12:00:00 UTC (0s ago); read from \"/var/a.sqlite\"; a daemon has it open (process 42)
last answer: none yet
last failure: 2026-03-01 12:00:00 UTC (0s ago): crash: the document ended the process that read it: \
signal: 6
put off since 2026-03-01 12:00:00 UTC, under version 0.1.0: asked at once if its configuration, the \
taxonomy, a lexicon or the version is another
";
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn an_id_is_offered_only_for_one_like_it() {
        let (_directory, config) = configured();
        assert_eq!(hint("aa", &config.feeds), "did you mean \"a\"?");
        assert_eq!(hint("nosuch", &config.feeds), "`conflictwire feeds list` shows them");
        assert_eq!(hint("a", &[]), "`conflictwire feeds list` shows them");
    }
}
