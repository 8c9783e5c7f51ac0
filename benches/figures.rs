//! Measures the figures in `benches/README.md`, all in one run, and prints them as Markdown.
//!
//! `cargo bench --bench figures`, or `make bench`. Feeds are generated, the daemon is the real
//! binary, and what it is compared with is installed under `target/bench`. The time of a clean
//! build is measured only with `CONFLICTWIRE_BENCH_BUILD=1`, for it takes minutes. The part on Kafka
//! wants its jars (`tests/kafka/fetch.sh`, as `make bench` does); `CONFLICTWIRE_BENCH_KAFKA` is
//! "only" for nothing else, "none" to leave it out, or the names of its parts
//! ("throughput,takeover"). `cargo bench --bench figures -- costs` measures other things (`costs`), `-- memory` what a feed takes of it, `-- pages` the texts of pages, `-- polls`
//! what polls of known feeds take, `-- polling` the daemon with a hundred thousand feeds. This is not a test: nothing here fails because
//! it is slow.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

#[path = "../tests/constructions/mod.rs"]
mod constructions;
#[path = "figures/corpus.rs"]
mod corpus;
#[path = "figures/costs.rs"]
mod costs;
#[path = "figures/daemon.rs"]
mod daemon;
#[path = "figures/kafka/mod.rs"]
mod kafka;
#[path = "figures/memory.rs"]
mod memory;
#[path = "figures/pages.rs"]
mod pages;
#[path = "../tests/pages/mod.rs"]
mod pages_made;
#[path = "figures/parsing.rs"]
mod parsing;
#[path = "figures/polling.rs"]
mod polling;
#[path = "figures/polls.rs"]
mod polls;
#[path = "figures/publisher.rs"]
mod publisher;
#[path = "figures/running.rs"]
mod running;
#[path = "figures/words.rs"]
mod words;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

fn main() -> anyhow::Result<()> {
    // `cargo test --all-targets` runs this too, unoptimised, and means no measurement.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("nothing measured: run `cargo bench --bench figures`");
        return Ok(());
    }
    let scratch = scratch()?;
    if std::env::args().any(|argument| argument == "costs") {
        return costs::measure(&scratch);
    }
    if std::env::args().any(|argument| argument == "memory") {
        println!("{}\n", machine());
        return memory::measure(&scratch);
    }
    if std::env::args().any(|argument| argument == "pages") {
        return pages::measure();
    }
    if std::env::args().any(|argument| argument == "polls") {
        return polls::measure();
    }
    if std::env::args().any(|argument| argument == "polling") {
        println!("{}\n", machine());
        return polling::measure(&scratch);
    }
    println!("# Figures\n\n{}\n", machine());
    let kafka = switch("CONFLICTWIRE_BENCH_KAFKA");
    if ["", "none"].contains(&kafka.as_str()) {
        parsing::measure(&scratch)?;
        daemon::measure(&scratch)?;
    }
    if kafka != "none" {
        kafka::measure(&kafka)?;
    }
    if switch("CONFLICTWIRE_BENCH_BUILD") == "1" {
        build(&scratch)?;
    }
    println!("Load at the end: {}", load());
    Ok(())
}

/// `target/bench`, where everything this writes is.
fn scratch() -> anyhow::Result<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().context("no target folder")?;
    let scratch = target.join("bench");
    std::fs::create_dir_all(&scratch).context("could not make target/bench")?;
    Ok(scratch)
}

/// What the figures were taken on.
fn machine() -> String {
    let file = |path| std::fs::read_to_string(path).unwrap_or_default();
    let value = |text: &str, key: &str| {
        let line = text.lines().find(|line| line.starts_with(key))?;
        line.split_once(':').map(|(_, value)| value.trim().to_owned())
    };
    let model = value(&file("/proc/cpuinfo"), "model name").unwrap_or("unknown".to_owned());
    let memory = value(&file("/proc/meminfo"), "MemTotal").unwrap_or("unknown".to_owned());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = load();
    let rustc = Command::new("rustc").arg("--version").output();
    let rustc = rustc.map(|it| String::from_utf8_lossy(&it.stdout).trim().to_owned());
    format!(
        "{model}, {cores} cores, {memory} of memory, load {load} at the start, {}",
        rustc.unwrap_or_default()
    )
}

/// Processes that ran or wanted to, over the last minute: what a figure by the clock depends on.
fn load() -> String {
    let loads = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    loads.split(' ').next().unwrap_or_default().to_owned()
}

/// A variable of the environment; empty if it is not there.
#[expect(clippy::disallowed_methods, reason = "the benchmark's own switches, not the program's")]
fn switch(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

/// A release build from an empty target folder, the C libraries included.
fn build(scratch: &Path) -> anyhow::Result<()> {
    let target = scratch.join("build");
    let _absent = std::fs::remove_dir_all(&target);
    let started = now();
    let status = Command::new(env!("CARGO"))
        .args(["build", "--release", "--locked", "--bin", "conflictwire", "--target-dir"])
        .arg(&target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .context("could not start cargo")?;
    ensure!(status.success(), "the build did not succeed");
    let took = Instant::elapsed(&started).as_secs();
    println!(
        "A clean release build, sources already downloaded: {} min {} s",
        took / 60,
        took % 60
    );
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn now() -> Instant {
    Instant::now()
}

/// The middle one; of an even number, the upper of the two.
fn median(rounds: &[Duration]) -> Option<Duration> {
    let mut rounds = rounds.to_vec();
    rounds.sort_unstable();
    rounds.get(rounds.len() / 2).copied()
}
