//! When a feed is to be polled next, and everything that made it so, as its state keeps it.
//!
//! Making a plan, and reading one by the configuration as it is now, is `schedule`'s.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use strum::{EnumIter, EnumString, IntoStaticStr};

use crate::Timestamp;

/// What decided a plan.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    EnumIter,
    EnumString,
    IntoStaticStr,
)]
#[strum(serialize_all = "snake_case")]
#[serde(from = "WrittenReason", into = "WrittenReason")]
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
}

impl Reason {
    /// Its name in feed states.
    fn name(self) -> &'static str {
        self.into()
    }

    fn of_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }

    /// The nearest that every program knows that reads feed states of this version.
    fn known_from_the_start(self) -> Self {
        match self {
            Self::Quota | Self::Crash | Self::Local => Self::Backoff,
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
        }
    }
}

/// A reason as it is written, two members of a plan. The first programs that read states refuse one
/// with a reason that they do not know, and with it every state beside it: `reason` is one that they
/// know, `exact_reason` the reason itself where that is another.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct WrittenReason {
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    exact_reason: Option<String>,
}

impl From<Reason> for WrittenReason {
    fn from(reason: Reason) -> Self {
        let known = reason.known_from_the_start();
        let exact_reason = (known != reason).then(|| reason.name().to_owned());
        Self { reason: known.name().to_owned(), exact_reason }
    }
}

impl From<WrittenReason> for Reason {
    fn from(WrittenReason { reason, exact_reason }: WrittenReason) -> Self {
        let exact = exact_reason.and_then(|exact| Self::of_name(&exact));
        // One that a later version gave is no reason to ask sooner than it would.
        let nearest = if reason.is_empty() { Self::FirstPoll } else { Self::Backoff };
        exact.or_else(|| Self::of_name(&reason)).unwrap_or(nearest)
    }
}

/// When a feed is to be polled next, and everything that made it so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Plan {
    /// When; `None` before the first poll: at once.
    pub due_at: Option<Timestamp>,
    /// What decided.
    #[serde(flatten)]
    pub reason: Reason,
    /// The learned or configured interval.
    pub interval: Duration,
    /// How long the last answer stays current, as far as it was believed.
    pub fresh_for: Option<Duration>,
    /// The feed's own `ttl`, as far as it was believed.
    pub ttl: Option<Duration>,
    /// The wait after failures.
    pub backoff: Option<Duration>,
    /// What the server asked for, as far as it was believed.
    pub retry_after: Option<Duration>,
    /// Until the next day, for a feed that has used up its quota.
    pub quota: Option<Duration>,
    /// Added so that feeds do not move in step.
    pub jitter: Duration,
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator as _;

    use super::*;

    /// One word more in a state, and the first programs refuse the ledger.
    #[test]
    fn every_plan_reads_back_and_is_readable_to_the_first_programs() {
        for reason in Reason::iter() {
            let plan = Plan { reason, quota: Some(Duration::from_secs(1)), ..Plan::default() };
            let written = serde_json::to_value(plan).unwrap();
            let known =
                ["first_poll", "interval", "freshness", "ttl", "backoff", "retry_after", "gone"];
            assert!(known.iter().any(|known| written["reason"] == *known), "{written}");
            assert_eq!(serde_json::from_value::<Plan>(written).unwrap(), plan);
        }
        let unheard_of = r#"{"reason":"gone","exact_reason":"unheard_of"}"#;
        assert_eq!(serde_json::from_str::<Plan>(unheard_of).unwrap().reason, Reason::Gone);
        let unheard_of = r#"{"reason":"unheard_of"}"#;
        assert_eq!(serde_json::from_str::<Plan>(unheard_of).unwrap().reason, Reason::Backoff);
        assert_eq!(serde_json::from_str::<Plan>("{}").unwrap(), Plan::default());
    }
}
