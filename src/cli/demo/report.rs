//! What the demo prints: what is committed as it is committed, then what it came to.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anstyle::{AnsiColor, Style as Paint};
use cw_model::{EntryCounts, Outcome, PollResult, Record, Routed};
use tokio::time::Instant;

use crate::cli::show::text::Text;
use crate::cli::show::{Detail, Medium, QUIET, STRONG, Style, tag_paint, write_record};
use crate::cli::table::Table;
use crate::demo::progress::{AllProgress, FeedProgress, is_expected};
use crate::demo::script::{FEEDS, SHOWCASE};
use crate::demo::settings::HOST_GAP;
use crate::publisher::Exchange;

const GOOD: Paint = AnsiColor::Green.on_default();
const BAD: Paint = AnsiColor::Red.on_default();
const ODD: Paint = AnsiColor::Yellow.on_default();

/// How many tags the summary names, the most frequent first.
const TAGS_NAMED: usize = 16;

/// The column where the values of the summary begin.
const LABEL_COLUMNS: usize = 12;

/// How many polls of a feed are shown that brought nothing: the second says all there is to say.
const POLLS_SHOWN: u64 = 2;

/// What a demo came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run<'a> {
    pub(super) progress: &'a AllProgress,
    pub(super) requests: &'a [Exchange],
    pub(super) took: Duration,
    pub(super) ledger: &'a Path,
}

/// Prints a demo.
#[derive(Debug)]
pub(super) struct Report<W> {
    out: W,
    style: Style,
    showcase: Option<Record>,
    spacing: Spacing,
}

/// What the last line was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spacing {
    Text,
    Blank,
}

impl<W: Write> Report<W> {
    pub(super) fn new(out: W, style: Style) -> Self {
        Self { out, style, showcase: None, spacing: Spacing::Blank }
    }

    /// What it prints to.
    pub(super) fn medium(&self) -> Medium {
        self.style.medium
    }

    /// What is about to happen.
    pub(super) fn begin(&mut self, feeds: usize, port: u16) -> std::io::Result<()> {
        let what = format!(
            "{feeds} bundled feeds, served on 127.0.0.1:{port} under invented host names, are polled by \
             the daemon's own pipeline and committed to SQLite. Everything in them is made up."
        );
        for line in Text::new(&what, Paint::new()).wrap(self.style.columns()) {
            self.line(&line)?;
        }
        self.blank()
    }

    /// One committed outcome, the `polls`-th of its feed.
    pub(super) fn outcome(&mut self, outcome: &Outcome, polls: u64) -> std::io::Result<()> {
        if polls > POLLS_SHOWN && outcome.records.is_empty() {
            return Ok(());
        }
        self.rule(outcome, polls)?;
        for Routed { record, .. } in &outcome.records {
            if record.guid.as_deref() == Some(SHOWCASE) {
                self.showcase = Some(record.clone());
            }
            let has_tags = record.conflict.as_ref().is_some_and(|one| !one.tags.is_empty());
            if has_tags {
                if self.spacing == Spacing::Text && !is_first(record, outcome) {
                    self.blank()?;
                }
                self.record(record, Detail::Brief)?;
            } else {
                self.record(record, Detail::Line)?;
            }
        }
        if !outcome.records.is_empty() {
            self.blank()?;
        }
        self.out.flush()
    }

    fn record(&mut self, record: &Record, detail: Detail) -> std::io::Result<()> {
        write_record(&mut self.out, record, self.style.with_detail(detail))?;
        self.spacing = if detail == Detail::Line { Spacing::Text } else { Spacing::Blank };
        Ok(())
    }

    /// One empty line, however often it is asked for.
    fn blank(&mut self) -> std::io::Result<()> {
        if self.spacing == Spacing::Text {
            self.line(&Text::default())?;
        }
        self.spacing = Spacing::Blank;
        Ok(())
    }

    /// "── kestrel · poll 1 · 4 new ─────".
    fn rule(&mut self, outcome: &Outcome, polls: u64) -> std::io::Result<()> {
        let mut text = Text::new("── ", QUIET);
        text.push(outcome.feed_id.as_str(), STRONG);
        text.push(&format!(" · poll {polls} · "), QUIET);
        match &outcome.result {
            PollResult::Modified(counts) => text.push(&found(*counts), QUIET),
            PollResult::NotModified => text.push("304 Not Modified", QUIET),
            PollResult::Failed(failure) => {
                let name = failure.class.name();
                if is_expected(outcome.feed_id.as_str(), failure.class) {
                    text.push(&format!("{name}, as expected: "), ODD);
                } else {
                    text.push(&format!("{name}, not expected: "), BAD);
                }
                text.push(&failure.detail, QUIET);
            }
        }
        if let Some(url) = outcome.state.plan.lives_at().filter(|_| polls == 1) {
            text.push(&format!(", moved for good to {url}"), ODD);
        }
        if let Medium::Terminal { columns } = self.style.medium {
            text = text.cut(columns);
            let rest = columns.saturating_sub(text.columns() + 1);
            if rest > 0 {
                text.push(&format!(" {}", "─".repeat(rest)), QUIET);
            }
        }
        self.line(&text)
    }

    /// The summary, a line for each feed, and what to try next.
    pub(super) fn end(&mut self, run: &Run<'_>) -> std::io::Result<()> {
        self.blank()?;
        if let Some(record) = self.showcase.take() {
            self.title("One record in full")?;
            self.record(&record, Detail::Full)?;
        }
        self.title("What it came to")?;
        self.summary(run)?;
        self.title("Feed by feed")?;
        self.feeds(run.progress)?;
        self.verdict(run)?;
        self.next_steps(run.ledger)?;
        self.out.flush()
    }

    fn summary(&mut self, run: &Run<'_>) -> std::io::Result<()> {
        let total = run.progress.total();
        let conditional = run.requests.iter().filter(|one| one.request.is_conditional()).count();
        self.entry(
            "polls",
            &[
                plain(&format!(
                    "{}, of {} of {} feeds",
                    total.polls,
                    run.progress.polled(),
                    FEEDS.len()
                )),
                plain(&format!(
                    "{} requests, {conditional} of them conditional",
                    run.requests.len()
                )),
                plain(&format!("{} answered with 304", total.not_modified)),
                plain(&format!("{:.1} s", run.took.as_secs_f64())),
            ],
        )?;
        self.entry(
            "records",
            &[
                plain(&format!("{} committed", total.records)),
                plain(&format!("{} of them a later revision", total.revisions)),
                plain(&format!("{} with tags", total.tagged)),
                plain(&format!("{} in languages that have no lexicon yet", total.uncoded)),
            ],
        )?;
        let languages: Vec<_> = most_first(&total.languages)
            .into_iter()
            .map(|(language, count)| {
                let language = if language.is_empty() { "unknown" } else { language };
                plain(&format!("{language} {count}"))
            })
            .collect();
        self.entry("languages", &languages)?;
        let mut tags: Vec<_> = most_first(&total.tags)
            .into_iter()
            .map(|(id, count)| Text::new(&format!("{id} {count}"), tag_paint(id)))
            .collect();
        let others = tags.len().saturating_sub(TAGS_NAMED);
        tags.truncate(TAGS_NAMED);
        if others > 0 {
            tags.push(Text::new(&format!("and {others} more"), QUIET));
        }
        self.entry("tags", &tags)?;
        let failures: Vec<_> = failures(run.progress);
        self.entry("failures", &failures)?;
        if let Some(gap) =
            closest(run.requests.iter().map(|one| (one.request.host(), one.request.at)))
        {
            let text = format!(
                "requests to one host at least {:.1} s apart (the setting: {:.1} s)",
                gap.as_secs_f64(),
                HOST_GAP.as_secs_f64()
            );
            self.entry("politeness", &[plain(&text)])?;
        }
        self.blank()
    }

    /// A label and its values, wrapped under one another.
    fn entry(&mut self, label: &str, values: &[Text]) -> std::io::Result<()> {
        let columns = self.style.columns();
        let mut line = Text::new(&format!("  {label}"), QUIET).pad(LABEL_COLUMNS + 2);
        let mut is_first = true;
        for value in values {
            if !is_first && line.columns() + 3 + value.columns() > columns {
                self.line(&line)?;
                line = Text::default().pad(LABEL_COLUMNS + 2);
                is_first = true;
            }
            if !is_first {
                line.push(" · ", QUIET);
            }
            line.append(value.clone());
            is_first = false;
        }
        if values.is_empty() {
            line.push("none", QUIET);
        }
        self.line(&line)
    }

    fn feeds(&mut self, progress: &AllProgress) -> std::io::Result<()> {
        let mut table = Table::new();
        for feed in FEEDS {
            let progress = progress.of(feed);
            let missing = progress.missing(feed);
            let (mark, paint) = if missing.is_empty() { ("✓ ", GOOD) } else { ("✗ ", BAD) };
            let mut id = Text::new(mark, paint);
            id.push(feed.id, Paint::new());
            table.row([id, Text::new(feed.shows, QUIET), plain(&progress.seen())]);
            for what in missing {
                table.note(Text::new(&format!("      {what}"), BAD));
            }
        }
        table.indented(2).write(&mut self.out, self.style.medium)?;
        self.spacing = Spacing::Text;
        self.blank()
    }

    fn verdict(&mut self, run: &Run<'_>) -> std::io::Result<()> {
        let unmet: Vec<&str> = FEEDS
            .iter()
            .filter(|feed| !run.progress.of(feed).missing(feed).is_empty())
            .map(|feed| feed.id)
            .collect();
        let text = if unmet.is_empty() {
            Text::new("Every feed came to what it should.", GOOD.bold())
        } else {
            let names = unmet.join(", ");
            let count = unmet.len();
            Text::new(
                &format!(
                    "{count} of {} feeds did not come to what they should within {:.1} s: {names}",
                    FEEDS.len(),
                    run.took.as_secs_f64()
                ),
                BAD.bold(),
            )
        };
        self.line(&text)?;
        self.blank()
    }

    fn next_steps(&mut self, ledger: &Path) -> std::io::Result<()> {
        let path = quoted(&ledger.display().to_string());
        self.title("Try next")?;
        let steps = [
            (
                "search what was committed",
                format!("conflictwire search --database {path} ceasefire"),
            ),
            (
                "see the air strikes and bombs as consumers get them",
                format!("conflictwire tail --database {path} --tag strike --once --json"),
            ),
            ("watch the real feeds of config/feeds.toml", "conflictwire run".to_owned()),
        ];
        for (why, command) in steps {
            self.line(&Text::new(&format!("  {why}:"), QUIET))?;
            self.line(&Text::new(&format!("    {command}"), STRONG))?;
        }
        let note = "  In the source tree, `cargo run --release --` stands for `conflictwire`.";
        self.line(&Text::new(note, QUIET))
    }

    fn title(&mut self, text: &str) -> std::io::Result<()> {
        self.line(&Text::new(text, STRONG))
    }

    fn line(&mut self, text: &Text) -> std::io::Result<()> {
        self.spacing = Spacing::Text;
        self.style.write(&mut self.out, text)
    }
}

fn is_first(record: &Record, outcome: &Outcome) -> bool {
    outcome.records.first().is_some_and(|first| first.record.id == record.id)
}

fn plain(text: &str) -> Text {
    Text::new(text, Paint::new())
}

/// "4 new", "1 revised, 3 unchanged".
fn found(counts: EntryCounts) -> String {
    let parts: Vec<String> = [
        (counts.new, "new"),
        (counts.revised, "revised"),
        (counts.unchanged, "unchanged"),
        (counts.skipped, "skipped"),
        (counts.withdrawn, "withdrawn"),
        (counts.rejected, "refused"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {what}"))
    .collect();
    if parts.is_empty() { "nothing in it".to_owned() } else { parts.join(", ") }
}

fn most_first(counts: &BTreeMap<String, usize>) -> Vec<(&str, usize)> {
    let mut sorted: Vec<_> = counts.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    sorted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    sorted
}

/// Each class that was seen, and whether the script knew.
fn failures(progress: &AllProgress) -> Vec<Text> {
    let mut counts = BTreeMap::new();
    for feed in FEEDS {
        let progress: FeedProgress = progress.of(feed);
        for (class, count) in progress.failures {
            let key = (is_expected(feed.id, class), class.name());
            *counts.entry(key).or_insert(0) += count;
        }
    }
    counts
        .into_iter()
        .map(|((is_expected, class), count)| {
            if is_expected {
                Text::new(&format!("{class} {count} (expected)"), ODD)
            } else {
                Text::new(&format!("{class} {count} (not expected)"), BAD)
            }
        })
        .collect()
}

/// The shortest time between two requests to one host, those that a redirect sent there apart.
fn closest<'a>(requests: impl Iterator<Item = (&'a str, Instant)>) -> Option<Duration> {
    let mut last: BTreeMap<&str, Instant> = BTreeMap::new();
    let mut closest = None;
    for (host, at) in requests {
        if let Some(before) = last.insert(host, at) {
            let gap = at.saturating_duration_since(before);
            closest = Some(closest.map_or(gap, |least: Duration| least.min(gap)));
        }
    }
    closest
}

/// A path as a shell takes it.
fn quoted(path: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '+');
    if path.chars().all(is_plain) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use cw_model::{Failure, FailureClass, samples};

    use super::*;

    fn printed(print: impl FnOnce(&mut Report<Vec<u8>>)) -> String {
        let style = Style { medium: Medium::Pipe, detail: Detail::Brief };
        let mut report = Report::new(Vec::new(), style);
        print(&mut report);
        String::from_utf8(report.out).unwrap()
    }

    fn outcome(id: &str, result: PollResult) -> Outcome {
        Outcome { result, ..samples::outcome(id, 1, Vec::new()) }
    }

    #[test]
    fn each_outcome_has_a_line_that_says_what_came() {
        let counts = EntryCounts { new: 1, unchanged: 3, ..EntryCounts::default() };
        let failure = |class| Failure { class, detail: "why".to_owned(), retry_after: None };
        for (result, expected) in [
            (PollResult::NotModified, "── quillford · poll 2 · 304 Not Modified\n"),
            (PollResult::Modified(counts), "── quillford · poll 2 · 1 new, 3 unchanged\n"),
            (
                PollResult::Failed(failure(FailureClass::Html)),
                "── quillford · poll 2 · html, as expected: why\n",
            ),
            (
                PollResult::Failed(failure(FailureClass::Dns)),
                "── quillford · poll 2 · dns, not expected: why\n",
            ),
        ] {
            let outcome = outcome("quillford", result);
            assert_eq!(printed(|report| report.outcome(&outcome, 2).unwrap()), expected);
        }
    }

    #[test]
    fn an_end_without_any_poll_names_every_feed_as_unmet() {
        let progress = AllProgress::default();
        let run = Run {
            progress: &progress,
            requests: &[],
            took: Duration::from_secs(20),
            ledger: Path::new("/tmp/a b/conflictwire.db"),
        };
        let text = printed(|report| report.end(&run).unwrap());
        assert_eq!(text.matches("\n  ✗ ").count(), FEEDS.len(), "{text}");
        assert!(text.contains("21 of 21 feeds did not come to what they should"), "{text}");
        assert!(text.contains("search --database '/tmp/a b/conflictwire.db' ceasefire"), "{text}");
    }

    #[test]
    fn the_closest_requests_are_those_of_one_host() {
        let start = Instant::now();
        let request = |host, at| (host, start + Duration::from_millis(at));
        assert_eq!(closest([request("a", 0), request("b", 5)].into_iter()), None);
        let requests = [request("a", 0), request("b", 5), request("a", 300), request("a", 700)];
        assert_eq!(closest(requests.into_iter()), Some(Duration::from_millis(300)));
    }
}
