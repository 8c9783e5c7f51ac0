//! The ledger without feeds and scheduler: opened, and handed outcomes as fast as it takes them.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use conflictwire::ledger::{KafkaLedger, KafkaSettings, LaneChange};
use cw_decide::Lease;
use cw_decide::lane::hash;
use cw_model::Outcome;
use cw_status::Metrics;
use futures_util::future::{ready, try_join_all};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use url::Url;

use super::super::now;
use super::support::PATIENCE;

/// Commits of a lane under way at once: more than its queue holds, so that it never waits for one.
const WAITING: usize = 128;

/// How soon a lane is told that no more outcomes come.
const HURRY: Duration = Duration::from_millis(2);

pub(super) struct Driven {
    ledger: KafkaLedger,
    leases: Vec<Lease>,
    /// Held: lanes tell of their end over it.
    _changes: mpsc::Receiver<LaneChange>,
}

impl Driven {
    /// Opens the ledger and waits until it has every lane.
    pub(super) async fn open(settings: &KafkaSettings) -> anyhow::Result<Self> {
        let (ledger, mut changes) = KafkaLedger::open(settings, &Arc::new(Metrics::new()))?;
        let mut leases = Vec::new();
        while leases.len() < usize::try_from(settings.lanes)? {
            match timeout(PATIENCE, changes.recv()).await?.context("no lanes come any more")? {
                LaneChange::Given { lease, .. } => leases.push(lease),
                LaneChange::Taken { lease } => bail!("lane {} was taken", lease.lane),
                LaneChange::Over(error) => return Err(error.into()),
            }
        }
        leases.sort_unstable();
        Ok(Self { ledger, leases, _changes: changes })
    }

    /// Commits an outcome in one of the lanes, and says how long that took.
    pub(super) async fn commit(
        &self,
        outcome: Arc<Outcome>,
        lane: usize,
    ) -> anyhow::Result<Duration> {
        let lease = self.leases.get(lane % self.leases.len()).context("no lanes")?;
        let started = now();
        self.ledger.commit(*lease, outcome).await?;
        Ok(Instant::elapsed(&started))
    }

    /// Commits what comes for each lane, all of them side by side, and says how long that took.
    pub(super) async fn commit_all<I>(&self, lanes: Vec<I>) -> anyhow::Result<Duration>
    where
        I: Iterator<Item = Arc<Outcome>>,
    {
        let started = now();
        let unfinished = Cell::new(lanes.len());
        let finish = || {
            unfinished.set(unfinished.get().saturating_sub(1));
            None
        };
        let commits = lanes.into_iter().zip(&self.leases).map(|(outcomes, lease)| {
            let commits = outcomes.chain(std::iter::from_fn(finish));
            let commits = commits.map(|outcome| self.ledger.commit(*lease, outcome));
            stream::iter(commits).buffer_unordered(WAITING).try_for_each(|_state| ready(Ok(())))
        });
        // As the scheduler does when somebody waits: the last of them are not held back for more.
        let hurry = async {
            loop {
                sleep(HURRY).await;
                if unfinished.get() == 0 {
                    self.ledger.hurry();
                }
            }
        };
        tokio::select! {
            committed = try_join_all(commits) => committed.map(drop)?,
            () = hurry => {}
        }
        Ok(Instant::elapsed(&started))
    }

    pub(super) fn lane(&self, url: &Url) -> u32 {
        hash::lane(url, self.ledger.lanes())
    }

    pub(super) async fn close(self) -> anyhow::Result<()> {
        Ok(self.ledger.close().await?)
    }
}
