//! Tells those who listen what was committed, as it happens: server-sent events.
//!
//! Commits wait for no listener: one that does not read as fast as is committed is dropped, and asks
//! anew. There are few places, so that listeners do not take the connections of probes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cw_model::{Outcome, PollResult, Timestamp};
use hyper::body::Bytes;
use serde_json::json;
use tokio::sync::mpsc;

use super::api::moment;

/// The most listeners at once.
pub(super) const LISTENERS_MAX: usize = 8;

/// How many events may wait for a listener before it is dropped.
const WAITING_MAX: usize = 128;

/// The first words to a listener: when to ask anew after the connection has ended, which it does within
/// a minute.
const GREETING: &[u8] = b"retry: 2000\n\n";

/// Those who listen. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Events(Arc<Mutex<Vec<mpsc::Sender<Bytes>>>>);

impl Events {
    fn listeners(&self) -> MutexGuard<'_, Vec<mpsc::Sender<Bytes>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody more listens, if there is a place.
    pub(super) fn listen(&self) -> Option<mpsc::Receiver<Bytes>> {
        let mut listeners = self.listeners();
        listeners.retain(|listener| !listener.is_closed());
        if listeners.len() >= LISTENERS_MAX {
            return None;
        }
        let (listener, events) = mpsc::channel(WAITING_MAX);
        listener.try_send(Bytes::from_static(GREETING)).ok()?;
        listeners.push(listener);
        Some(events)
    }

    /// An outcome was committed.
    pub fn committed(&self, outcome: &Outcome, at: Timestamp) {
        let mut listeners = self.listeners();
        if listeners.is_empty() {
            return;
        }
        let event = Bytes::from(event(outcome, at));
        listeners.retain(|listener| listener.try_send(event.clone()).is_ok());
    }
}

fn event(outcome: &Outcome, at: Timestamp) -> String {
    let (result, class) = match &outcome.result {
        PollResult::Modified(_) => ("modified", None),
        PollResult::NotModified => ("not_modified", None),
        PollResult::Failed(failure) => ("failed", Some(failure.class.name())),
    };
    let conflicts = outcome.records.iter().filter_map(|routed| routed.record.conflict.as_ref());
    let data = json!({
        "at": moment(at),
        "feed": outcome.feed_id.as_str(),
        "result": result,
        "class": class,
        "records": outcome.records.len(),
        "relevant": conflicts.filter(|conflict| conflict.relevant).count(),
        "rejects": outcome.rejects.len(),
    });
    format!("event: commit\ndata: {data}\n\n")
}

#[cfg(test)]
mod tests {
    use cw_model::samples;

    use super::*;

    #[test]
    fn a_listener_that_does_not_read_is_dropped_and_holds_up_nobody() {
        let events = Events::default();
        let mut reads = events.listen().unwrap();
        let mut sleeps = events.listen().unwrap();
        let outcome = samples::outcome("feed", 1, vec![samples::record(1, "A truce")]);
        for _ in 0..3 * WAITING_MAX {
            events.committed(&outcome, samples::now());
            while reads.try_recv().is_ok() {}
        }
        assert_eq!(events.listeners().len(), 1, "the one that reads");
        let mut heard = 0;
        while sleeps.try_recv().is_ok() {
            heard += 1;
        }
        assert_eq!(heard, WAITING_MAX, "no more waits for it than may");
    }

    #[test]
    fn a_place_that_is_left_is_free() {
        let events = Events::default();
        let crowd: Vec<_> = (0..LISTENERS_MAX).map(|_| events.listen().unwrap()).collect();
        assert!(events.listen().is_none());
        drop(crowd);
        assert!(events.listen().is_some());
    }
}
