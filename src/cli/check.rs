//! Checks the configuration; with `--connect`, tries Kafka and each feed too.
//!
//! Also where every command prints the problems of a configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal as _, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use cw_decide::feed_list::Guard;
use cw_decide::process::TEASER_CHARS_MAX;
use cw_model::{Answer, Conditions, Feed, FullText, Steps};
use cw_read::parse;
use cw_status::shown::{Shown, shown};
use futures_util::stream::{self, StreamExt as _};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Exit;
use super::show::Medium;
use super::show::text::Text;
use super::table::Table;
use crate::clock::Clock;
use crate::config::{self, Config, ListByUrl, Problem};
use crate::fetch::{Connections, Fetcher};
use crate::ledger::kafka::probe::{Finding, FindingVerdict, probe};
use crate::ledger::{KafkaSettings, LedgerSettings};
use crate::memory::BodyHold;
use crate::pipeline::{AskedList, Asker, Came, Errands};

/// Hosts tried at once: enough to be done with a hundred feeds in a minute, few enough for a home's
/// router.
const HOSTS_AT_ONCE: usize = 8;

/// Fast enough to be seen to move.
const SPINNER_STEP: Duration = Duration::from_millis(120);

const BAD: Style = AnsiColor::Red.on_default().bold();
const RISKY: Style = AnsiColor::Yellow.on_default();
const GOOD: Style = AnsiColor::Green.on_default();

/// Checks the configuration.
///
/// Prints every problem at once, or a summary and warnings. Exit code 78 says that the configuration is wrong,
/// 1 that Kafka or a feed does not do what it should with `--connect`.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// Try Kafka, if that is the ledger, and each feed once, one at a time for each host
    ///
    /// Of Kafka: each broker, each topic, and each right that the daemon needs, by name. To find out,
    /// records are sent in transactions that are aborted, so that readers of
    /// committed records never see them, under a transactional id of their own; no group is joined.
    #[arg(long)]
    connect: bool,
    /// Exit with 78 if there is a warning
    #[arg(long)]
    deny_warnings: bool,
}

/// Runs the command.
///
/// # Errors
/// What stopped it, for a person.
pub fn run(args: &CheckArgs, config: Option<&Path>) -> anyhow::Result<Exit> {
    // What `run` would refuse is a problem here too.
    let config = config::load(config)?.with_feeds()?;
    writeln!(anstream::stdout(), "{}", Shown(summary(&config)))?;
    for list in &config.lists {
        writeln!(anstream::stdout(), "{}", Shown(kept_text(list)))?;
    }
    print_warnings(&config.warnings);
    if args.deny_warnings && !config.warnings.is_empty() {
        return Ok(Exit::Config);
    }
    if args.connect { connect(&config) } else { Ok(Exit::Fine) }
}

/// One line that says what the configuration amounts to.
fn summary(config: &Config) -> String {
    let hosts: BTreeSet<_> = config.feeds.iter().filter_map(|feed| feed.url.host_str()).collect();
    let languages: BTreeSet<_> =
        config.feeds.iter().filter_map(|feed| feed.language.as_deref()).map(primary).collect();
    let ledger = match &config.ledger {
        LedgerSettings::Sqlite(sqlite) => format!("ledger sqlite at {}", sqlite.path.display()),
        LedgerSettings::Kafka(kafka) => format!(
            "ledger kafka at {}, deployment {}, {}",
            kafka.shown_brokers(),
            kafka.deployment,
            counted(usize::try_from(kafka.lanes).unwrap_or(usize::MAX), "lane"),
        ),
        LedgerSettings::JsonLines => "ledger json_lines on standard output".to_owned(),
    };
    let from = match &config.path {
        Some(path) => path.display().to_string(),
        None => "no file, all defaults".to_owned(),
    };
    format!(
        "{} on {}, {} named; {ledger}; configuration is fine ({from})",
        counted(config.feeds.len(), "feed"),
        counted(hosts.len(), "host"),
        counted(languages.len(), "language"),
    )
}

/// What is known of a list of feeds by URL without asking for it.
fn kept_text(list: &ListByUrl) -> String {
    let (url, kept) = (list.shown(), list.kept.display());
    match &list.feeds {
        Some(feeds) => format!("list {url}: {}, as kept in {kept}", counted(feeds.len(), "feed")),
        None => format!(
            "list {url}: not fetched yet, so its feeds are not checked; `run` fetches it at the start, and --connect \
             asks for it"
        ),
    }
}

/// The language without script and region.
fn primary(language: &str) -> String {
    language.split('-').next().unwrap_or_default().to_ascii_lowercase()
}

/// "1 feed", "2 feeds".
pub(super) fn counted(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

/// What trying a feed came to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Tried {
    /// Its place in the configuration.
    index: usize,
    /// What it answered, or why it did not.
    answer: Result<String, String>,
    entries: Option<usize>,
    language: Option<String>,
}

fn connect(config: &Config) -> anyhow::Result<Exit> {
    let kafka = match &config.ledger {
        LedgerSettings::Kafka(settings) => connect_kafka(settings)?,
        LedgerSettings::Sqlite(_) | LedgerSettings::JsonLines => Exit::Fine,
    };
    let fetcher = Fetcher::new(&config.fetch, Connections::within_limits(), Clock::System)?;
    let fetcher = Arc::new(fetcher);
    let lists = connect_lists(config, &fetcher)?;
    let feeds = connect_feeds(config, &fetcher)?;
    let ends = [kafka, lists, feeds];
    Ok(ends.into_iter().find(|end| *end != Exit::Fine).unwrap_or(Exit::Fine))
}

/// Tries what the daemon will do with Kafka.
fn connect_kafka(settings: &KafkaSettings) -> anyhow::Result<Exit> {
    let trying = spinner("trying Kafka");
    let findings = super::runtime()?.block_on(probe(settings));
    trying.finish_and_clear();
    let mut out = anstream::stdout().lock();
    writeln!(out)?;
    print_findings(&mut out, &findings)?;
    let broken = findings.iter().filter(|one| one.verdict == FindingVerdict::Broken).count();
    writeln!(out, "\nKafka: {} fine, {broken} not\n", findings.len() - broken)?;
    Ok(if broken == 0 { Exit::Fine } else { Exit::Failed })
}

fn print_findings(out: &mut impl Write, findings: &[Finding]) -> std::io::Result<()> {
    let mut table = Table::with_header(["kafka", "answer"]);
    for finding in findings {
        let style = match finding.verdict {
            FindingVerdict::Fine => GOOD,
            FindingVerdict::Risky => RISKY,
            FindingVerdict::Broken => BAD,
        };
        table.row([cell(&finding.what, Style::new()), cell(&finding.text, style)]);
    }
    table.write(out, Medium::of_stdout())
}

/// Asks for each list of feeds by URL, and says what would come of it; keeps none.
fn connect_lists(config: &Config, fetcher: &Arc<Fetcher>) -> anyhow::Result<Exit> {
    if config.lists.is_empty() {
        return Ok(Exit::Fine);
    }
    let asker = Asker::new(Arc::clone(fetcher), config);
    let runtime = super::runtime()?;
    let mut table = Table::with_header(["list", "answer"]);
    let mut end = Exit::Fine;
    for list in &config.lists {
        let trying = spinner("asking for a list of feeds");
        let AskedList { came, .. } = runtime.block_on(asker.look(list, &mut Guard::default()));
        trying.finish_and_clear();
        let (text, style) = match (&came, came.trouble()) {
            (_, Some(why)) => (why, BAD),
            (Came::New(new), None) => {
                let is_first = list.feeds.is_none();
                let what = if is_first { "can be taken" } else { "another list, can be taken" };
                (format!("{what}: {}", counted(new.feeds.len(), "feed")), GOOD)
            }
            (_, None) => (format!("as it is kept: {}", counted(list.count(), "feed")), GOOD),
        };
        if style == BAD {
            end = Exit::Failed;
        }
        table.row([cell(&list.shown(), Style::new()), cell(&text, style)]);
    }
    let mut out = anstream::stdout().lock();
    writeln!(out)?;
    table.write(&mut out, Medium::of_stdout())?;
    writeln!(out)?;
    Ok(end)
}

fn connect_feeds(config: &Config, fetcher: &Fetcher) -> anyhow::Result<Exit> {
    let progress = progress(config.feeds.len(), "trying feeds");
    let mut tried = super::runtime()?.block_on(try_feeds(config, fetcher, &progress));
    progress.finish_and_clear();
    tried.sort_by_key(|tried| tried.index);
    let mut out = anstream::stdout().lock();
    print_tried(&mut out, &config.feeds, &tried)?;
    let failures = tried.iter().filter(|tried| tried.answer.is_err()).count();
    let answered = counted(tried.len() - failures, "feed");
    writeln!(out, "\n{answered} answered, {failures} did not")?;
    Ok(if failures == 0 { Exit::Fine } else { Exit::Failed })
}

/// Tries every feed: hosts side by side, the feeds of one host one after the other with the gap
/// that the configuration asks for.
async fn try_feeds(config: &Config, fetcher: &Fetcher, progress: &ProgressBar) -> Vec<Tried> {
    let mut hosts: BTreeMap<&str, Vec<(usize, &Feed)>> = BTreeMap::new();
    for (index, feed) in config.feeds.iter().enumerate() {
        hosts.entry(feed.url.host_str().unwrap_or_default()).or_default().push((index, feed));
    }
    let trying: Vec<_> =
        hosts.into_values().map(|feeds| try_host(config, fetcher, progress, feeds)).collect();
    let tried = stream::iter(trying).buffer_unordered(HOSTS_AT_ONCE);
    tried.collect::<Vec<_>>().await.into_iter().flatten().collect()
}

async fn try_host(
    config: &Config,
    fetcher: &Fetcher,
    progress: &ProgressBar,
    feeds: Vec<(usize, &Feed)>,
) -> Vec<Tried> {
    let mut tried = Vec::new();
    for (index, feed) in feeds {
        if !tried.is_empty() {
            tokio::time::sleep(config.politeness.host_gap).await;
        }
        tried.push(try_feed(index, feed, fetcher).await);
        progress.inc(1);
    }
    tried
}

async fn try_feed(index: usize, feed: &Feed, fetcher: &Fetcher) -> Tried {
    let failed = |why: String| Tried { index, answer: Err(why), entries: None, language: None };
    let answer = fetcher.fetch(feed, &Conditions::default()).await;
    let mut hold = BodyHold::unlimited();
    let body = match Errands::default().sitemaps(fetcher, feed, answer, &mut hold).await {
        Answer::Body(body) => body,
        // Nothing was sent that could be answered so.
        Answer::NotModified(_) => {
            return failed("not modified, though nothing was held".to_owned());
        }
        Answer::Failed(failure) => {
            return failed(format!("{}: {}", failure.class.name(), failure.detail));
        }
    };
    let steps = Steps::for_bytes(body.bytes.len());
    let (content_type, url) = (body.content_type.as_deref(), &body.final_url);
    let parsed = parse::parse(&body.bytes, content_type, url, feed.entries_max, &steps);
    let parsed = match parsed {
        Ok(parsed) => parsed,
        Err(failure) => return failed(format!("{}: {}", failure.class.name(), failure.detail)),
    };
    let mut answer = vec![format_name(parsed.format).to_owned()];
    answer.extend(body.moved_to.as_ref().map(|url| format!("moved to {}", feed.shown(url))));
    answer.extend(left_out(&parsed));
    answer.extend(needless_pages(feed, &parsed));
    let answer = answer.join(", ");
    let entries = Some(parsed.entries.len());
    Tried { index, answer: Ok(answer), entries, language: parsed.language }
}

/// That a feed is to have full texts from pages, and most of its entries have texts of their own.
fn needless_pages(feed: &Feed, parsed: &parse::ParsedFeed) -> Option<String> {
    let is_full = |entry: &&cw_model::Entry| {
        let text = entry.content.as_ref().or(entry.summary.as_ref());
        text.is_some_and(|text| text.value.chars().nth(TEASER_CHARS_MAX).is_some())
    };
    let full = parsed.entries.iter().filter(is_full).count();
    let is_needless = feed.full_text == FullText::Page && full * 2 > parsed.entries.len();
    let all = parsed.entries.len();
    let has = if full == 1 { "has" } else { "have" };
    is_needless
        .then(|| format!("fulltext is set, but {full} of {all} entries {has} a full text already"))
}

/// What people call a format.
pub(super) fn format_name(format: parse::FeedFormat) -> &'static str {
    match format {
        parse::FeedFormat::Rss => "RSS",
        parse::FeedFormat::Atom => "Atom",
        parse::FeedFormat::Json => "JSON Feed",
        parse::FeedFormat::Sitemap => "sitemap",
    }
}

/// The entries of a document that no record is made of.
fn left_out(parsed: &parse::ParsedFeed) -> Vec<String> {
    let unread: u64 = parsed.problems.iter().map(|problem| problem.entries).sum();
    let over = parsed.over_limit.as_ref().map_or(0, |problem| problem.entries);
    let of = |count: u64, what: &str| (count > 0).then(|| format!("{count} more {what}"));
    let unread = of(unread, "that cannot be read");
    let over = of(over, "past parse.entries_max");
    unread.into_iter().chain(over).collect()
}

fn print_tried(out: &mut impl Write, feeds: &[Feed], tried: &[Tried]) -> std::io::Result<()> {
    let mut table = Table::with_header(["feed", "entries", "claims", "answer"]);
    for tried in tried {
        let id = feeds.get(tried.index).map(|feed| feed.id.as_str()).unwrap_or_default();
        let entries = tried.entries.map(|count| count.to_string()).unwrap_or_default();
        let language = tried.language.as_deref().unwrap_or_default();
        let [id, entries, language] = [id, &entries, language].map(|text| cell(text, Style::new()));
        let (answer, style) = match &tried.answer {
            Ok(answer) => (answer, GOOD),
            Err(why) => (why, BAD),
        };
        table.row([id, entries, language, cell(answer, style)]);
    }
    table.write(out, Medium::of_stdout())
}

/// A cell of a table: what was found cannot steer the terminal, and what is hidden in it can be seen.
pub(super) fn cell(text: &str, style: Style) -> Text {
    Text::new(&shown(text), style)
}

/// A bar on standard error if that is a terminal, else nothing.
pub(super) fn progress(length: usize, doing: &'static str) -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let length = u64::try_from(length).unwrap_or(u64::MAX);
    let style = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len}")
        .expect("a literal template, built by the test `the_bar_has_a_template`")
        .progress_chars("=> ");
    ProgressBar::with_draw_target(Some(length), target).with_style(style).with_message(doing)
}

/// A spinner on standard error if that is a terminal, else nothing.
pub(super) fn spinner(doing: &'static str) -> ProgressBar {
    let spinner = progress(0, doing);
    spinner.set_style(ProgressStyle::default_spinner());
    spinner.enable_steady_tick(SPINNER_STEP);
    spinner
}

/// Prints every problem to standard error, those of one file under its name.
pub(super) fn print_problems(problems: &[Problem]) {
    let mut out = anstream::stderr().lock();
    // If standard error is gone there is nobody left to tell.
    let _gone = write_problems(&mut out, problems);
}

/// Prints what is perhaps not what was meant.
fn print_warnings(warnings: &[Problem]) {
    let mut out = anstream::stderr().lock();
    let head = Head { style: RISKY, word: "warning", noun: "warning" };
    let _gone = write_listed(&mut out, &head, warnings);
}

fn write_problems(out: &mut dyn Write, problems: &[Problem]) -> std::io::Result<()> {
    write_listed(out, &Head { style: BAD, word: "error", noun: "problem" }, problems)
}

/// What stands over the problems of a file.
struct Head {
    style: Style,
    word: &'static str,
    noun: &'static str,
}

fn write_listed(out: &mut dyn Write, head: &Head, problems: &[Problem]) -> std::io::Result<()> {
    let Head { style, word, noun } = head;
    for group in problems.chunk_by(|a, b| a.file == b.file) {
        let Some(first) = group.first() else { continue };
        let count = counted(group.len(), noun);
        writeln!(out, "{style}{word}:{style:#} {count} in {}", shown(&first.file))?;
        for problem in group {
            let line = problem.line.map(|line| format!("line {line}"));
            let place = match (problem.key.as_str(), line) {
                ("", None) => String::new(),
                ("", Some(line)) => format!("{line}: "),
                (key, None) => format!("{key}: "),
                (key, Some(line)) => format!("{key} ({line}): "),
            };
            writeln!(out, "  {}{}", shown(&place), shown(&problem.text))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use cw_model::FeedId;
    use url::Url;

    use super::*;
    use crate::config::Environment;

    fn problem(file: &str, line: Option<usize>, key: &str, text: &str) -> Problem {
        Problem { file: file.to_owned(), line, key: key.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn problems_stand_under_their_file() {
        let problems = [
            problem("a.toml", Some(3), "fetch.timeout", "11m is too long; use 1s to 10m"),
            problem("a.toml", Some(9), "", "column 5 is not TOML: unclosed table"),
            problem("feeds.toml", Some(14), "feed[2].url", "missing"),
            problem("environment", None, "CONFLICTWIRE__X", "is not a known key"),
        ];
        let mut out = Vec::new();
        write_problems(&mut anstream::StripStream::new(&mut out), &problems).unwrap();
        let expected = "\
error: 2 problems in a.toml
  fetch.timeout (line 3): 11m is too long; use 1s to 10m
  line 9: column 5 is not TOML: unclosed table
error: 1 problem in feeds.toml
  feed[2].url (line 14): missing
error: 1 problem in environment
  CONFLICTWIRE__X: is not a known key
";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn the_bar_has_a_template() {
        progress(1, "testing").finish_and_clear();
    }

    #[test]
    fn the_summary_counts_feeds_hosts_and_languages() {
        let home = Environment::from_iter([("HOME", "/home/ada")]);
        let mut config = config::load_from(None, &home).unwrap();
        for (url, language) in [
            ("https://example.org/a", Some("pt-BR")),
            ("https://example.org/b", Some("pt")),
            ("https://example.net/c", None),
        ] {
            let url = Url::parse(url).unwrap();
            let mut feed = config.feed_defaults.feed(FeedId::from_url(&url), url);
            feed.language = language.map(str::to_owned);
            config.feeds.push(feed);
        }
        assert_eq!(
            summary(&config),
            "3 feeds on 2 hosts, 1 language named; ledger sqlite at \
             /home/ada/.local/state/conflictwire/conflictwire.sqlite; configuration is fine \
             (no file, all defaults)"
        );
    }
}
