//! When a feed is due, by its state and by the configuration and the clock as they are now.
//!
//! A state says what was planned at the last poll. What has changed since may overrule it, and both
//! the scheduler and the commands that show a schedule must say the same then.

use super::{FeedState, Standing};
use crate::model::{Feed, Timestamp};
use crate::schedule::{self, Plan, Reason};

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
}

impl FeedState {
    /// When the feed is due. `under` makes what a crash is remembered under, of the configuration as
    /// it is now.
    pub fn due(&self, feed: &Feed, under: impl FnOnce() -> String, now: Timestamp) -> Due {
        let at_once = |why| Due { at: now, why };
        // A new URL under an old id keeps the state and is tried at once: someone changed it
        // because the old one did not do.
        if self.is_of_another_url(feed) {
            return at_once(Why::NewUrl);
        }
        // So is one whose document crashed an earlier version, or this one configured otherwise.
        if self.put_off_for().is_some_and(|crash| crash.under != under()) {
            return at_once(Why::OtherSetUp);
        }
        // A quota may have been raised, and the next day begins for all feeds at once.
        if self.plan.reason == Reason::Quota && !self.today.on_day_of(now).is_spent(feed.quota) {
            let is_same_day = self.today.on_day_of(now).day == self.today.day;
            let why = if is_same_day { Why::QuotaRaised } else { Why::NextDay };
            return Due { at: self.plan.due_at.map_or(now, |at| at.min(now)), why };
        }
        let at = schedule::due_at(feed, &self.plan, self.polled_at, now);
        let is_shortened = self.plan.due_at.is_some_and(|planned| at < planned);
        Due { at, why: if is_shortened { Why::Shortened } else { Why::Planned } }
    }

    /// Whether the last poll asked another URL than the one that is configured now. What it came to
    /// says nothing of this one.
    pub fn is_of_another_url(&self, feed: &Feed) -> bool {
        self.url.as_ref().is_some_and(|url| *url != feed.url.as_str())
    }

    /// The same without what is known of the URL alone: how it answered, and what it asked for. What it
    /// showed stays.
    #[must_use]
    pub fn without_its_url(&self) -> Self {
        Self {
            standing: Standing::New,
            plan: Plan::default(),
            succeeded_at: None,
            failures: 0,
            last_failure: None,
            moved_to: None,
            body_digest: None,
            ..self.clone()
        }
    }
}
