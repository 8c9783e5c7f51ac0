//! When a feed is due, by its state and by the configuration and the clock as they are now.
//!
//! A state says what was planned at the last poll. What has changed since may overrule it, and both
//! the scheduler and the commands that show a schedule must say the same then.

use std::time::Duration;

use cw_model::state::{FeedState, Reason};
use cw_model::{Feed, Timestamp};

use super::{asks_when_pushed, due_at, quiet};

/// When a feed is due, and why not when it was planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// When; in the past for one that waits.
    pub at: Timestamp,
    /// What decided.
    pub why: Why,
}

/// What decided when a feed is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The plan of its last poll.
    Planned,
    /// That plan, shortened: the configuration allows no such wait now, or the clock was put back.
    Shortened,
    /// It has another URL than at its last poll.
    NewUrl,
    /// Its document ended another version of the program, or this one configured otherwise.
    OtherSetUp,
    /// It had used up its quota, which is larger now.
    QuotaRaised,
    /// It had used up the quota of a day that is over.
    NextDay,
    /// Its hub says that there is news.
    Pushed,
    /// Its host has refused us, at this feed or another.
    HostRefused,
}

impl Due {
    /// The same, but not before the host may be asked again that refused us until then.
    pub fn held(due: Option<Self>, until: Option<Timestamp>, now: Timestamp) -> Option<Self> {
        let due_at = due.map_or(now, |due| due.at);
        match until.filter(|until| *until > due_at.max(now)) {
            Some(at) => Some(Self { at, why: Why::HostRefused }),
            None => due,
        }
    }
}

/// When the feed is due. `under` makes what a crash is remembered under, of the configuration as
/// it is now.
pub fn due(state: &FeedState, feed: &Feed, under: impl FnOnce() -> String, now: Timestamp) -> Due {
    let at_once = |why| Due { at: now, why };
    // A new URL under an old id keeps the state and is tried at once: someone changed it
    // because the old one did not do.
    if state.plan.is_of_another_url(feed) {
        return at_once(Why::NewUrl);
    }
    // So is one whose document crashed an earlier version, or this one configured otherwise.
    if state.plan.put_off_for().is_some_and(|crash| crash.under != under()) {
        return at_once(Why::OtherSetUp);
    }
    // A quota may have been raised, and the next day begins for all feeds at once.
    if state.plan.next.reason == Reason::Quota
        && !state.plan.today.on_day_of(now).is_spent(feed.quota)
    {
        let is_same_day = state.plan.today.on_day_of(now).day == state.plan.today.day;
        let why = if is_same_day { Why::QuotaRaised } else { Why::NextDay };
        let quiet = Duration::from_secs(quiet(&state.plan.next).into());
        // What the publisher asked for holds all the same.
        let at = state.plan.polled_at.and_then(|at| at.checked_add(quiet).ok()).unwrap_or(now);
        return Due { at: state.plan.next.due_at.map_or(now, |due| due.min(now.max(at))), why };
    }
    let at = due_at(feed, &state.plan.next, state.plan.polled_at, now);
    let soonest = state.plan.polled_at.and_then(|at| at.checked_add(feed.interval_min).ok());
    let pushed = asks_when_pushed(&state.plan).zip(soonest).map(|(at, soonest)| at.max(soonest));
    if let Some(pushed) = pushed.filter(|pushed| *pushed < at) {
        return Due { at: pushed, why: Why::Pushed };
    }
    let is_shortened = state.plan.next.due_at.is_some_and(|planned| at < planned);
    Due { at, why: if is_shortened { Why::Shortened } else { Why::Planned } }
}
