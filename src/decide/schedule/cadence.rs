//! The interval between polls, learned from how often a feed has something new.
//!
//! A poll that finds something shortens it, one that finds nothing lengthens it, so that it hovers
//! where polls find little at a time. The aim is that windows of entries always overlap: what
//! leaves a feed between two polls is lost.

use std::time::Duration;

/// Where a feed starts: newsrooms publish about this often, and a first week at this pace is polite.
pub const INTERVAL_START: Duration = Duration::from_secs(15 * 60);

/// What a poll found, for the purpose of pace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing new.
    Nothing,
    /// Some entries new, some seen before.
    Some,
    /// Every entry new: something may already have been missed.
    All,
}

/// The next learned interval, before the bounds of the configuration.
pub fn next_interval(last: Option<Duration>, found: Found) -> Duration {
    let Some(last) = last else { return INTERVAL_START };
    match found {
        // Slowly up, quickly down: being late costs articles, being early one 304.
        Found::Nothing => last.mul_f64(1.25),
        Found::Some => last.mul_f64(0.75),
        Found::All => last.mul_f64(0.5),
    }
}
