//! Lists the configured feeds, changes them (`change`) and explains one (`explain`).

mod change;
mod explain;
mod file;
mod finding;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use anstyle::Style;
use anyhow::bail;
use clap::Subcommand;
use cw_model::state::FeedState;
use cw_model::{Feed, Timestamp};
use cw_status::shown::json_line;
use cw_text::likeness::did_you_mean;
use serde_json::Value;

use self::change::{AddArgs, ImportArgs, Trial};
use super::Exit;
use super::check::cell;
use super::requests::{politeness, politeness_json};
use super::show::Medium;
use super::standing::{Knowledge, NextPoll, age_text};
use super::table::Table;
use crate::clock::Clock;
use crate::config::{self, Config, duration_text, export_opml};

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
    /// Add a feed, or the feed that a page names
    ///
    /// Asks the address first, as the daemon would. A page is looked through for the feeds that it names, and
    /// else where feeds usually are; with several, they are listed and none is added. The feed goes to the end
    /// of the file, and the running daemon is told.
    Add(AddArgs),
    /// Take feeds out of the file in which they stand
    ///
    /// What the ledger remembers of a feed stays: added again under the same id, it goes on from there.
    Remove {
        /// The feeds' ids
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
    /// Change what the publisher of a feed is called; its id stays
    ///
    /// The id stays, because state and articles are kept under it: under another id the feed would be a new
    /// one, and everything in it would come once more.
    Rename {
        /// The feed's id
        id: String,
        /// What its records show from now on
        publisher: String,
    },
    /// Change the address of a feed; it goes on from where it was
    ///
    /// The address is asked first. The id is written down if it was not, because one that is made from the
    /// address would be another.
    Move {
        /// The feed's id
        id: String,
        /// Where the feed is now
        url: String,
        #[command(flatten)]
        trial: Trial,
    },
    /// Poll feeds again that were disabled
    Enable {
        /// The feeds' ids
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
    /// Keep feeds in the file and poll them no more
    Disable {
        /// The feeds' ids
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
    /// Say how courteously each feed is asked
    Politeness(ListArgs),
    /// Say why a feed is polled when it is
    Explain {
        /// The feed's id
        id: String,
    },
    /// Add the feeds of an OPML file, each once
    ///
    /// All of them or, if one cannot be used, none.
    Import(ImportArgs),
    /// Print the configured feeds as OPML
    Export,
}

#[derive(Debug, clap::Args)]
struct ListArgs {
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    /// Those with this label; given several times, those with all of them
    #[arg(long, value_name = "LABEL")]
    label: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// What stopped it, for a person.
pub fn run(args: &FeedsArgs, config: Option<&Path>) -> anyhow::Result<Exit> {
    let config = config::load(config)?;
    match &args.command {
        FeedsCommand::List(args) => {
            let config = with_labels(config, &args.label)?;
            if args.json { list_json(&config) } else { list(&config) }
        }
        FeedsCommand::Politeness(args) => {
            let config = with_labels(config, &args.label)?;
            if args.json { politeness_json(&config) } else { politeness(&config) }
        }
        FeedsCommand::Add(args) => change::add(args, &config),
        FeedsCommand::Remove { ids } => change::remove(ids, &config),
        FeedsCommand::Rename { id, publisher } => change::rename(id, publisher, &config),
        FeedsCommand::Move { id, url, trial } => change::relocate(id, url, *trial, &config),
        FeedsCommand::Enable { ids } => change::enable(ids, &config),
        FeedsCommand::Disable { ids } => change::disable(ids, &config),
        FeedsCommand::Explain { id } => explain::explain(id, &config),
        FeedsCommand::Import(args) => change::import(args, &config),
        FeedsCommand::Export => {
            let feeds = config.feeds.iter().map(|feed| (feed, true));
            let feeds = feeds.chain(config.disabled.iter().map(|feed| (feed, false)));
            let text = export_opml(feeds, &config.feed_defaults);
            anstream::stdout().write_all(text.as_bytes())?;
            Ok(Exit::Fine)
        }
    }
}

/// What of a configuration has all of these labels.
fn with_labels(mut config: Config, labels: &[String]) -> anyhow::Result<Config> {
    let feeds = config.feeds.iter().chain(&config.disabled);
    let known: BTreeSet<String> = feeds.flat_map(|feed| feed.labels.clone()).collect();
    if let Some(unknown) = labels.iter().find(|label| !known.contains(*label)) {
        let hint = did_you_mean(unknown, known.iter().map(String::as_str));
        let names = || known.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let hint = hint.unwrap_or_else(|| format!("there are: {}", names()));
        bail!("no feed has the label \"{unknown}\"; {hint}");
    }
    for feeds in [&mut config.feeds, &mut config.disabled] {
        feeds.retain(|feed| labels.iter().all(|label| feed.labels.contains(label)));
    }
    Ok(config)
}

/// How a feed stands that is not polled because the configuration says so.
const DISABLED: &str = "disabled";

fn list(config: &Config) -> anyhow::Result<Exit> {
    if config.feeds.is_empty() && config.disabled.is_empty() {
        match config.path {
            Some(_) => say!("no feed is configured; add one with `conflictwire feeds add URL`"),
            None => say!("{}", config::no_file_text()),
        }
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
    for feed in &config.disabled {
        let [id, language, country, host, standing] = [
            feed.id.as_str(),
            feed.language.as_deref().unwrap_or_default(),
            feed.country.as_deref().unwrap_or_default(),
            feed.url.host_str().unwrap_or_default(),
            DISABLED,
        ]
        .map(|text| cell(text, Style::new()));
        let [interval, next, as_of] = [""; 3].map(|text| cell(text, Style::new()));
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
        let mut line = line_of(feed, &knowledge.standing_text(feed, now));
        let polled = serde_json::json!({
            "interval_seconds": interval.map(|wait| wait.as_secs()),
            "next_poll": next_text(knowledge.next_poll(feed, now)),
            "next_poll_at": knowledge.due(feed, now).map(|due| moment(due.at)),
            "polled_at": plan.and_then(|plan| plan.polled_at).map(moment),
            "failures": plan.map(|plan| plan.failures),
            "as_of": known.and_then(|known| known.as_of).map(moment),
        });
        if let (Value::Object(line), Value::Object(polled)) = (&mut line, polled) {
            line.extend(polled);
        }
        writeln!(out, "{}", json_line(&line.to_string()))?;
    }
    for feed in &config.disabled {
        writeln!(out, "{}", json_line(&line_of(feed, DISABLED).to_string()))?;
    }
    Ok(Exit::Fine)
}

/// What is said of every feed, polled or not.
fn line_of(feed: &Feed, standing: &str) -> Value {
    serde_json::json!({
        "id": feed.id.as_str(),
        "url": feed.shown(&feed.url),
        "host": feed.url.host_str(),
        "publisher": feed.publisher,
        "language": feed.language,
        "country": feed.country,
        "labels": feed.labels,
        "standing": standing,
    })
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

/// A duration to the second, which is as much as anybody wants to read.
fn rounded(duration: std::time::Duration) -> String {
    duration_text(std::time::Duration::from_secs(duration.as_secs()))
}

/// What an id that no feed has may have been meant to be.
fn hint(id: &str, feeds: &[Feed]) -> String {
    did_you_mean(id, feeds.iter().map(|feed| feed.id.as_str()))
        .unwrap_or_else(|| "`conflictwire feeds list` shows them".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) const FEEDS: &str =
        "# Ours.\n[[feed]]\nid = \"a\" # the first\nurl = \"https://a.example/rss\"";

    pub(super) fn configured() -> (tempfile::TempDir, Config) {
        let directory = tempfile::tempdir().unwrap();
        let main = directory.path().join("conflictwire.toml");
        std::fs::write(&main, "feeds_from = [\"feeds.toml\"]\n[admin]\nlisten = \"off\"").unwrap();
        std::fs::write(directory.path().join("feeds.toml"), FEEDS).unwrap();
        let config = reload(&directory);
        (directory, config)
    }

    pub(super) fn reload(directory: &tempfile::TempDir) -> Config {
        let main = directory.path().join("conflictwire.toml");
        config::load_from(Some(&main), &[("HOME", "/home/ada")].into_iter().collect()).unwrap()
    }

    #[test]
    fn an_id_is_offered_only_for_one_like_it() {
        let (_directory, config) = configured();
        assert_eq!(hint("aa", &config.feeds), "did you mean \"a\"?");
        assert_eq!(hint("nosuch", &config.feeds), "`conflictwire feeds list` shows them");
        assert_eq!(hint("a", &[]), "`conflictwire feeds list` shows them");
    }
}
