//! When a feed is to be polled next, and everything that made it so, as its state keeps it.
//!
//! Making a plan, and reading one by the configuration as it is now, is `schedule`'s.

use std::time::Duration;

use strum::{EnumIter, EnumString, FromRepr, IntoStaticStr};

use crate::{Skips, Timestamp};

/// What decided a plan.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, EnumIter, EnumString, FromRepr, IntoStaticStr,
)]
#[strum(serialize_all = "snake_case")]
#[repr(u8)]
pub enum Reason {
    /// A feed not polled before is due at once.
    #[default]
    FirstPoll,
    /// The interval learned from how often the feed changes, or the configured one.
    Interval,
    /// The answer says it stays current until then.
    Freshness,
    /// The feed's own `ttl`.
    Ttl,
    /// The wait that grows with failures.
    Backoff,
    /// The server asked for it.
    RetryAfter,
    /// The publisher withdrew the feed.
    Gone,
    /// It has added as much as it may in a day.
    Quota,
    /// Its document ended the process that read it.
    Crash,
    /// Our own machine could not ask.
    Local,
    /// The feed says that it is not to be asked at this hour or on this day.
    Skips,
    /// Its hub pushes, so it is asked less often, in case the hub fails.
    SafetyNet,
    /// Its hub says that there is news. Of requests only: a plan is made before that.
    Push,
}

impl Reason {
    /// Its name in feed states.
    pub(super) fn name(self) -> &'static str {
        self.into()
    }

    /// The reason of this name.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }

    /// The nearest that every program knows that reads feed states of this version.
    pub(super) fn known_from_the_start(self) -> Self {
        match self {
            Self::Quota | Self::Crash | Self::Local => Self::Backoff,
            Self::Skips => Self::Ttl,
            Self::SafetyNet | Self::Push => Self::Interval,
            Self::FirstPoll
            | Self::Interval
            | Self::Freshness
            | Self::Ttl
            | Self::Backoff
            | Self::RetryAfter
            | Self::Gone => self,
        }
    }

    /// For a person.
    pub fn text(self) -> &'static str {
        match self {
            Self::FirstPoll => "it has not been polled before",
            Self::Interval => "its interval",
            Self::Freshness => "its last answer stays current until then",
            Self::Ttl => "the feed's own ttl",
            Self::Backoff => "the wait that grows with failures",
            Self::RetryAfter => "the server asked to wait",
            Self::Gone => "the publisher withdrew it; it is asked weekly",
            Self::Quota => "it has added as much as it may in a day",
            Self::Crash => {
                "its document ended the process that read it; such a feed is asked weekly"
            }
            Self::Local => "this machine could not ask last time",
            Self::Skips => "the feed's own skipHours and skipDays",
            Self::SafetyNet => "its hub pushes, so it is asked less often",
            Self::Push => "its hub says that there is news",
        }
    }
}

/// When a feed is to be polled next, and everything that made it so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// When; `None` before the first poll: at once.
    pub due_at: Option<Timestamp>,
    /// What decided.
    pub reason: Reason,
    /// The learned or configured interval.
    pub interval: Duration,
    /// How long the last answer stays current, as far as it was believed.
    pub fresh_for: Option<Duration>,
    /// The feed's own `ttl`, as far as it was believed.
    pub ttl: Option<Duration>,
    /// When the feed is not to be asked, by its own word.
    pub skips: Skips,
    /// The wait after failures.
    pub backoff: Option<Duration>,
    /// What the server asked for, as far as it was believed.
    pub retry_after: Option<Duration>,
    /// Until the next day, for a feed that has used up its quota.
    pub quota: Option<Duration>,
    /// The longer interval of a feed whose hub pushes.
    pub safety_net: Option<Duration>,
    /// Added so that feeds do not move in step.
    pub jitter: Duration,
}
