//! When a feed is asked next, and how it stands: all of a state that the scheduler, counts and lists look at.

use std::sync::Arc;
use std::time::Duration;

use super::{DayUse, FollowedBy, LocalTime, Plan, Requests, Rhythm, Subscription, Trust, day_of};
use crate::{FailureClass, Feed, MovedBy, Network, Timestamp};

/// Where a feed stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Never polled.
    #[default]
    New,
    /// The last poll was answered.
    Fine,
    /// The last poll failed.
    Failing,
    /// The publisher withdrew it (410); asked weekly.
    Gone,
}

impl Standing {
    /// Its name in feed states and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Fine => "fine",
            Self::Failing => "failing",
            Self::Gone => "gone",
        }
    }
}

/// What the last failed poll came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastFailure {
    /// Its class.
    pub class: FailureClass,
    /// What happened, for a person.
    pub detail: String,
    /// When.
    pub at: Timestamp,
}

/// A document that ended the process that read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crash {
    /// Under which version and configuration.
    pub under: String,
    /// When.
    pub at: Timestamp,
}

/// On so many different days permanent redirects must have led to one place before it is asked first:
/// some are put up by mistake, and taken down within a day or two.
pub const MOVE_DAYS: u8 = 3;

/// How often it was said that a feed lives at one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moves {
    /// On how many days.
    pub days: u8,
    /// The last of them, in days since 1970.
    pub day: i64,
    /// Where those are who said it.
    pub network: Network,
    /// Who.
    pub by: MovedBy,
}

impl Moves {
    /// It is said now as well.
    #[must_use]
    pub fn confirmed(self, network: Network, now: Timestamp) -> Self {
        let day = day_of(now);
        // What was refused is not asked by versions either that know days alone.
        let days = match self.by {
            MovedBy::DocumentRefused => 0,
            _ if day == self.day => self.days.max(1),
            _ => self.days.saturating_add(1),
        };
        Self { days, day, network, ..self }
    }
}

/// The half of a state that every poll changes: small, and never packed.
///
/// One is held of every feed. What few feeds have is boxed: it would take its bytes of all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeedPlan {
    /// Polls committed: grows by one with each outcome.
    pub sequence: u64,
    /// Where the feed stands.
    pub standing: Standing,
    /// When it is to be polled next, and everything that made it so.
    pub next: Plan,
    /// The URL of the last poll, as configured: another one is tried at once.
    pub url: Option<Arc<str>>,
    /// The last poll, however it ended.
    pub polled_at: Option<Timestamp>,
    /// The last poll that was answered with a document or 304.
    pub succeeded_at: Option<Timestamp>,
    /// Failed polls since then.
    pub failures: u32,
    /// The last failure since then.
    pub last_failure: Option<Box<LastFailure>>,
    /// Where the feed lives now, by permanent redirects or its own word.
    pub moved_to: Option<String>,
    /// How often that was said, and by whom.
    pub moves: Moves,
    /// When the publisher first said that it had withdrawn the feed, since the last answer.
    pub gone_at: Option<Timestamp>,
    /// The learned interval; `None` before the first document.
    pub interval: Option<Duration>,
    /// What it is learned from; `None` before the first document.
    pub rhythm: Option<Rhythm>,
    /// How it was asked lately.
    pub requests: Requests,
    /// What it has added to the ledger today.
    pub today: DayUse,
    /// How far its validators are trusted.
    pub trust: Trust,
    /// By what the articles of its last document are told apart.
    pub followed_by: FollowedBy,
    /// Whether its dates are local time that is called UTC.
    pub local_time: LocalTime,
    /// The last document that ended the process that read it. Under the same version and configuration
    /// none of the feed is trusted again; under another this is forgotten once one has been read.
    pub crash: Option<Box<Crash>>,
    /// What is known of its hub; `None` of one that never named any.
    pub subscription: Option<Box<Subscription>>,
}

impl FeedPlan {
    /// Whether the last poll asked another URL than the one that is configured now. What it came to
    /// says nothing of this one.
    pub fn is_of_another_url(&self, feed: &Feed) -> bool {
        self.url.as_deref().is_some_and(|url| url != feed.url.as_str())
    }

    /// The same without what is known of the URL alone: how it answered, and what it asked for.
    #[must_use]
    pub fn without_its_url(&self) -> Self {
        Self {
            standing: Standing::New,
            next: Plan::default(),
            succeeded_at: None,
            failures: 0,
            last_failure: None,
            moved_to: None,
            moves: Moves::default(),
            gone_at: None,
            trust: Trust::default(),
            requests: Requests::default(),
            followed_by: FollowedBy::default(),
            local_time: LocalTime::default(),
            ..self.clone()
        }
    }

    /// Where the feed is asked first in place of its own URL. Every other poll that fails there asks its own
    /// URL, which may be right again.
    pub fn asks_at(&self) -> Option<&str> {
        let is_asked = self.moves.days >= MOVE_DAYS
            && self.moves.by != MovedBy::DocumentRefused
            && self.failures.is_multiple_of(2);
        self.moved_to.as_deref().filter(|_| is_asked)
    }

    /// Where the feed is known to live: what its document alone says is no knowledge until somebody has looked there.
    pub fn lives_at(&self) -> Option<&str> {
        let is_known = matches!(self.moves.by, MovedBy::Redirect | MovedBy::DocumentConfirmed);
        self.moved_to.as_deref().filter(|_| is_known)
    }

    /// The crash that the feed is put off for, if that is what its last poll came to.
    pub fn put_off_for(&self) -> Option<&Crash> {
        let is_last =
            self.last_failure.as_ref().is_some_and(|failure| failure.class == FailureClass::Crash);
        self.crash.as_deref().filter(|_| is_last)
    }

    /// Whether a person who reads either is told the same: how the feed stands, why it fails, where it
    /// lives now, and about how often it has failed.
    ///
    /// A count of failures is another one at powers of two. A feed that fails for ever then differs
    /// from itself ever more seldom, and a count that somebody reads is at least half the true one.
    pub fn reads_like(&self, other: &Self) -> bool {
        let class = |plan: &Self| plan.last_failure.as_ref().map(|failure| failure.class);
        self.standing == other.standing
            && class(self) == class(other)
            && self.moved_to == other.moved_to
            && self.moves.by == other.moves.by
            && self.failures.checked_ilog2() == other.failures.checked_ilog2()
            && self.hub_reads_like(other)
    }

    /// The same of its hub: which it is, and what holds with it. Times are another matter at every renewal.
    fn hub_reads_like(&self, other: &Self) -> bool {
        let read = |plan: &Self| {
            let hub = plan.subscription.as_deref()?;
            let pause = hub.pause.map(|pause| pause.why);
            Some((hub.generation, hub.offer.is_some(), hub.lease.is_some(), pause))
        };
        read(self) == read(other)
    }

    /// When its hub last pushed, if nobody has asked the feed since.
    pub fn pushed_at(&self) -> Option<Timestamp> {
        let pushed_at = self.subscription.as_deref()?.pushed_at?;
        self.polled_at.is_some_and(|polled_at| polled_at < pushed_at).then_some(pushed_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_that_fails_for_ever_reads_otherwise_ever_more_seldom() {
        let failed = |failures| FeedPlan { failures, ..FeedPlan::default() };
        let told: Vec<u32> =
            (1..=1000).filter(|count| !failed(*count).reads_like(&failed(count - 1))).collect();
        assert_eq!(told, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]);
    }
}
