//! The real binary: how fast it starts, and what it holds when ten thousand feeds are idle.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use super::publisher::Publisher;
use super::running::{Daemon, Held, binary, pause, write_feeds};
use super::{median, now};

const FEEDS: u64 = 10_000;

/// Starts measured for each ledger.
const STARTS: usize = 7;

/// How long ten thousand first polls may take before the benchmark gives up.
const SWEEP_TIMEOUT: Duration = Duration::from_mins(20);

pub(crate) fn measure(scratch: &Path) -> anyhow::Result<()> {
    let folder = scratch.join("daemon");
    let _absent = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).context("could not make the daemon's folder")?;
    let publisher = Publisher::start()?;
    let many = configuration(&folder, "many", FEEDS, &publisher)?;

    let empty = starts(|round| configuration(&folder, &format!("one-{round}"), 1, &publisher))?;
    let sweep = sweep(&many, &publisher)?;
    let again = starts(|_| Ok(many.clone()))?;
    let restored = watch(&many)?;
    report(&folder, &empty, &again, &sweep, &restored)
}

/// The first polls of all feeds.
struct Sweep {
    took: Duration,
    held: Held,
    stopped_in: Duration,
}

/// A configuration file with feeds at the publisher, and a ledger of its own.
fn configuration(
    folder: &Path,
    name: &str,
    feeds: u64,
    publisher: &Publisher,
) -> anyhow::Result<PathBuf> {
    let port = publisher.address.port();
    let mut text = format!(
        "[schedule]\ninterval_min = \"4h\"\ninterval_max = \"4h\"\n\
         [fetch]\nhost_gap = \"0s\"\nallow_private_networks = [\"127.0.0.1/32\"]\n\
         [sqlite]\npath = \"{name}.sqlite\"\n[admin]\nlisten = \"127.0.0.1:0\"\n\
         [log]\nformat = \"json\"\n"
    );
    write_feeds(&mut text, 0..feeds, Publisher::host, port)?;
    let path = folder.join(format!("{name}.toml"));
    std::fs::write(&path, text).context("could not write a configuration")?;
    Ok(path)
}

/// Exec to the log line "polling", once for each configuration asked for.
fn starts(
    configuration: impl Fn(usize) -> anyhow::Result<PathBuf>,
) -> anyhow::Result<Vec<Duration>> {
    let start = |round| {
        let (daemon, took) = Daemon::start(&configuration(round)?)?;
        daemon.stop()?;
        Ok(took)
    };
    (0..STARTS).map(start).collect()
}

/// Polls every feed once and watches what is left.
fn sweep(configuration: &Path, publisher: &Publisher) -> anyhow::Result<Sweep> {
    let started = now();
    let (mut daemon, _) = Daemon::start(configuration)?;
    while daemon.polled()? < FEEDS {
        ensure!(
            Instant::elapsed(&started) < SWEEP_TIMEOUT,
            "only {} of {FEEDS} feeds were asked for, {} polls ended",
            publisher.served(),
            daemon.polled()?
        );
        pause(Duration::from_millis(100));
    }
    let took = Instant::elapsed(&started);
    let held = daemon.hold()?;
    let stopped_in = daemon.stop()?;
    Ok(Sweep { took, held, stopped_in })
}

/// Starts from the ledger and watches.
fn watch(configuration: &Path) -> anyhow::Result<Held> {
    let (mut daemon, _) = Daemon::start(configuration)?;
    let held = daemon.hold()?;
    daemon.stop()?;
    Ok(held)
}

#[expect(clippy::cast_precision_loss, reason = "sizes and counts, far below 2^53")]
fn report(
    folder: &Path,
    empty: &[Duration],
    again: &[Duration],
    sweep: &Sweep,
    restored: &Held,
) -> anyhow::Result<()> {
    let ledger = std::fs::metadata(folder.join("many.sqlite"))?.len();
    let megabytes = |kib: u64| kib as f64 * 1024.0 / 1e6;
    let milliseconds = |rounds: &[Duration]| {
        median(rounds).map_or(f64::NAN, |median| median.as_secs_f64() * 1000.0)
    };
    println!("## The daemon\n");
    println!("| | |\n|---|---:|");
    println!("| exec to polling, empty ledger | {:.0} ms |", milliseconds(empty));
    println!("| exec to polling, ledger of {FEEDS} feeds | {:.0} ms |", milliseconds(again));
    println!(
        "| first polls of {FEEDS} feeds, {} entries each, over HTTP and committed | {:.1} s |",
        super::corpus::FEED_ENTRIES,
        sweep.took.as_secs_f64()
    );
    println!("| the ledger then | {:.0} MB |", ledger as f64 / 1e6);
    let held = |name: &str, held: &Held| {
        println!("| {name}: resident | {:.0} MB |", megabytes(held.resident_kib));
        println!("| {name}: resident at most | {:.0} MB |", megabytes(held.peak_kib));
        println!("| {name}: processor, of one core | {:.2} % |", held.cpu_percent);
    };
    held("idle after the first polls", &sweep.held);
    held("idle after a restart", restored);
    println!("| SIGTERM to exit | {:.0} ms |", sweep.stopped_in.as_secs_f64() * 1000.0);
    let size = std::fs::metadata(binary())?.len();
    println!("| size of the binary | {:.1} MB |\n", size as f64 / 1e6);
    Ok(())
}
