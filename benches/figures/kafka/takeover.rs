//! One of two replicas is killed: how long until the other commits in one of its lanes.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rdkafka::consumer::BaseConsumer;
use rdkafka::message::Message;
use serde_json::Value;

use super::super::now;
use super::support::broker::Cluster;
use super::support::daemon::{Daemon, field};
use super::support::growing::{Growing, Pace};
use super::support::publisher::Publisher;
use super::support::topic_ledger::LANE_KEY;
use super::support::{PATIENCE, wait_until};
use super::{Deployment, Table, reader};

const LANES: u32 = 16;

/// Feeds that have something new every second, each under a host of its own.
const FEEDS: usize = 24;

/// Times that a replica is killed.
const KILLS: usize = 5;

pub(super) fn measure(cluster: &Cluster, table: &mut Table) -> anyhow::Result<()> {
    let mut deployment = Deployment::new(cluster, "takeover", LANES)?;
    let setup = &mut deployment.setup;
    setup.set("schedule.interval_min", "1s").set("schedule.interval_max", "1s");
    let publisher = Publisher::start();
    for number in 0..FEEDS {
        let (name, host) = (format!("growing-{number}"), format!("press{number}.test"));
        let feed = Growing::publish(&publisher, &name, &host, Pace::Restless);
        setup.resolve(&host).feed(&feed.name, &feed.url);
    }
    let [_, _, _, state] = deployment.topics();
    let consumer = reader(cluster, &[&state])?;
    let half = LANES as usize / 2;

    let mut first = deployment.setup.start();
    wait_until("all lanes", || owned(&first).len() == LANES as usize);
    let mut took = Vec::new();
    let mut whole = Vec::new();
    for _ in 0..KILLS {
        let second = deployment.setup.start();
        wait_until("half of the lanes each", || {
            owned(&first).len() == half && owned(&second).len() == half
        });
        let lanes = owned(&first);
        let killed_at = now();
        first.signal("KILL");
        took.push(first_commit(&consumer, &lanes, &instance(&second)?, killed_at)?);
        wait_until("all lanes", || owned(&second).len() == LANES as usize);
        whole.push(Instant::elapsed(&killed_at));
        first = second;
    }
    first.stop();
    table.row(
        format!(
            "replica killed to its lanes' first commit by the other, {KILLS} times (goal: 15 s)"
        ),
        shown(&took),
    );
    table.row("replica killed to all its lanes owned by the other", shown(&whole));
    Ok(())
}

/// Waits for a commit by an instance in one of the lanes: how long after the kill it could be read.
fn first_commit(
    consumer: &BaseConsumer,
    lanes: &BTreeSet<i32>,
    instance: &str,
    killed_at: Instant,
) -> anyhow::Result<Duration> {
    loop {
        ensure!(Instant::elapsed(&killed_at) < PATIENCE, "nobody commits in lanes {lanes:?}");
        let Some(message) = consumer.poll(Duration::from_millis(100)) else { continue };
        let message = message?;
        if message.key() != Some(LANE_KEY.as_bytes()) || !lanes.contains(&message.partition()) {
            continue;
        }
        let head: Value = serde_json::from_slice(message.payload().unwrap_or_default())?;
        if head.get("instance").and_then(Value::as_str) == Some(instance) {
            return Ok(Instant::elapsed(&killed_at));
        }
    }
}

fn instance(daemon: &Daemon) -> anyhow::Result<String> {
    let line = daemon.wait_for_line("looking for the group that gives lanes");
    let instance = field(&line, "ledger.instance").and_then(Value::as_str);
    Ok(instance.context("it does not name itself")?.to_owned())
}

/// The lanes that a replica owns, as it counts itself.
fn owned(daemon: &Daemon) -> BTreeSet<i32> {
    let (_, text) = daemon.ask("/metrics").unwrap_or_default();
    let lane = |line: &str| {
        let rest = line.strip_prefix("conflictwire_lane_state{lane=\"")?;
        let (lane, rest) = rest.split_once('"')?;
        rest.ends_with("state=\"owned\"} 1").then(|| lane.parse().ok())?
    };
    text.lines().filter_map(lane).collect()
}

fn shown(all: &[Duration]) -> String {
    let mut seconds: Vec<f64> = all.iter().map(Duration::as_secs_f64).collect();
    seconds.sort_by(f64::total_cmp);
    let shown: Vec<String> = seconds.iter().map(|it| format!("{it:.1}")).collect();
    format!("{} s", shown.join(", "))
}
