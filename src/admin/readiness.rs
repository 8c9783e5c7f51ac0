//! What must be true before the daemon says it is ready, and false after.
//!
//! Ready means: state restored, the ledger takes commits, no drain has begun. Failing feeds do not
//! make it unready: a publisher's trouble is not ours. Alive means: the scheduler's loop has turned
//! lately; a ledger that is away does not make it dead.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// How long the scheduler's loop may take to turn before the daemon counts as hung. It turns at
/// least once a second, so this is many missed turns, not a slow one.
pub const HEARTBEAT_MAX: Duration = Duration::from_secs(30);

/// Why the daemon is not ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unready {
    /// The scheduler has not begun.
    Starting,
    /// The ledger does not take commits; its own words.
    Ledger(String),
    /// A drain has begun.
    Stopping,
}

impl Unready {
    /// For a person.
    pub fn text(&self) -> String {
        match self {
            Self::Starting => "starting".to_owned(),
            Self::Ledger(why) => format!("the ledger does not take commits: {why}"),
            Self::Stopping => "stopping".to_owned(),
        }
    }
}

#[derive(Debug)]
struct State {
    unready: Option<Unready>,
    beat_at: Instant,
}

/// Shared between the pipeline, which knows, and the server, which is asked.
#[derive(Debug)]
pub struct Readiness {
    state: Mutex<State>,
}

impl Default for Readiness {
    fn default() -> Self {
        let state = State { unready: Some(Unready::Starting), beat_at: Instant::now() };
        Self { state: Mutex::new(state) }
    }
}

impl Readiness {
    /// The scheduler's loop has turned.
    pub fn beat(&self) {
        self.change(|state| state.beat_at = Instant::now());
    }

    /// Ready, unless a drain has begun.
    pub fn set_ready(&self) {
        self.change(|state| {
            if state.unready != Some(Unready::Stopping) {
                state.unready = None;
            }
        });
    }

    /// Not ready, because of this.
    pub fn set_unready(&self, why: Unready) {
        self.change(|state| {
            if state.unready != Some(Unready::Stopping) {
                state.unready = Some(why);
            }
        });
    }

    /// Why it is not ready, if so.
    pub fn unready(&self) -> Option<Unready> {
        self.state.lock().ok().and_then(|state| state.unready.clone())
    }

    /// Whether the scheduler's loop has turned lately.
    pub fn is_alive(&self) -> bool {
        self.is_alive_at(Instant::now())
    }

    fn is_alive_at(&self, now: Instant) -> bool {
        let alive = |state: &State| now.duration_since(state.beat_at) < HEARTBEAT_MAX;
        self.state.lock().is_ok_and(|state| alive(&state))
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        // A poisoned lock means a panic while holding it; `is_alive` then says no.
        if let Ok(mut state) = self.state.lock() {
            change(&mut state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_that_does_not_turn_is_not_alive() {
        let readiness = Readiness::default();
        readiness.beat();
        let now = Instant::now();
        assert!(readiness.is_alive_at(now));
        assert!(!readiness.is_alive_at(now + HEARTBEAT_MAX));
    }

    #[test]
    fn stopping_is_for_good() {
        let readiness = Readiness::default();
        readiness.set_ready();
        assert_eq!(readiness.unready(), None);
        readiness.set_unready(Unready::Stopping);
        readiness.set_ready();
        assert_eq!(readiness.unready(), Some(Unready::Stopping));
    }
}
