//! Asks the ledger for the newest of a feed, for its page: a few at a time, and not for long, so that a disk that does
//! not answer keeps no page waiting.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::ledger::sqlite::history::{History, OfFeed};

/// Questions at once.
const AT_ONCE: usize = 2;

/// How long the page waits for an answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Who is asked.
#[derive(Clone, Debug)]
pub(super) struct Past {
    history: Option<History>,
    places: Arc<Semaphore>,
}

/// What the ledger told.
#[derive(Debug)]
pub(super) enum PastFound {
    /// The newest.
    Newest(OfFeed),
    /// It was asked and told nothing, for this reason.
    Silent(String),
    /// It cannot be asked.
    Unasked,
}

impl Past {
    pub(super) fn new(history: Option<History>) -> Self {
        Self { history, places: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// The newest of a feed.
    pub(super) async fn of_feed(&self, id: &str) -> PastFound {
        let Some(history) = self.history.clone() else { return PastFound::Unasked };
        let (id, places) = (id.to_owned(), Arc::clone(&self.places));
        let asked = async move {
            let place = places.acquire_owned().await.ok()?;
            let ask = move || {
                let told = history.of_feed(&id);
                // Held until the thread is free, also if nobody waits any more.
                drop(place);
                told
            };
            tokio::task::spawn_blocking(ask).await.ok()
        };
        match timeout(PATIENCE, asked).await {
            Ok(Some(Ok(newest))) => PastFound::Newest(newest),
            Ok(Some(Err(error))) => PastFound::Silent(error.to_string()),
            Ok(None) | Err(_) => PastFound::Silent("it did not answer within a second".to_owned()),
        }
    }
}
