//! How long an outcome waits to be acknowledged, when outcomes come as they do from feeds: one at a
//! time, at odd moments.

use std::sync::Arc;
use std::time::Duration;

use cw_model::Outcome;
use futures_util::future::try_join_all;
use tokio::runtime::Runtime;
use tokio::time::{Instant, sleep_until};

use super::driven::Driven;
use super::support::broker::Cluster;
use super::{Deployment, Table, shown_quantiles};

const LANES: u32 = 4;

/// Outcomes of twenty articles that come in a second, in all lanes together.
const RATE: f64 = 20.0;

/// How long they come.
const WATCH: Duration = Duration::from_secs(12);

pub(super) fn measure(
    cluster: &Cluster,
    runtime: &Runtime,
    outcomes: &[Arc<Outcome>],
    table: &mut Table,
) -> anyhow::Result<()> {
    for (interval, shown) in [(Duration::ZERO, "0s"), (Duration::from_secs(1), "1s (the default)")]
    {
        let deployment = Deployment::new(cluster, "latency", LANES)?;
        let each = runtime.block_on(async {
            let driven = Driven::open(&deployment.settings(interval)).await?;
            let each = arrive(&driven, outcomes).await?;
            driven.close().await?;
            anyhow::Ok(each)
        })?;
        table.row(
            format!(
                "outcome to acknowledged, commit_interval {shown}, {RATE:.0} outcomes/s in {LANES} \
                 lanes: p50 / p99"
            ),
            shown_quantiles(&each),
        );
    }
    Ok(())
}

async fn arrive(driven: &Driven, outcomes: &[Arc<Outcome>]) -> anyhow::Result<Vec<Duration>> {
    let mut dice = fastrand::Rng::with_seed(7);
    let begin = Instant::now();
    let mut after = Duration::ZERO;
    let mut commits = Vec::new();
    for (number, outcome) in outcomes.iter().enumerate() {
        // As independent feeds come.
        after += Duration::from_secs_f64(-(1.0 - dice.f64()).ln() / RATE);
        if after > WATCH {
            break;
        }
        commits.push(async move {
            sleep_until(begin + after).await;
            driven.commit(Arc::clone(outcome), number).await
        });
    }
    try_join_all(commits).await
}
