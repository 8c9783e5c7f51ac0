//! What documents made to cost more than their length says do cost: steps, processor time and memory,
//! as a table in Markdown.
//!
//! `cargo bench --bench figures -- costs`. With `--before FILE`, another build of `conflictwire` reads
//! the same documents, for columns beside those of this one; with `--only TEXT`, those alone whose name
//! holds that text. The documents are written to `target/bench/costs`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use cw_code::Tagger;
use cw_model::{PollResult, Steps};

use super::constructions::documents::{DOCUMENTS, ENTRIES, rss};
use super::constructions::texts::TEXTS;
use super::constructions::{many, numbered};
use super::corpus::{Document, Format};
use super::now;
use super::parsing::{Poll, poll_time, processor_time, tagger};

/// The length of each document; growth is from half of it.
const BYTES: usize = 2_000_000;

/// A document that takes longer than this is not waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks at what a process takes.
const LOOK: Duration = Duration::from_millis(3);

/// What reading one document came to, in this process.
struct Cost {
    steps: u64,
    allowed: u64,
    time: Duration,
    class: &'static str,
}

/// What a process that read it took.
struct Taken {
    /// `None` if it was not waited for.
    time: Option<Duration>,
    peak_bytes: u64,
}

pub(crate) fn measure(scratch: &Path) -> anyhow::Result<()> {
    let (before, only) = (argument("--before"), argument("--only").unwrap_or_default());
    let folder = scratch.join("costs");
    std::fs::create_dir_all(&folder).context("could not make a folder for the documents")?;
    let tagger = tagger()?;
    println!(
        "| document of {} MB | comes to | steps, millions | of those allowed | ns a step | growth of \
         steps, of time | CPU s | MB | CPU s before | MB before |\n|---|---|---|---|---|---|---|---|---|---|",
        BYTES / 1_000_000
    );
    let (mut steps, mut time) = (0, Duration::ZERO);
    for (name, make) in documents().into_iter().filter(|(name, _)| name.contains(&only)) {
        let half = cost(make(BYTES / 2), &tagger)?;
        let document = make(BYTES);
        let file = folder.join(format!("{}.xml", name.replace(' ', "-")));
        std::fs::write(&file, &document).context("could not write a document")?;
        let whole = cost(document, &tagger)?;
        let ours = read_by(Path::new(env!("CARGO_BIN_EXE_conflictwire")), &file, &folder)?;
        let theirs =
            before.as_ref().map(|before| read_by(Path::new(before), &file, &folder)).transpose()?;
        print(name, &half, &whole, &ours, theirs.as_ref());
        (steps, time) = (steps + whole.steps, time + whole.time);
    }
    print_sum(steps, time);
    Ok(())
}

/// A name, and what makes a document of so many bytes.
type Made = (&'static str, Box<dyn Fn(usize) -> String>);

/// Every construction, as a whole document.
fn documents() -> Vec<Made> {
    let empty: Made = ("(nothing)", Box::new(|_| rss("")));
    let texts = TEXTS.iter().map(|(name, text)| {
        let make: Box<dyn Fn(usize) -> String> = Box::new(|bytes| entries_with(*text, bytes));
        (*name, make)
    });
    let all = DOCUMENTS.iter().copied().chain([ENTRIES]).flatten();
    let entries = all.map(|(name, document)| {
        let make: Box<dyn Fn(usize) -> String> = Box::new(*document);
        (*name, make)
    });
    std::iter::once(empty).chain(texts).chain(entries).collect()
}

fn cost(document: String, tagger: &Tagger) -> anyhow::Result<Cost> {
    let bytes = document.into_bytes();
    let allowed = Steps::for_bytes(bytes.len()).allowed();
    let name = "costs".to_owned();
    let poll = Poll::new(&Document { name, format: Format::Rss, bytes, entries: 0 })?;
    // As many as it takes, also where it would be refused.
    let steps = Steps::new(u64::MAX);
    let before = processor_time()?;
    let outcome = poll.outcome_within(tagger, poll_time(), &steps);
    let time = processor_time()? - before;
    let class = match &outcome.result {
        PollResult::Failed(failure) => failure.class.name(),
        PollResult::Modified(_) if steps.spent() > allowed => "too_costly",
        PollResult::Modified(_) | PollResult::NotModified => "read",
    };
    Ok(Cost { steps: steps.spent(), allowed, time, class })
}

#[expect(clippy::disallowed_methods, reason = "nothing else runs in a benchmark meanwhile")]
/// Lets a build read a document, and looks what it takes meanwhile.
fn read_by(binary: &Path, document: &Path, folder: &Path) -> anyhow::Result<Taken> {
    let before = children_time()?;
    let mut process = Command::new(binary)
        .arg("poll")
        .arg(document)
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("could not start {}", binary.display()))?;
    let status = PathBuf::from(format!("/proc/{}/status", process.id()));
    let started = now();
    let mut peak_bytes = 0;
    let mut in_time = true;
    while process.try_wait()?.is_none() {
        let status = std::fs::read_to_string(&status).unwrap_or_default();
        peak_bytes = peak_bytes.max(peak_of(&status).unwrap_or_default());
        if Instant::elapsed(&started) > PATIENCE {
            process.kill()?;
            in_time = false;
        }
        sleep(LOOK);
    }
    let time = children_time()?.saturating_sub(before);
    ensure!(peak_bytes > 0, "{} ended before anybody looked", binary.display());
    Ok(Taken { time: in_time.then_some(time), peak_bytes })
}

fn peak_of(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// The processor time of all children that have ended (proc(5): fields 16 and 17, in hundredths).
fn children_time() -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").context("no /proc/self/stat")?;
    // The second field is a name that may hold anything but ends in a bracket.
    let (_, rest) = stat.rsplit_once(')').context("no name in /proc/self/stat")?;
    let fields = rest.split_whitespace().skip(13).take(2);
    let ticks: u64 = fields.map(str::parse::<u64>).sum::<Result<_, _>>()?;
    Ok(Duration::from_millis(ticks * 10))
}

#[expect(clippy::cast_precision_loss, reason = "what is printed has two digits")]
fn print(name: &str, half: &Cost, whole: &Cost, ours: &Taken, theirs: Option<&Taken>) {
    let ratio = |two: f64, one: f64| two / one.max(1e-9);
    let nanoseconds = ratio(whole.time.as_nanos() as f64, whole.steps as f64);
    let steps = ratio(whole.steps as f64, half.steps as f64);
    // What takes next to nothing grows at random.
    let time = if half.time < Duration::from_millis(20) {
        "–".to_owned()
    } else {
        format!("{:.2}", ratio(whole.time.as_secs_f64(), half.time.as_secs_f64()))
    };
    let share = 100.0 * ratio(whole.steps as f64, whole.allowed as f64);
    let taken = |taken: &Taken| {
        let time = taken.time.map_or(format!("> {}", PATIENCE.as_secs()), |time| {
            format!("{:.2}", time.as_secs_f64())
        });
        format!("{time} | {}", taken.peak_bytes / 1_000_000)
    };
    let theirs = theirs.map_or(" | ".to_owned(), taken);
    println!(
        "| {name} | {} | {:.1} | {share:.0} % | {nanoseconds:.1} | {steps:.2}, {time} | {} | {theirs} |",
        whole.class,
        whole.steps as f64 / 1e6,
        taken(ours),
    );
}

/// An RSS document of entries with a text, none of them longer than what is kept of one.
fn entries_with(text: fn(usize) -> String, bytes: usize) -> String {
    /// What is kept of one by default, so that nothing is made in vain.
    const TEXT_BYTES: usize = 90_000;
    /// More than is looked at to see that it is English, which is coded.
    const ENGLISH: &str = "The city council approved a budget that adds some buses. ";
    const ENGLISH_BYTES: usize = 2500;
    let description = |bytes| {
        let text = format!("{}{}", many(ENGLISH, ENGLISH_BYTES), text(bytes));
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        format!("<description>{text}</description>")
    };
    let whole = format!("<item>{}</item>", description(bytes.min(TEXT_BYTES)));
    let item = |number: usize| whole.replacen("<item>", &format!("<item><guid>{number}</guid>"), 1);
    rss(&numbered(item, bytes))
}

/// What a step is worth, over all documents.
#[expect(clippy::cast_precision_loss, reason = "what is printed has two digits")]
fn print_sum(steps: u64, time: Duration) {
    const LARGEST: usize = 16 << 20;
    let a_second = steps as f64 / time.as_secs_f64().max(1e-9);
    let longest = Steps::for_bytes(LARGEST).allowed() as f64 / a_second;
    println!(
        "\nA second of processor time is {:.0} million steps, all of these together. The largest \
         document, 16 MiB, may take {longest:.0} s.",
        a_second / 1e6
    );
}

/// What follows a name on the command line.
fn argument(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}
