//! The real binary on Kafka: from feeds to a consumer, idle with lanes, and taking up many states.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use cw_model::state::{
    Content, FeedMemory, FeedPlan, Plan, Reason, Seen, SeenArticle, Standing, UnpackedState,
};
use cw_model::{
    ArticleId, Changed, Digest, EntryCounts, FeedId, Outcome, PollResult, Urgency, Validators,
};
use tokio::runtime::Runtime;
use url::Url;

use super::super::now;
use super::super::publisher::Publisher;
use super::driven::Driven;
use super::support::broker::Cluster;
use super::support::daemon::Daemon;
use super::support::wait_until;
use super::{Deployment, Table, reader};
use crate::corpus::FEED_ENTRIES;

/// Feeds that are polled once, from a server to a consumer.
const FEEDS: u64 = 2_000;

/// How long that may take.
const SWEEP_TIMEOUT: Duration = Duration::from_mins(2);

/// How long an idle daemon is left alone before it is looked at.
const IDLE: Duration = Duration::from_secs(6);

/// How long a daemon that has restored many states is left alone before it is looked at again.
const A_WHILE: Duration = Duration::from_mins(1);

/// Feed states to restore.
const STATES: u64 = 100_000;

/// Articles that each of them remembers.
const SEEN: u64 = 20;

/// The default number of lanes.
const LANES: u32 = 16;

/// From the start of the daemon until the last record can be read.
pub(super) fn end_to_end(cluster: &Cluster, table: &mut Table) -> anyhow::Result<()> {
    let publisher = Publisher::start()?;
    for (concurrency, shown) in [(32, "32 (the default)"), (200, "200")] {
        let mut deployment = Deployment::new(cluster, "sweep", LANES)?;
        let port = publisher.address.port();
        deployment.setup.set("fetch.concurrency", concurrency);
        for feed in 0..FEEDS {
            let host = Publisher::host(feed);
            let url = format!("http://{host}:{port}/feed/{feed}");
            deployment.setup.resolve(&host).feed(&format!("feed-{feed}"), &url);
        }
        let [articles, ..] = deployment.topics();
        let consumer = reader(cluster, &[&articles])?;
        let started = now();
        let daemon = deployment.setup.spawn();
        let mut read = 0;
        while read < FEEDS * FEED_ENTRIES {
            if let Some(message) = consumer.poll(Duration::from_millis(100)) {
                message?;
                read += 1;
            }
            ensure!(
                Instant::elapsed(&started) < SWEEP_TIMEOUT,
                "only {read} articles came:\n{}",
                daemon.text()
            );
        }
        let took = Instant::elapsed(&started).as_secs_f64();
        let transactions: f64 = (0..LANES)
            .map(|lane| {
                let labels = format!("lane=\"{lane}\",outcome=\"committed\"");
                daemon.metric("conflictwire_lane_transactions_total", &labels)
            })
            .sum();
        daemon.stop();
        #[expect(clippy::cast_precision_loss, reason = "a count of articles")]
        let rate = read as f64 / took;
        table.row(
            format!(
                "first polls of {FEEDS} feeds of {FEED_ENTRIES} entries, to a consumer; \
                 fetch.concurrency {shown}"
            ),
            format!("{rate:.0} articles/s ({took:.1} s, {transactions:.0} transactions)"),
        );
    }
    Ok(())
}

/// Memory and threads of a daemon that has lanes and nothing to do.
pub(super) fn idle(cluster: &Cluster, table: &mut Table) -> anyhow::Result<()> {
    let publisher = Publisher::start()?;
    let mut all = Vec::new();
    for lanes in [1, 16, 32] {
        let mut deployment = Deployment::new(cluster, "idle", lanes)?;
        let url = format!("http://{}/feed/1", publisher.address);
        deployment.setup.feed("feed-1", &url);
        let daemon = deployment.setup.start();
        wait_for_lanes(&daemon, lanes);
        super::super::running::pause(IDLE);
        let held = Held::of(&daemon)?;
        let shown = if lanes == 1 { "1 lane".to_owned() } else { format!("{lanes} lanes") };
        table.row(format!("idle daemon with {shown}"), held.shown());
        all.push((lanes, held));
        daemon.stop();
    }
    if let [(few, first), .., (many, last)] = all.as_slice() {
        let lanes = f64::from(many - few);
        table.row(
            "of that, each lane",
            format!(
                "{:.2} MB, {:.1} threads",
                (last.megabytes - first.megabytes) / lanes,
                (last.threads - first.threads) / lanes
            ),
        );
    }
    Ok(())
}

/// What a process holds.
struct Held {
    megabytes: f64,
    /// The most that it ever was.
    peak: f64,
    threads: f64,
}

impl Held {
    fn of(daemon: &Daemon) -> anyhow::Result<Self> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.id()))?;
        let value = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key))?;
            line.split_whitespace().next()?.parse::<f64>().ok()
        };
        Ok(Self {
            megabytes: value("VmRSS:").context("no VmRSS")? * 1024.0 / 1e6,
            peak: value("VmHWM:").context("no VmHWM")? * 1024.0 / 1e6,
            threads: value("Threads:").context("no Threads")?,
        })
    }

    fn shown(&self) -> String {
        format!("{:.0} MB, {:.0} threads", self.megabytes, self.threads)
    }
}

/// Waits until the scheduler has been given so many lanes.
fn wait_for_lanes(daemon: &Daemon, lanes: u32) {
    wait_until(format!("{lanes} lanes"), || {
        let text = daemon.text();
        text.matches("\"lane given\"").count() >= lanes as usize
    });
}

/// From the start of the daemon until it has every lane of many feeds.
pub(super) fn restore(
    cluster: &Cluster,
    runtime: &Runtime,
    table: &mut Table,
) -> anyhow::Result<()> {
    let mut deployment = Deployment::new(cluster, "restore", LANES)?;
    // So small, they would never fill a transaction before its time.
    let settings = deployment.settings(Duration::ZERO);
    let filled = runtime.block_on(async {
        let driven = Driven::open(&settings).await?;
        let mut lanes: BTreeMap<u32, Vec<u64>> = (0..LANES).map(|lane| (lane, vec![])).collect();
        for feed in 0..STATES {
            lanes.entry(driven.lane(&url(feed)?)).or_default().push(feed);
        }
        let outcomes = lanes
            .into_values()
            .map(|feeds| feeds.into_iter().filter_map(|feed| outcome(feed).ok()).map(Arc::new));
        let filled = driven.commit_all(outcomes.collect()).await?;
        driven.close().await?;
        anyhow::Ok(filled)
    })?;
    let bytes = outcome(0)?.state.written()?.len();
    table.row(
        format!("{STATES} states of {bytes} bytes written, {LANES} lanes"),
        format!("{:.1} s", filled.as_secs_f64()),
    );

    for feed in 0..STATES {
        deployment.setup.feed(&format!("feed-{feed}"), url(feed)?.as_str());
    }
    deployment.setup.write();
    let started = now();
    let daemon = deployment.setup.spawn();
    daemon.wait_for_line("lanes assigned by the group");
    let assigned = Instant::elapsed(&started);
    wait_for_lanes(&daemon, LANES);
    let took = Instant::elapsed(&started);
    let held = Held::of(&daemon)?;
    super::super::running::pause(A_WHILE);
    let held_later = Held::of(&daemon)?;
    let polled = daemon.metric("conflictwire_polls_total", "outcome=\"failed\"");
    ensure!(polled < 1.0, "feeds were polled that are not due:\n{}", daemon.text());
    table.row(
        format!("start with {STATES} feeds to all {LANES} lanes owned"),
        format!("{:.1} s", took.as_secs_f64()),
    );
    table.row(
        "of that, from the lanes' assignment (goal: 10 s)",
        format!("{:.1} s", (took - assigned).as_secs_f64()),
    );
    table.row(
        format!("the daemon then, with {STATES} feeds of {SEEN} seen articles (goal: 350 MB)"),
        format!("{}, at most {:.0} MB", held.shown(), held.peak),
    );
    table.row("a minute later", held_later.shown());
    daemon.stop();
    Ok(())
}

/// Twenty feeds of each host, as everywhere here.
fn url(feed: u64) -> anyhow::Result<Url> {
    Ok(Url::parse(&format!("http://{}/feed/{feed}", Publisher::host(feed)))?)
}

/// A poll that left a state such as feeds have, due again in four hours.
fn outcome(feed: u64) -> anyhow::Result<Outcome> {
    let mut dice = fastrand::Rng::with_seed(feed);
    let url = url(feed)?.to_string();
    let at = conflictwire::clock::Clock::System.now();
    let mut seen = Seen::default();
    for _ in 0..SEEN {
        let id = ArticleId(dice.u128(..).to_be_bytes());
        let digest = Digest(dice.u64(..).to_be_bytes());
        let relevant = Some(false);
        let article = SeenArticle {
            digest,
            revision: 1,
            last_seen: 1,
            relevant,
            updated: None,
            content: Some(Content(dice.u64(..).to_be_bytes())),
            source: Some(Digest(dice.u64(..).to_be_bytes())),
        };
        seen.remember(id, article);
    }
    let validators = Validators {
        etag: Some(format!("\"{:032x}\"", dice.u128(..))),
        last_modified: Some("Sun, 01 Mar 2026 12:00:00 GMT".to_owned()),
    };
    let interval = Duration::from_hours(4);
    let (due_at, reason) = (at.checked_add(interval).ok(), Reason::Interval);
    let plan = FeedPlan {
        sequence: 1,
        standing: Standing::Fine,
        next: Plan { due_at, reason, interval, ..Plan::default() },
        url: Some(url.as_str().into()),
        polled_at: Some(at),
        succeeded_at: Some(at),
        interval: Some(interval),
        ..FeedPlan::default()
    };
    let memory = FeedMemory {
        validators: BTreeMap::from([(url, validators)]),
        seen,
        language: Some("en".to_owned()),
        body_digest: Some(Digest(dice.u64(..).to_be_bytes())),
        ..FeedMemory::default()
    };
    let state = UnpackedState { plan, memory }.pack();
    Ok(Outcome {
        feed_id: FeedId::parse(&format!("feed-{feed}"))?,
        result: PollResult::Modified(EntryCounts::default()),
        records: Vec::new(),
        rejects: Vec::new(),
        state: Arc::new(state),
        urgency: Urgency::Prompt,
        changed: Changed::Memory,
        bytes: 0,
    })
}
