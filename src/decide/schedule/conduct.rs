//! How a host has treated us lately: whether it keeps a place for long, and how long it is waited for.
//!
//! A poll costs the place that it holds, for as long as it holds it. A host that takes a connection
//! and says nothing costs as much as a thousand that answer at once, so hosts are told apart by that
//! cost and by nothing else: one that refuses at once costs nothing.

use std::time::Duration;

use cw_model::{Answer, FailureClass};

/// From then on a request is slow. Servers that make a feed anew for each request take some seconds.
pub const SLOW_AFTER: Duration = Duration::from_secs(4);

/// The part of the places that slow hosts may hold together: one in so many. As many again may be held by
/// hosts that only now turn out slow.
const SLOW_SHARE: usize = 4;

/// After so many requests that came to nothing in time, one has the whole of the time again: a host that
/// needs all of it would never be heard otherwise.
const CUT_SHORT_MAX: u32 = 3;

/// Whether a host keeps places for long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pace {
    /// It answered soon last time, or refused soon; or it was never asked.
    #[default]
    Prompt,
    /// Its last request took long.
    Slow,
    /// Its last request took long and brought nothing.
    Silent,
}

/// How a host has treated us lately.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conduct {
    /// Whether it keeps places for long.
    pub pace: Pace,
    /// Requests in a row that came to nothing in their time.
    late: u32,
}

/// What was heard of a host, as far as it shows how host and network are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It answered, whatever the answer was.
    Answer,
    /// Nothing: no address, no connection, or no whole answer in its time.
    Silence,
    /// Something that shows neither: somebody between us may have said it, or nobody was asked.
    Unclear,
}

impl Heard {
    /// What this answer shows.
    pub fn of(answer: &Answer) -> Self {
        match answer {
            Answer::Failed(failure) => Self::of_failure(failure.class),
            Answer::Body(_) | Answer::NotModified(_) => Self::Answer,
        }
    }

    fn of_failure(class: FailureClass) -> Self {
        match class {
            FailureClass::Dns | FailureClass::Connect | FailureClass::Timeout => Self::Silence,
            FailureClass::Tls
            | FailureClass::Cut
            | FailureClass::Protocol
            | FailureClass::AddressBlocked
            | FailureClass::NotItsTurn
            | FailureClass::Local
            | FailureClass::Panic
            | FailureClass::Crash => Self::Unclear,
            FailureClass::TooLarge
            | FailureClass::Bomb
            | FailureClass::Encoding
            | FailureClass::RedirectLoop
            | FailureClass::RedirectRefused
            | FailureClass::NotFound
            | FailureClass::Gone
            | FailureClass::Busy
            | FailureClass::Forbidden
            | FailureClass::BotChallenge
            | FailureClass::Server
            | FailureClass::Status
            | FailureClass::Empty
            | FailureClass::Html
            | FailureClass::NotAFeed
            | FailureClass::Malformed
            | FailureClass::TooDeep
            | FailureClass::Entities
            | FailureClass::Drift
            | FailureClass::TooCostly => Self::Answer,
        }
    }
}

/// Whether nothing was heard of a host that failed by this class.
pub fn is_silent_failure(class: FailureClass) -> bool {
    Heard::of_failure(class) == Heard::Silence
}

/// A request that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// How long it took.
    pub took: Duration,
    /// What came of it.
    pub heard: Heard,
}

impl Conduct {
    /// That of a host as far as the last failure of a feed tells, from before this process asked anybody:
    /// without an answer it has mostly kept us waiting.
    pub fn presumed(class: FailureClass) -> Option<Self> {
        is_silent_failure(class).then_some(Self { pace: Pace::Silent, late: 0 })
    }

    /// The conduct after one more request.
    #[must_use]
    pub fn after(self, Request { took, heard }: Request) -> Self {
        if took < SLOW_AFTER {
            return Self::default();
        }
        match heard {
            Heard::Answer | Heard::Unclear => Self { pace: Pace::Slow, late: 0 },
            Heard::Silence => Self { pace: Pace::Silent, late: self.late.saturating_add(1) },
        }
    }

    /// That of a host whose request was ended because others waited: it is slow, and not to blame.
    #[must_use]
    pub fn after_put_off(self) -> Self {
        Self { pace: self.pace.max(Pace::Slow), ..self }
    }

    /// The same of a host that nothing is known of. Most that say nothing for so long never do, and one that does
    /// hardly needs all of the time.
    #[must_use]
    pub fn of_unknown_put_off() -> Self {
        Self { pace: Pace::Silent, late: CUT_SHORT_MAX - 1 }
    }

    /// How long the next request may take.
    pub fn patience(self) -> Patience {
        match self.late % (CUT_SHORT_MAX + 1) {
            0 => Patience::Whole,
            1 => Patience::Half,
            _ => Patience::Third,
        }
    }
}

/// How much of the time for a request (`fetch.timeout`) it may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Patience {
    /// All of it.
    #[default]
    Whole,
    /// Half of it.
    Half,
    /// A third of it.
    Third,
}

impl Patience {
    /// So much of this time.
    pub fn of(self, whole: Duration) -> Duration {
        match self {
            Self::Whole => whole,
            Self::Half => whole / 2,
            Self::Third => whole / 3,
        }
    }
}

/// How many of these places slow hosts may hold together; at least one.
pub fn slow_places(places: usize) -> usize {
    (places / SLOW_SHARE).max(1)
}

/// How many of these places requests may hold that take long while prompt hosts wait, those of slow
/// hosts included; at least one.
pub fn long_places(places: usize) -> usize {
    (2 * places / SLOW_SHARE).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_costs_no_time_is_not_slow_whatever_comes_of_it() {
        let after = |took, heard| Conduct::default().after(Request { took, heard });
        assert_eq!(after(SECOND, Heard::Answer), Conduct::default());
        assert_eq!(after(SECOND, Heard::Silence), Conduct::default());
        assert_eq!(after(SLOW_AFTER, Heard::Answer).pace, Pace::Slow);
    }

    #[test]
    fn a_host_that_is_late_is_waited_for_less_and_now_and_then_as_long_as_any() {
        let mut conduct = Conduct::default();
        let mut patience = Vec::new();
        for _ in 0..8 {
            patience.push(conduct.patience());
            let took = conduct.patience().of(30 * SECOND);
            conduct = conduct.after(Request { took, heard: Heard::Silence });
            assert_eq!(conduct.pace, Pace::Silent);
        }
        let round = [Patience::Whole, Patience::Half, Patience::Third, Patience::Third];
        assert_eq!(patience, [round, round].concat());
        let prompt = Request { took: SECOND, heard: Heard::Answer };
        assert_eq!(conduct.after(prompt), Conduct::default());
    }

    #[test]
    fn a_quarter_of_the_places_and_at_least_one_is_for_slow_hosts() {
        assert_eq!([1, 2, 7, 8, 32].map(slow_places), [1, 1, 1, 2, 8]);
        assert_eq!([1, 2, 7, 8, 32].map(long_places), [1, 1, 3, 4, 16]);
    }
}
