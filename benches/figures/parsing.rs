//! Feed bytes to records: `process` and the records' JSON, on one core and on all, beside Python's
//! feedparser on the same files.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use cw_code::{Sources, Tagger};
use cw_decide::process::{process, process_within};
use cw_model::state::FeedState;
use cw_model::{
    Answer, Body, Feed, FeedId, Outcome, PollResult, Routed, Steps, Timestamp, samples,
};
use url::Url;

use super::corpus::{Document, Format, documents};
use super::{median, now};

/// Enough that one pass takes seconds, small enough for every cache but the processor's.
const CORPUS_BYTES: usize = 20_000_000;

/// Passes over the corpus, each of them measured for everybody in turn.
const ROUNDS: usize = 5;

/// The versions measured against, so that the figures can be had again.
const FEEDPARSER: [&str; 2] = ["feedparser==6.0.14", "feedparser-sgmllib==2.1.0"];

/// What is measured over and over: a feed's poll up to its outcome.
pub(crate) struct Poll {
    pub(crate) feed: Feed,
    pub(crate) answer: Answer,
    format: Format,
    pub(crate) bytes: usize,
    entries: u64,
}

/// What one pass over the corpus gave.
#[derive(Clone, Copy, Default)]
struct Yield {
    entries: u64,
    coded: u64,
    relevant: u64,
    record_bytes: usize,
}

impl Yield {
    fn add(self, other: Self) -> Self {
        Self {
            entries: self.entries + other.entries,
            coded: self.coded + other.coded,
            relevant: self.relevant + other.relevant,
            record_bytes: self.record_bytes + other.record_bytes,
        }
    }
}

/// One reader's passes.
struct Line {
    reader: String,
    bytes: usize,
    entries: u64,
    rounds: Vec<Duration>,
}

pub(crate) fn measure(scratch: &Path) -> anyhow::Result<()> {
    let documents = documents(CORPUS_BYTES);
    let files = write_corpus(&scratch.join("corpus"), &documents)?;
    let polls = documents.iter().map(Poll::new).collect::<anyhow::Result<Vec<_>>>()?;
    let xml: Vec<&Poll> = polls.iter().filter(|poll| poll.format != Format::Json).collect();
    let all: Vec<&Poll> = polls.iter().collect();
    let tagger = tagger()?;

    // Nobody's first pass counts: caches fill, and every reader proves that it reads everything.
    let whole = pass(&all, &tagger);
    let expected = |polls: &[&Poll]| polls.iter().map(|poll| poll.entries).sum::<u64>();
    ensure!(
        whole.entries == expected(&all),
        "{} of {} entries became records",
        whole.entries,
        expected(&all)
    );
    let mut feedparser = match Feedparser::start(scratch, &files) {
        Ok(mut feedparser) => {
            let (_, entries) = feedparser.pass()?;
            ensure!(entries == expected(&xml), "feedparser read {entries} of {}", expected(&xml));
            Some(feedparser)
        }
        Err(error) => {
            println!("feedparser is not measured: {error:#}\n");
            None
        }
    };

    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut one_xml = Line::new("conflictwire, RSS and Atom, one core", &xml);
    let mut python = Line::new("feedparser, RSS and Atom, one core", &xml);
    let mut one = Line::new("conflictwire, with JSON Feed, one core", &all);
    let mut every = Line::new(&format!("conflictwire, with JSON Feed, {cores} cores"), &all);
    for _ in 0..ROUNDS {
        one_xml.rounds.push(worked(|| pass(&xml, &tagger))?);
        if let Some(feedparser) = &mut feedparser {
            python.rounds.push(feedparser.pass()?.0);
        }
        one.rounds.push(worked(|| pass(&all, &tagger))?);
        every.rounds.push(timed(|| pass_on(cores, &all, &tagger)));
    }
    report(&whole, polls.len(), &[&one_xml, &python, &one, &every], feedparser.as_ref());
    Ok(())
}

/// The built-in one, with its default threshold.
pub(crate) fn tagger() -> anyhow::Result<Tagger> {
    Tagger::new(&Sources::built_in(), 0.5)
        .map_err(|problems| anyhow::anyhow!("the built-in lexicons do not load: {problems:?}"))
}

impl Poll {
    pub(crate) fn new(document: &Document) -> anyhow::Result<Self> {
        let url = Url::parse(&format!("https://feeds.example/{}", document.name))?;
        let feed = Feed {
            interval_min: Duration::from_mins(5),
            interval_max: Duration::from_hours(4),
            retry_after_max: Duration::from_hours(24),
            ..samples::feed(FeedId::from_url(&url).as_str(), url.clone())
        };
        let content_type = match document.format {
            Format::Rss => "application/rss+xml",
            Format::Atom => "application/atom+xml",
            Format::Json => "application/feed+json",
        };
        let content_type = Some(content_type.to_owned());
        let answer = Answer::Body(Body { content_type, ..Body::of(document.bytes.clone(), url) });
        let (format, entries) = (document.format, document.entries);
        Ok(Self { feed, answer, format, bytes: document.bytes.len(), entries })
    }

    /// As for a feed seen for the first time: every entry becomes a record.
    fn run(&self, tagger: &Tagger, now: Timestamp) -> Yield {
        written(&self.outcome(tagger, now))
    }

    /// The outcome of that.
    pub(crate) fn outcome(&self, tagger: &Tagger, now: Timestamp) -> Outcome {
        let outcome = process(&self.feed, &self.answer, &FeedState::default(), tagger, now);
        if let PollResult::Failed(failure) = &outcome.result {
            println!("{}: {}", self.feed.id, failure.detail);
        }
        outcome
    }

    /// The same, with so many steps.
    pub(crate) fn outcome_within(&self, tagger: &Tagger, now: Timestamp, steps: &Steps) -> Outcome {
        process_within(&self.feed, &self.answer, &FeedState::default(), tagger, now, steps)
    }
}

/// The records as the ledger writes them.
fn written(outcome: &Outcome) -> Yield {
    let mut sum = Yield::default();
    for Routed { record, .. } in &outcome.records {
        let json = serde_json::to_vec(record).expect("a record is strings and numbers");
        sum.entries += 1;
        sum.coded += u64::from(record.conflict.is_some());
        sum.relevant += u64::from(record.conflict.as_ref().is_some_and(|it| it.relevant));
        sum.record_bytes += std::hint::black_box(json).len();
    }
    sum
}

fn pass(polls: &[&Poll], tagger: &Tagger) -> Yield {
    let at = poll_time();
    polls.iter().map(|poll| poll.run(tagger, at)).fold(Yield::default(), Yield::add)
}

/// The same, each thread taking the next poll until there is none.
fn pass_on(threads: usize, polls: &[&Poll], tagger: &Tagger) -> Yield {
    let next = AtomicUsize::new(0);
    let at = poll_time();
    let work = || {
        let take = || polls.get(next.fetch_add(1, Ordering::Relaxed));
        std::iter::from_fn(take).map(|poll| poll.run(tagger, at)).fold(Yield::default(), Yield::add)
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let yields = workers.into_iter().map(|it| it.join().expect("no poll panics"));
        yields.fold(Yield::default(), Yield::add)
    })
}

/// A little after the newest entry, so that every date is believed.
pub(crate) fn poll_time() -> Timestamp {
    "2026-03-01T13:00:00Z".parse().expect("a literal that is RFC 3339")
}

/// The processor time that a thread of ours took: what one core can do, whatever else the machine
/// does meanwhile.
fn worked<T>(work: impl FnOnce() -> T) -> anyhow::Result<Duration> {
    let before = processor_time()?;
    std::hint::black_box(work());
    Ok(processor_time()? - before)
}

/// Nanoseconds this thread has run (Linux, scheduler statistics: the first field).
pub(crate) fn processor_time() -> anyhow::Result<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").context("no schedstat")?;
    let nanoseconds = text.split(' ').next().context("an empty schedstat")?.parse()?;
    Ok(Duration::from_nanos(nanoseconds))
}

/// By the clock on the wall.
fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let started = now();
    std::hint::black_box(work());
    Instant::elapsed(&started)
}

impl Line {
    fn new(reader: &str, polls: &[&Poll]) -> Self {
        Self {
            reader: reader.to_owned(),
            bytes: polls.iter().map(|poll| poll.bytes).sum(),
            entries: polls.iter().map(|poll| poll.entries).sum(),
            rounds: Vec::new(),
        }
    }

    /// Megabytes and entries a second, by the median round.
    #[expect(clippy::cast_precision_loss, reason = "megabytes, far below 2^53")]
    fn speed(&self) -> Option<(f64, f64)> {
        let seconds = median(&self.rounds)?.as_secs_f64();
        Some((self.bytes as f64 / 1e6 / seconds, self.entries as f64 / seconds))
    }
}

#[expect(clippy::cast_precision_loss, reason = "megabytes and counts, far below 2^53")]
fn report(whole: &Yield, documents: usize, lines: &[&Line], feedparser: Option<&Feedparser>) {
    println!("## Feed bytes to records\n");
    println!(
        "{documents} generated documents (RSS, Atom, JSON Feed; half of them English), {:.1} MB, \
         {} entries -> {} records, {:.1} MB of JSON. {} are in a language with a lexicon, {} are \
         relevant.",
        lines.iter().map(|line| line.bytes).max().unwrap_or_default() as f64 / 1e6,
        whole.entries,
        whole.entries,
        whole.record_bytes as f64 / 1e6,
        whole.coded,
        whole.relevant,
    );
    println!(
        "conflictwire: parse, normalise, dedupe, tag, record as JSON. Median of {ROUNDS} rounds; one \
         core by its processor time, all cores by the clock."
    );
    if let Some(feedparser) = feedparser {
        println!(
            "feedparser {}: entries only; no clean text, identity, tags or records.",
            feedparser.version
        );
    }
    println!("\n| reader | MB/s | entries/s |\n|---|---:|---:|");
    for line in lines {
        if let Some((megabytes, entries)) = line.speed() {
            println!("| {} | {megabytes:.1} | {entries:.0} |", line.reader);
        }
    }
    if let [ours, theirs, ..] = lines
        && let (Some((ours, _)), Some((theirs, _))) = (ours.speed(), theirs.speed())
    {
        println!("| ratio, same files, one core each | {:.1} | |", ours / theirs);
    }
    println!();
}

/// Writes every document to a file; gives back those that feedparser reads too (not JSON Feed).
fn write_corpus(folder: &Path, documents: &[Document]) -> anyhow::Result<Vec<PathBuf>> {
    let _absent = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder).context("could not make the corpus folder")?;
    let mut files = Vec::new();
    for document in documents {
        let path = folder.join(&document.name);
        std::fs::write(&path, &document.bytes).context("could not write the corpus")?;
        if document.format != Format::Json {
            files.push(path);
        }
    }
    Ok(files)
}

/// A Python that holds the files in memory and parses them when told.
struct Feedparser {
    python: Child,
    answers: std::io::Lines<BufReader<std::process::ChildStdout>>,
    version: String,
}

impl Feedparser {
    fn start(scratch: &Path, files: &[PathBuf]) -> anyhow::Result<Self> {
        let python = install(&scratch.join("venv"))?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/feedparser.py");
        // Isolated: the script's own folder would come before the package of the same name.
        let mut python = Command::new(python)
            .arg("-I")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("could not start python")?;
        let stdin = python.stdin.as_mut().context("python has no standard input")?;
        for file in files {
            writeln!(stdin, "{}", file.display())?;
        }
        writeln!(stdin)?;
        let stdout = python.stdout.take().context("python has no standard output")?;
        let mut answers = BufReader::new(stdout).lines();
        let version = answers.next().context("feedparser does not load")??;
        let version = version.replace(' ', ", Python ");
        Ok(Self { python, answers, version })
    }

    /// Parses every file once: the processor time it took and how many entries there were.
    fn pass(&mut self) -> anyhow::Result<(Duration, u64)> {
        let stdin = self.python.stdin.as_mut().context("python has no standard input")?;
        writeln!(stdin, "go")?;
        let answer = self.answers.next().context("python ended")??;
        let (seconds, entries) = answer.split_once(' ').context("not \"seconds entries\"")?;
        Ok((Duration::from_secs_f64(seconds.parse()?), entries.parse()?))
    }
}

impl Drop for Feedparser {
    fn drop(&mut self) {
        // End of input ends it; and there is nobody left to tell if it does not.
        drop(self.python.stdin.take());
        let _ended = self.python.wait();
    }
}

/// A virtual environment with feedparser, made once.
fn install(venv: &Path) -> anyhow::Result<PathBuf> {
    let python = venv.join("bin/python");
    let succeeds = |command: &mut Command| {
        let quiet = command.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null());
        quiet.status().is_ok_and(|status| status.success())
    };
    if !python.exists() {
        ensure!(
            succeeds(Command::new("python3").args(["-m", "venv"]).arg(venv)),
            "no python3 venv"
        );
    }
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--disable-pip-version-check", "--no-deps"]).args(FEEDPARSER);
    ensure!(succeeds(&mut pip), "pip could not install {}", FEEDPARSER.join(" and "));
    Ok(python)
}
