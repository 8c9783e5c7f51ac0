//! What must be true before the daemon says it is ready, and false after.
//!
//! Ready means: state restored, the ledger takes commits, no drain has begun. A replica that no lane
//! was given to is ready too: it stands by. Failing feeds do not make it unready: a publisher's
//! trouble is not ours. A machine that has no file or port left to ask with does. Alive means: the scheduler's loop has turned lately; a ledger that is away
//! does not make it dead.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use crate::telemetry::shown::shown;

/// How long the scheduler's loop may take to turn before the daemon counts as hung. It turns at
/// least once a second, so this is many missed turns, not a slow one.
pub const HEARTBEAT_MAX: Duration = Duration::from_secs(30);

/// How long this machine must have been able to ask publishers before it counts as well: files that
/// come and go one by one are no end of the trouble.
const CALM: Duration = Duration::from_secs(10);

/// Why the daemon is not ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unready {
    /// The scheduler has not begun.
    Starting,
    /// The ledger does not take commits; its own words.
    Ledger(String),
    /// This machine could not ask a publisher; in words.
    Machine(String),
    /// A drain has begun.
    Stopping,
}

impl Unready {
    /// For a person, on one line.
    pub fn text(&self) -> String {
        match self {
            Self::Starting => "starting".to_owned(),
            Self::Machine(why) => format!("no feed can be asked: {}", shown(why)),
            Self::Ledger(why) => format!("the ledger does not take commits: {}", shown(why)),
            Self::Stopping => "stopping".to_owned(),
        }
    }
}

/// Where the daemon's life stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Starting,
    Serving,
    Stopping,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// What the last commit that did not work said, until one does.
    unwritten: Option<String>,
    /// What the ledger says of itself.
    trouble: Option<String>,
    /// Why this machine could not ask a publisher, and when that was last.
    unasked: Option<(String, Instant)>,
    beat_at: Instant,
}

/// Shared between the pipeline, which knows, and the server, which is asked.
#[derive(Debug)]
pub struct Readiness {
    state: Mutex<State>,
}

impl Default for Readiness {
    fn default() -> Self {
        let state = State {
            phase: Phase::Starting,
            unwritten: None,
            trouble: None,
            unasked: None,
            beat_at: Instant::now(),
        };
        Self { state: Mutex::new(state) }
    }
}

impl Readiness {
    /// The scheduler's loop has turned.
    pub fn beat(&self) {
        self.change(|state| state.beat_at = Instant::now());
    }

    /// The scheduler has begun.
    pub fn set_serving(&self) {
        self.change(|state| {
            if state.phase == Phase::Starting {
                state.phase = Phase::Serving;
            }
        });
    }

    /// A drain has begun; there is no way back.
    pub fn set_stopping(&self) {
        self.change(|state| state.phase = Phase::Stopping);
    }

    /// A commit did not work. Says whether the one before did.
    pub fn set_unwritten(&self, why: String) -> bool {
        let mut was_fine = false;
        self.change(|state| was_fine = state.unwritten.replace(why).is_none());
        was_fine
    }

    /// A commit worked. Says whether the one before did not.
    pub fn set_written(&self) -> bool {
        let mut was_unwritten = false;
        self.change(|state| was_unwritten = state.unwritten.take().is_some());
        was_unwritten
    }

    /// This machine could not ask a publisher. Says whether it could before.
    pub fn set_unasked(&self, why: &str) -> bool {
        let mut was_fine = false;
        let now = Instant::now();
        self.change(|state| was_fine = state.unasked.replace((why.to_owned(), now)).is_none());
        was_fine
    }

    /// A publisher was asked. Says whether that ends a trouble, as it does a while after the last one
    /// that could not be.
    pub fn set_asked(&self) -> bool {
        self.set_asked_at(Instant::now())
    }

    fn set_asked_at(&self, now: Instant) -> bool {
        let mut is_over = false;
        self.change(|state| {
            is_over = state.unasked.take_if(|(_, at)| now.duration_since(*at) >= CALM).is_some();
        });
        is_over
    }

    /// What the ledger says of itself; `None` if it takes commits.
    pub fn set_trouble(&self, trouble: Option<String>) {
        self.change(|state| state.trouble = trouble);
    }

    /// Why it is not ready, if so.
    pub fn unready(&self) -> Option<Unready> {
        let state = self.state.lock().ok()?;
        match state.phase {
            Phase::Starting => Some(Unready::Starting),
            Phase::Stopping => Some(Unready::Stopping),
            Phase::Serving => {
                let ledger = state.unwritten.clone().or_else(|| state.trouble.clone());
                let machine = || state.unasked.clone().map(|(why, _)| Unready::Machine(why));
                ledger.map(Unready::Ledger).or_else(machine)
            }
        }
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
        readiness.set_serving();
        assert_eq!(readiness.unready(), None);
        readiness.set_stopping();
        readiness.set_serving();
        assert_eq!(readiness.unready(), Some(Unready::Stopping));
    }

    #[test]
    fn a_machine_that_could_not_ask_is_well_again_after_a_while() {
        let readiness = Readiness::default();
        readiness.set_serving();
        assert!(readiness.set_unasked("no file left"), "the first");
        assert!(!readiness.set_unasked("no file left"), "said already");
        let now = Instant::now();
        assert!(!readiness.set_asked_at(now), "too soon to tell");
        assert_eq!(readiness.unready(), Some(Unready::Machine("no file left".to_owned())));
        assert!(readiness.set_asked_at(now + CALM));
        assert!(!readiness.set_asked_at(now + CALM), "said already");
        assert_eq!(readiness.unready(), None);
    }

    #[test]
    fn a_commit_that_works_does_not_end_a_trouble_of_the_ledger() {
        let readiness = Readiness::default();
        readiness.set_serving();
        readiness.set_trouble(Some("lane 3 is being restored".to_owned()));
        assert!(readiness.set_unwritten("no space".to_owned()), "the first that did not work");
        assert!(!readiness.set_unwritten("no space".to_owned()));
        assert!(readiness.set_written());
        let why = Unready::Ledger("lane 3 is being restored".to_owned());
        assert_eq!(readiness.unready(), Some(why));
        readiness.set_trouble(None);
        assert_eq!(readiness.unready(), None);
    }
}
