//! The real binary: how fast it starts, and what it holds when ten thousand feeds are idle.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use super::publisher::Publisher;
use super::{median, now};

const FEEDS: u64 = 10_000;

/// Starts measured for each ledger.
const STARTS: usize = 7;

/// How long ten thousand first polls may take before the benchmark gives up.
const SWEEP_TIMEOUT: Duration = Duration::from_mins(20);

/// How long an idle daemon is watched.
const IDLE: Duration = Duration::from_secs(20);

/// How long the daemon may be silent at start, and when stopping.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(2);

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

/// Memory of a process, and the processor time it takes when nothing is due.
struct Held {
    resident_kib: u64,
    peak_kib: u64,
    cpu_percent: f64,
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
         [log]\nformat = \"json\"\n[fetch.resolve]\n"
    );
    let mut hosts: Vec<String> = (0..feeds).map(Publisher::host).collect();
    hosts.dedup();
    for host in hosts {
        writeln!(text, "\"{host}\" = \"127.0.0.1\"")?;
    }
    for feed in 0..feeds {
        let host = Publisher::host(feed);
        writeln!(
            text,
            "[[feed]]\nid = \"feed-{feed}\"\nurl = \"http://{host}:{port}/feed/{feed}\""
        )?;
    }
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

/// A running `conflictwire run`.
struct Daemon {
    process: Child,
    admin: String,
    log: Receiver<serde_json::Value>,
}

impl Daemon {
    /// Starts it and waits until it polls: how long that took, from before exec.
    fn start(configuration: &Path) -> anyhow::Result<(Self, Duration)> {
        let started = now();
        let mut process = Command::new(binary())
            .args(["run", "--config"])
            .arg(configuration)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("could not start {}", binary()))?;
        let stderr = process.stderr.take().context("the daemon has no standard error")?;
        let (send, log) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let text = || serde_json::Value::String(line.clone());
                // Nobody listens any more once the daemon polls.
                let _gone = send.send(serde_json::from_str(&line).unwrap_or_else(|_| text()));
            }
        });
        let mut daemon = Self { process, admin: String::new(), log };
        loop {
            let line =
                daemon.log.recv_timeout(ANSWER_TIMEOUT).context("the daemon does not poll")?;
            if let Some(address) = line.get("admin.address").and_then(|it| it.as_str()) {
                address.clone_into(&mut daemon.admin);
            }
            match line.get("message").and_then(|message| message.as_str()) {
                Some("polling") => return Ok((daemon, Instant::elapsed(&started))),
                Some(_) => {}
                None => bail!("the daemon says {line}"),
            }
        }
    }

    /// Polls that ended and were committed, by its own count.
    fn polled(&mut self) -> anyhow::Result<u64> {
        if let Some(status) = self.process.try_wait()? {
            let said: Vec<String> = self.log.try_iter().map(|line| line.to_string()).collect();
            bail!("the daemon ended with {status}: {}", said.join("\n"));
        }
        let mut stream = TcpStream::connect(&self.admin).context("the admin server is away")?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let count = |line: &str| line.split(' ').nth(1)?.parse::<u64>().ok();
        let polls = answer.lines().filter(|line| line.starts_with("conflictwire_polls_total{"));
        Ok(polls.filter_map(count).sum())
    }

    /// What it holds after being idle for a while.
    #[expect(clippy::cast_precision_loss, reason = "clock ticks of seconds")]
    fn hold(&mut self) -> anyhow::Result<Held> {
        // Clock ticks a second, on every Linux that Rust runs on.
        const TICKS: f64 = 100.0;
        // The last commit's memory is given back before the watch begins.
        pause(Duration::from_secs(2));
        let before = self.ticks()?;
        pause(IDLE);
        let ticks = self.ticks()? - before;
        let status = self.proc("status")?;
        let kib = |key: &str| {
            let line = status.lines().find(|line| line.starts_with(key))?;
            line.split_whitespace().nth(1)?.parse().ok()
        };
        Ok(Held {
            resident_kib: kib("VmRSS:").context("no VmRSS")?,
            peak_kib: kib("VmHWM:").context("no VmHWM")?,
            cpu_percent: ticks as f64 / TICKS / IDLE.as_secs_f64() * 100.0,
        })
    }

    /// Processor time used, in clock ticks (proc(5): fields 14 and 15 of stat).
    fn ticks(&self) -> anyhow::Result<u64> {
        let stat = self.proc("stat")?;
        let after_name = stat.rsplit(')').next().context("an odd stat")?;
        let fields = after_name.split_whitespace().skip(11).take(2);
        Ok(fields.filter_map(|field| field.parse::<u64>().ok()).sum())
    }

    fn proc(&self, file: &str) -> anyhow::Result<String> {
        let path = format!("/proc/{}/{file}", self.process.id());
        std::fs::read_to_string(&path).with_context(|| format!("could not read {path}"))
    }

    /// SIGTERM, and how long it took to end well.
    fn stop(mut self) -> anyhow::Result<Duration> {
        let started = now();
        let kill = format!("kill -TERM {}", self.process.id());
        ensure!(Command::new("sh").args(["-c", &kill]).status()?.success(), "could not {kill}");
        let status = self.process.wait()?;
        ensure!(status.success(), "the daemon ended with {status}");
        Ok(Instant::elapsed(&started))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Only after an error; a daemon that was stopped has been waited for.
        let _ended = self.process.kill();
        let _waited = self.process.wait();
    }
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

/// The binary that cargo built for this benchmark, with the release profile.
fn binary() -> &'static str {
    env!("CARGO_BIN_EXE_conflictwire")
}

/// Waits for a process that is not ours to wake us.
#[expect(clippy::disallowed_methods, reason = "a benchmark has no runtime to block")]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}
