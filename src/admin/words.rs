//! What is said of a feed's schedule, on the page, in the API and by `conflictwire feeds explain`.

use cw_decide::schedule::Why;
use cw_decide::subscription::Stage;
use cw_model::Timestamp;
use cw_model::state::{Distrust, Reason, Sends};

/// What decided when a feed is polled next, after "because": the plan of its last poll, or what
/// overrules that.
pub fn because(why: Option<Why>, reason: Reason) -> &'static str {
    why.and_then(change).unwrap_or_else(|| planned(reason))
}

/// What overrules the plan.
fn change(why: Why) -> Option<&'static str> {
    match why {
        Why::Planned | Why::NextDay => None,
        Why::Shortened => {
            Some("the configuration allows no longer wait now, or the clock was put back")
        }
        Why::NewUrl => Some("its URL is another since its last poll; when a daemon has read that"),
        Why::OtherSetUp => Some(
            "its configuration, the taxonomy, a lexicon or the version is another since its document \
             ended the process that read it; when a daemon runs with that",
        ),
        Why::Pushed => Some("its hub says that there is news"),
        Why::QuotaRaised => Some("its quota is larger now; when a daemon has read that"),
    }
}

/// What decided the plan.
fn planned(reason: Reason) -> &'static str {
    match reason {
        Reason::Interval => "its interval is over then",
        Reason::Ttl => "the feed's own ttl is over then",
        Reason::Backoff => "the wait that grows with failures is over then",
        Reason::FirstPoll
        | Reason::Freshness
        | Reason::RetryAfter
        | Reason::Gone
        | Reason::Quota
        | Reason::Crash
        | Reason::Local
        | Reason::Skips
        | Reason::SafetyNet
        | Reason::Push => reason.text(),
    }
}

/// How things stand with the hub of a feed. `moment` writes a time.
pub fn hub(stage: Stage, moment: impl Fn(Timestamp) -> String) -> String {
    match stage {
        Stage::None(None) => {
            "not subscribed; [websub] in the configuration says whether it is asked".to_owned()
        }
        Stage::None(Some(until)) => format!("not subscribed; asked again after {}", moment(until)),
        Stage::Asked => "asked, and not verified yet".to_owned(),
        Stage::Verified(until) => format!("it pushes until {}", moment(until)),
        Stage::Refused(until) => format!("it refused; asked again after {}", moment(until)),
        Stage::Unreliable(until) => format!(
            "unreliable: it did not push what polls found; the feed is polled as ever, and the hub tried again \
             after {}",
            moment(until)
        ),
    }
}

/// Which validators requests carry.
pub fn sends(sends: Sends) -> &'static str {
    match sends {
        Sends::All => "both are sent",
        Sends::Date => "If-Modified-Since alone is sent",
        Sends::Nothing => "none is sent, so that it always answers with the whole document",
    }
}

/// Why not all that it gave.
pub fn distrust(why: Distrust) -> &'static str {
    match why {
        Distrust::Refused => {
            "its server answers a request with more wrongly, and one without rightly"
        }
        Distrust::Lied => "its server has answered 304 (not modified) when there was news",
        Distrust::Changes => "its ETag is another one each time, under the same Last-Modified",
        Distrust::Useless => "neither its ETag nor its Last-Modified earns a 304 (not modified)",
    }
}
