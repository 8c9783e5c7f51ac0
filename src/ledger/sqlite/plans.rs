//! Plans of feeds whose polls found nothing: written beside the states, a fraction of their size, and not at each poll.
//!
//! Most polls change nothing of a state but its plan. Were that lost, the feed would be asked once more and answer
//! the same ([`Urgency::Lazy`](cw_model::Urgency)). So it is written when it costs little: at once where few feeds are
//! polled, some at a time where many are, all within [`PLANS_WRITTEN_WITHIN`], and all of it at a clean end. What a page of
//! the database costs is then shared by the plans on it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cw_model::FeedId;
use cw_model::state::FeedState;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use tokio::time::Instant;

use super::rows::{StateRow, column_time};
use crate::clock::Clock;

/// The longest that a plan waits.
pub const PLANS_WRITTEN_WITHIN: Duration = cw_decide::lane::PUT_OFF;

/// Each plan keeps those after it waiting for so long. Four a second are some 20 kB of pages a second at most, and a
/// daemon that polls less than that writes each plan at once.
const GAP: Duration = Duration::from_millis(250);

/// Plans written in one transaction: some tens of milliseconds, for which a commit may have to wait.
const CHUNK_ROWS: usize = 500;

/// The wait after they could not be written. The commits that need the disk say what is wrong.
const RETRY: Duration = Duration::from_secs(10);

/// No step of the migrations: earlier versions may go on with the file, and know nothing of it.
///
/// A plan counts while the row of its state is that of `builds_on`. Whoever replaces the row makes it void.
pub(super) const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS feed_plan (
        feed_id   TEXT PRIMARY KEY NOT NULL,
        builds_on INTEGER NOT NULL,
        state     TEXT NOT NULL
    ) WITHOUT ROWID";

/// How long a plan may wait in a database of so many feeds.
pub fn plans_written_within(feeds: usize) -> Duration {
    GAP.saturating_mul(u32::try_from(feeds).unwrap_or(u32::MAX)).min(PLANS_WRITTEN_WITHIN)
}

/// What is to be written.
#[derive(Debug)]
pub(super) struct Plans {
    waiting: BTreeMap<FeedId, Arc<FeedState>>,
    /// Those of the round that has begun, in the order of the table, so that neighbours share a page.
    round: BTreeMap<FeedId, Arc<FeedState>>,
    /// When the next round may begin.
    due_at: Instant,
}

impl Plans {
    pub(super) fn new() -> Self {
        Self { waiting: BTreeMap::new(), round: BTreeMap::new(), due_at: Instant::now() }
    }

    /// Keeps the state of a feed of which only the plan is to be written.
    pub(super) fn put_off(&mut self, feed: FeedId, state: Arc<FeedState>) {
        self.round.remove(&feed);
        self.waiting.insert(feed, state);
    }

    /// The whole state of a feed has been written since.
    pub(super) fn forget(&mut self, feed: &FeedId) {
        self.round.remove(feed);
        self.waiting.remove(feed);
    }

    /// When some are to be written, if any are.
    pub(super) fn due_at(&self) -> Option<Instant> {
        match (self.round.is_empty(), self.waiting.is_empty()) {
            (false, _) | (true, false) => Some(self.due_at),
            (true, true) => None,
        }
    }

    /// Whether any are to be written now.
    pub(super) fn is_due(&self) -> bool {
        self.due_at().is_some_and(|at| at <= Instant::now())
    }

    /// Writes the next of a round.
    ///
    /// # Errors
    /// Those of the database. All are kept, and tried again.
    pub(super) fn write_chunk(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        if self.round.is_empty() {
            self.round = std::mem::take(&mut self.waiting);
            self.due_at = Instant::now() + plans_written_within(self.round.len());
        }
        // Until it is over, it goes on at once.
        let next_round = std::mem::replace(&mut self.due_at, Instant::now());
        if let Err(err) = write(connection, self.round.iter().take(CHUNK_ROWS)) {
            let round = std::mem::take(&mut self.round);
            for (feed, state) in round {
                self.waiting.entry(feed).or_insert(state);
            }
            self.wait();
            return Err(err);
        }
        match self.round.keys().nth(CHUNK_ROWS).cloned() {
            Some(rest) => self.round = self.round.split_off(&rest),
            None => self.round.clear(),
        }
        self.due_at = next_round;
        Ok(())
    }

    /// Nothing can be written now.
    pub(super) fn wait(&mut self) {
        self.due_at = Instant::now() + RETRY;
    }
}

fn write<'a>(
    connection: &Connection,
    plans: impl Iterator<Item = (&'a FeedId, &'a Arc<FeedState>)>,
) -> rusqlite::Result<()> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    // Without a row there is nothing that it could build on: the feed has failed from its first poll on.
    let mut plan = transaction.prepare(
        "INSERT INTO feed_plan (feed_id, builds_on, state)
         SELECT feed_id, sequence, ?2 FROM feed_state WHERE feed_id = ?1
         ON CONFLICT (feed_id) DO UPDATE SET builds_on = excluded.builds_on, state = excluded.state",
    )?;
    let mut whole = transaction.prepare(
        "INSERT INTO feed_state (feed_id, sequence, due_at, standing, state, changed_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let now = column_time(Clock::System.now());
    for (feed, state) in plans {
        // Nothing is in a state that JSON cannot hold; and were it, the feed would be asked once more.
        let Ok(text) = state.written_plan() else { continue };
        if plan.execute(params![feed.as_str(), text])? > 0 {
            continue;
        }
        let Ok(row) = StateRow::new(feed, state) else { continue };
        let StateRow { feed_id, sequence, due_at, standing, state } = row;
        whole.execute(params![feed_id, sequence, due_at, standing, state, now])?;
    }
    drop((plan, whole));
    transaction.commit()
}
