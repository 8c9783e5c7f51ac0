//! A hundred thousand feeds, asked over HTTP by the real binary: how late, at what cost; then how many a second at most,
//! beside a bare client.
//!
//! `make bench-polling`. `CONFLICTWIRE_BENCH_FEEDS` and `CONFLICTWIRE_BENCH_MINUTES` make it smaller: feeds, and the
//! minutes between two polls of each. Everything is on loopback; the server shares the processors with what is measured.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use conflictwire::publisher::{Reply, Request, Server};
use tokio_util::sync::DropGuard;

use super::publisher::Publisher;
use super::running::{Daemon, pause, write_feeds};
use super::{corpus, now, switch};

const FEEDS: u64 = 100_000;
const MINUTES: u64 = 15;

/// Feeds that are asked as often as can be, and for how long.
const FLAT_OUT_FEEDS: u64 = 20_000;
const FLAT_OUT: Duration = Duration::from_secs(20);

/// Requests in flight then, of the daemon and of the bare client.
const IN_FLIGHT: u64 = 64;

/// Different publishers, how many documents each has, and how many entries of the next are new.
const SITES: u64 = 32;
const DOCUMENTS: u64 = 48;
const NEW: u64 = 3;

/// How long a daemon settles before it is watched.
const SETTLING: Duration = Duration::from_secs(20);

pub(crate) fn measure(scratch: &Path) -> anyhow::Result<()> {
    let feeds = number("CONFLICTWIRE_BENCH_FEEDS", FEEDS)?;
    let interval = Duration::from_mins(number("CONFLICTWIRE_BENCH_MINUTES", MINUTES)?);
    let folder = scratch.join("polling");
    let _absent = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).context("could not make the folder of the measurement")?;
    let server = Publishers::start(feeds.max(FLAT_OUT_FEEDS))?;
    println!("| | |\n|---|---:|");
    sustained(&folder, &server, feeds, interval)?;
    println!(
        "\n| feeds, due again a second after each poll | polls a second | s of a core per 1,000 | kB written to disk a poll | a bare reqwest client, requests a second | share |"
    );
    println!("|---|---:|---:|---:|---:|---:|");
    for kind in Kind::ALL {
        flat_out(&folder, &server, kind)?;
    }
    std::fs::remove_dir_all(&folder).context("could not remove the ledgers")
}

fn number(variable: &str, default: u64) -> anyhow::Result<u64> {
    let said = switch(variable);
    if said.is_empty() {
        return Ok(default);
    }
    said.parse().with_context(|| format!("{variable} is no number: {said}"))
}

/// What a feed is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// 304 to whoever has the document.
    NotModified,
    /// The same document, without a validator.
    Unchanged,
    /// A document with new entries each time.
    New,
}

impl Kind {
    const ALL: [Self; 3] = [Self::NotModified, Self::Unchanged, Self::New];

    /// Of five feeds three are answered 304.
    fn of(feed: u64) -> Self {
        match feed % 5 {
            0..3 => Self::NotModified,
            3 => Self::Unchanged,
            _ => Self::New,
        }
    }

    fn shown(self) -> &'static str {
        match self {
            Self::NotModified => "answered 304",
            Self::Unchanged => "the same document of 20 teasers",
            Self::New => "20 teasers, 3 of them new",
        }
    }
}

/// Feeds of all kinds at an even load.
fn sustained(
    folder: &Path,
    server: &Publishers,
    feeds: u64,
    interval: Duration,
) -> anyhow::Result<()> {
    let all: Vec<u64> = (0..feeds).collect();
    let settings = Settings { interval, concurrency: None };
    let configuration = configuration(folder, "sustained", &all, server, &settings)?;
    let (mut daemon, first) = Daemon::start(&configuration)?;
    while daemon.polled()? < feeds {
        pause(Duration::from_secs(1));
    }
    let stopped = daemon.stop()?;
    let (mut daemon, again) = Daemon::start(&configuration)?;
    pause(SETTLING);

    let (waits, before) = (waits(&daemon.metrics()?)?, daemon.polled()?);
    let (processor, written, started) = (daemon.processor_time()?, daemon.written()?, now());
    let mut descriptors = 0;
    while Instant::elapsed(&started) < interval {
        pause(Duration::from_secs(1));
        descriptors = descriptors.max(daemon.descriptors()?);
    }
    let took = Instant::elapsed(&started).as_secs_f64();
    let polls = daemon.polled()? - before;
    let processor = (daemon.processor_time()? - processor).as_secs_f64();
    let written = daemon.written()? - written;
    let waited = Waits::between(&waits, &self::waits(&daemon.metrics()?)?);
    let [resident, peak] = daemon.resident_kib()?.map(megabytes);
    daemon.stop()?;
    ensure!(polls > 0, "nothing was polled");

    let minutes = interval.as_secs() / 60;
    println!(
        "| feeds, each asked every {minutes} min; 60 % answered 304, 20 % the same document, 20 % 3 new of 20 teasers | {feeds} |"
    );
    println!("| start with an empty ledger, to the first poll | {:.1} s |", first.as_secs_f64());
    println!("| restart with all states, to the first poll | {:.1} s |", again.as_secs_f64());
    println!("| SIGTERM to exit | {:.0} ms |", stopped.as_secs_f64() * 1000.0);
    println!("| polls a second, over {took:.0} s | {:.0} |", per(polls, took));
    println!(
        "| polls that started late: p50, p99 less than | {}, {} |",
        waited.quantile(0.5),
        waited.quantile(0.99)
    );
    println!("| processor time per 1,000 polls | {:.2} s |", processor / as_f64(polls) * 1000.0);
    println!("| processor, of one core | {:.0} % |", processor / took * 100.0);
    println!("| written to disk a poll | {:.1} kB |", per(written, as_f64(polls)) / 1000.0);
    println!("| resident memory; the most it was | {resident:.0}; {peak:.0} MB |");
    println!("| descriptors, at most | {descriptors} |");
    Ok(())
}

/// Feeds of one kind, each due again a second after its poll: more than can be asked.
fn flat_out(folder: &Path, server: &Publishers, kind: Kind) -> anyhow::Result<()> {
    let feeds: Vec<u64> = (0..)
        .filter(|feed| Kind::of(*feed) == kind)
        .take(usize::try_from(FLAT_OUT_FEEDS)?)
        .collect();
    server.begin_anew();
    let settings = Settings { interval: Duration::from_secs(1), concurrency: Some(IN_FLIGHT) };
    let configuration = configuration(folder, &format!("{kind:?}"), &feeds, server, &settings)?;
    let (mut daemon, _) = Daemon::start(&configuration)?;
    while daemon.polled()? < FLAT_OUT_FEEDS {
        pause(Duration::from_millis(200));
    }
    let (before, processor, started) = (daemon.polled()?, daemon.processor_time()?, now());
    let written = daemon.written()?;
    pause(FLAT_OUT);
    let polled = daemon.polled()? - before;
    let polls = per(polled, Instant::elapsed(&started).as_secs_f64());
    let processor = (daemon.processor_time()? - processor).as_secs_f64() / as_f64(polled) * 1000.0;
    let written = per(daemon.written()? - written, as_f64(polled)) / 1000.0;
    daemon.stop()?;
    let bare = bare(server, feeds)?;
    let share = polls / bare * 100.0;
    println!(
        "| {} | {polls:.0} | {processor:.2} | {written:.1} | {bare:.0} | {share:.0} % |",
        kind.shown()
    );
    Ok(())
}

/// Requests a second of a client that does nothing with what it reads.
fn bare(server: &Publishers, feeds: Vec<u64>) -> anyhow::Result<f64> {
    let runtime = tokio::runtime::Runtime::new()?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    let address = server.address;
    let (answered, feeds) = (Arc::new(AtomicU64::new(0)), Arc::new(feeds));
    runtime.block_on(async {
        let started = now();
        let mut asking = tokio::task::JoinSet::new();
        for first in 0..IN_FLIGHT {
            let (client, answered, feeds) = (client.clone(), answered.clone(), feeds.clone());
            asking.spawn(async move {
                for feed in feeds.iter().cycle().skip(usize::try_from(first * 31)?) {
                    if Instant::elapsed(&started) > FLAT_OUT {
                        break;
                    }
                    let url = format!("http://{address}/feed/{feed}");
                    let request = client.get(url).header("If-None-Match", format!("\"{feed}\""));
                    let mut answer = request.send().await?;
                    while answer.chunk().await?.is_some() {}
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                anyhow::Ok(())
            });
        }
        while let Some(ended) = asking.join_next().await {
            ended??;
        }
        Ok(per(answered.load(Ordering::Relaxed), Instant::elapsed(&started).as_secs_f64()))
    })
}

struct Settings {
    interval: Duration,
    /// The default where there is none.
    concurrency: Option<u64>,
}

fn configuration(
    folder: &Path,
    name: &str,
    feeds: &[u64],
    server: &Publishers,
    settings: &Settings,
) -> anyhow::Result<PathBuf> {
    let (seconds, port) = (settings.interval.as_secs(), server.address.port());
    let mut text = format!(
        "[schedule]\ninterval_min = \"{seconds}s\"\ninterval_max = \"{seconds}s\"\nbacklog = \"none\"\n\
         [sqlite]\npath = \"{name}.sqlite\"\n[admin]\nlisten = \"127.0.0.1:0\"\n[log]\nformat = \"json\"\n\
         [fetch]\nhost_gap = \"0s\"\nallow_private_networks = [\"127.0.0.1/32\"]\n"
    );
    if let Some(concurrency) = settings.concurrency {
        writeln!(text, "concurrency = {concurrency}")?;
    }
    write_feeds(&mut text, feeds.iter().copied(), Publisher::host, port)?;
    let path = folder.join(format!("{name}.toml"));
    std::fs::write(&path, text).context("could not write a configuration")?;
    Ok(path)
}

/// A histogram of Prometheus: how many polls had waited at most so long, by upper bounds in seconds.
struct Waits(Vec<(f64, u64)>);

fn waits(metrics: &str) -> anyhow::Result<Waits> {
    let buckets = metrics.lines().filter_map(|line| {
        let rest = line.strip_prefix("conflictwire_poll_wait_seconds_bucket{le=\"")?;
        let (bound, count) = rest.split_once("\"} ")?;
        let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().ok()? };
        Some((bound, count.split(' ').next()?.parse().ok()?))
    });
    let buckets: Vec<(f64, u64)> = buckets.collect();
    ensure!(!buckets.is_empty(), "/metrics does not say how late polls are");
    Ok(Waits(buckets))
}

impl Waits {
    fn between(before: &Self, after: &Self) -> Self {
        let buckets = before.0.iter().zip(&after.0);
        Self(buckets.map(|((bound, before), (_, after))| (*bound, after - before)).collect())
    }

    /// The bound that a share of the polls stayed under.
    fn quantile(&self, share: f64) -> String {
        let all = self.0.last().map_or(0, |(_, count)| *count);
        let enough = |(_, count): &&(f64, u64)| as_f64(*count) >= share * as_f64(all);
        let bound = self.0.iter().find(enough).map_or(f64::INFINITY, |(bound, _)| *bound);
        format!("{:.0} ms", bound * 1000.0)
    }
}

/// The publishers: as little work as can be, for it takes place beside what is measured.
struct Publishers {
    address: SocketAddr,
    shared: Arc<Shared>,
    _serving: DropGuard,
}

struct Shared {
    /// Of each site its documents.
    documents: Vec<Vec<Reply>>,
    /// How often each feed was given a document.
    given: Vec<AtomicU32>,
}

impl Publishers {
    fn start(feeds: u64) -> anyhow::Result<Self> {
        let windows =
            |site| corpus::windows(site, NEW, DOCUMENTS).into_iter().map(Reply::feed).collect();
        let documents = (0..SITES).map(windows).collect();
        // Of one kind are at least a fifth of all feeds.
        let given = (0..5 * feeds).map(|_| AtomicU32::new(0)).collect();
        let shared = Arc::new(Shared { documents, given });
        let answering = Arc::clone(&shared);
        let server = Server::bind_unlogged(move |request| answering.answer(request));
        let server = server.context("no port on loopback")?;
        Ok(Self { address: server.address(), shared, _serving: server.start()? })
    }

    /// Every feed lists its first document again.
    fn begin_anew(&self) {
        self.shared.given.iter().for_each(|given| given.store(0, Ordering::Relaxed));
    }
}

impl Shared {
    fn answer(&self, request: &Request) -> Reply {
        let feed = request.path.strip_prefix("/feed/").and_then(|feed| feed.parse::<u64>().ok());
        let given = feed.and_then(|feed| self.given.get(usize::try_from(feed).ok()?));
        let (Some(feed), Some(given)) = (feed, given) else { return Reply::status(404) };
        let kind = Kind::of(feed);
        // Only what is answered 304 names a validator.
        let tag = (kind == Kind::NotModified).then(|| format!("\"{feed}\""));
        if let Some(tag) =
            tag.as_deref().filter(|tag| request.header("if-none-match") == Some(*tag))
        {
            return Reply::status(304).header("ETag", tag);
        }
        let asked = given.fetch_add(1, Ordering::Relaxed);
        let asked = if kind == Kind::New { u64::from(asked) } else { 0 };
        let document = usize::try_from(feed % SITES).ok().and_then(|site| {
            self.documents.get(site)?.get(usize::try_from(asked.min(DOCUMENTS - 1)).ok()?)
        });
        let Some(document) = document.cloned() else { return Reply::status(404) };
        match tag {
            Some(tag) => document.header("ETag", &tag),
            None => document,
        }
    }
}

fn per(count: u64, of: f64) -> f64 {
    as_f64(count) / of
}

fn megabytes(kib: u64) -> f64 {
    as_f64(kib) * 1024.0 / 1e6
}

#[expect(clippy::cast_precision_loss, reason = "counts, far below 2^53")]
fn as_f64(count: u64) -> f64 {
    count as f64
}
