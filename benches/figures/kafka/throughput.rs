//! Records a second through the ledger, beside librdkafka's own producer with the same transactions;
//! and how long one transaction takes to either.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use cw_model::Outcome;
use tokio::runtime::Runtime;

use super::super::median;
use super::super::running::pause;
use super::driven::Driven;
use super::plain::{Plain, Transactions};
use super::support::broker::Cluster;
use super::{Deployment, Table, shown_quantiles};

/// Passes of each, in turn.
const ROUNDS: usize = 5;

/// Transactions of one size, one after the other.
const SINGLE: usize = 150;

/// Between two of them. Begun at once, the next would meet the end of the one before still under way
/// at the brokers, for which librdkafka waits 20 ms.
const BETWEEN: Duration = Duration::from_millis(40);

/// The ledger's default.
const COMMIT_INTERVAL: Duration = Duration::from_secs(1);

pub(super) fn measure(
    cluster: &Cluster,
    runtime: &Runtime,
    outcomes: &[Arc<Outcome>],
    table: &mut Table,
) -> anyhow::Result<()> {
    for lanes in [1, 4] {
        compare(cluster, runtime, outcomes, lanes, table)?;
    }
    for records in [1, 100] {
        single(cluster, runtime, outcomes, records, table)?;
    }
    Ok(())
}

fn compare(
    cluster: &Cluster,
    runtime: &Runtime,
    outcomes: &[Arc<Outcome>],
    lanes: u32,
    table: &mut Table,
) -> anyhow::Result<()> {
    let deployment = Deployment::new(cluster, "ledger", lanes)?;
    let driven = runtime.block_on(Driven::open(&deployment.settings(COMMIT_INTERVAL)))?;
    let pass = || {
        let of_lane = |lane| outcomes.iter().skip(lane).step_by(lanes as usize).cloned();
        let all: Vec<_> = (0..lanes as usize).map(of_lane).collect();
        runtime.block_on(driven.commit_all(all))
    };
    // Nobody's first pass counts; the ledger's is what the plain producer is given.
    pass()?;
    let articles = outcomes.iter().map(|outcome| outcome.records.len()).sum();
    let transactions = Transactions::read(cluster, &deployment, articles)?;
    let plain = Plain::open(cluster, lanes)?;
    plain.commit(&transactions, Duration::ZERO)?;

    let (mut ours, mut theirs) = (Side::default(), Side::default());
    for _ in 0..ROUNDS {
        ours.run(pass)?;
        theirs.run(|| Ok(plain.commit(&transactions, Duration::ZERO)?.0))?;
    }
    runtime.block_on(driven.close())?;
    let (ours, theirs) = (ours.speed(transactions.lines)?, theirs.speed(transactions.lines)?);
    let lanes = if lanes == 1 { "1 lane".to_owned() } else { format!("{lanes} lanes") };
    table.row(
        format!(
            "{lanes}: {articles} articles as {} records of {} bytes in {} transactions",
            transactions.lines,
            transactions.bytes / transactions.lines,
            transactions.count
        ),
        "",
    );
    for (who, side) in [("the ledger", &ours), ("librdkafka alone", &theirs)] {
        table.row(
            format!("{lanes}, {who}"),
            format!("{:.0} records/s, {:.0} µs of processor each", side.records, side.micros),
        );
    }
    let ratio = ours.records / theirs.records * 100.0;
    table.row(format!("{lanes}, of librdkafka's speed (goal: 80 %)"), format!("{ratio:.0} %"));
    Ok(())
}

/// Passes of one of the two: by the clock, and by our own processor time.
#[derive(Default)]
struct Side {
    clock: Vec<Duration>,
    processor: Vec<Duration>,
}

struct Speed {
    records: f64,
    micros: f64,
}

impl Side {
    fn run(&mut self, pass: impl Fn() -> anyhow::Result<Duration>) -> anyhow::Result<()> {
        let before = processor_time()?;
        self.clock.push(pass()?);
        self.processor.push(processor_time()? - before);
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "a count of records")]
    fn speed(&self, lines: usize) -> anyhow::Result<Speed> {
        let clock = median(&self.clock).context("no rounds")?.as_secs_f64();
        let processor = median(&self.processor).context("no rounds")?.as_secs_f64();
        Ok(Speed { records: lines as f64 / clock, micros: processor * 1e6 / lines as f64 })
    }
}

/// Processor time of this process, all threads (proc(5): fields 14 and 15 of stat, hundredths).
fn processor_time() -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(')').next().context("an odd stat")?;
    let fields = after_name.split_whitespace().skip(11).take(2);
    let ticks: u64 = fields.filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 10))
}

/// One outcome of so many articles at a time.
fn single(
    cluster: &Cluster,
    runtime: &Runtime,
    outcomes: &[Arc<Outcome>],
    records: usize,
    table: &mut Table,
) -> anyhow::Result<()> {
    let deployment = Deployment::new(cluster, "single", 1)?;
    let driven = runtime.block_on(Driven::open(&deployment.settings(Duration::ZERO)))?;
    let mut ours = Vec::new();
    for number in 0..SINGLE {
        let outcome = of_records(outcomes, number, records)?;
        pause(BETWEEN);
        ours.push(runtime.block_on(driven.commit(Arc::new(outcome), 0))?);
    }
    runtime.block_on(driven.close())?;
    let transactions = Transactions::read(cluster, &deployment, records * SINGLE)?;
    let plain = Plain::open(cluster, 1)?;
    let (_, theirs) = plain.commit(&transactions, BETWEEN)?;
    let articles =
        if records == 1 { "1 article".to_owned() } else { format!("{records} articles") };
    for (who, each) in [("the ledger", &ours), ("librdkafka alone", &theirs)] {
        table
            .row(format!("one transaction of {articles}, {who}: p50 / p99"), shown_quantiles(each));
    }
    Ok(())
}

/// An outcome with so many records, of as many polls as that takes.
fn of_records(outcomes: &[Arc<Outcome>], number: usize, records: usize) -> anyhow::Result<Outcome> {
    let outcome = outcomes.get(number % outcomes.len()).context("no outcomes")?;
    let following = outcomes.iter().cycle().skip(number % outcomes.len());
    let records = following.flat_map(|outcome| &outcome.records).take(records).cloned().collect();
    Ok(Outcome { records, ..Outcome::clone(outcome) })
}
