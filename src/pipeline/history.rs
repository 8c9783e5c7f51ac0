//! What the page shows of the time before the start: read from the ledger while the daemon polls already.

use std::sync::Arc;

use cw_model::Timestamp;
use cw_status::Status;
use cw_status::recent::{ARTICLES_MAX, HOURS};
use jiff::SignedDuration;
use tracing::warn;

use crate::ledger::sqlite::history::History;

/// As far back as tags are shown by the hour.
const BACK: SignedDuration = SignedDuration::from_hours(HOURS as i64);

/// Begins to read it, if the ledger can be asked. Nothing waits for that, not even the end.
pub(super) fn remember(history: Option<History>, status: &Arc<Status>, now: Timestamp) {
    let Some(history) = history else { return };
    let status = Arc::clone(status);
    let since = now.checked_sub(BACK).unwrap_or(Timestamp::MIN);
    let read = move || match history.lately(since, ARTICLES_MAX) {
        Ok(lately) => status.recent().remember(&lately.articles, lately.tags),
        Err(error) => {
            warn!(error = %error, "the page shows no articles from before the start: could not read them");
        }
    };
    // Not among the tasks that a drain waits for: a disk that does not answer would keep it.
    drop(tokio::task::spawn_blocking(read));
}
