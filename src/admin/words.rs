//! What is said of a feed's schedule, on the page, in the API and by `conflictwire feeds explain`.

use cw_decide::schedule::Why;
use cw_decide::subscription::Stage;
use cw_model::state::{DAYS, Distrust, HOURS, Reason, Sends};
use cw_model::{MovedBy, Skips, Timestamp};

/// What fewer polls show of a feed's rhythm is hardly more than what every rhythm begins with.
pub const RHYTHM_POLLS_MIN: u64 = 8;

/// Weekdays, as a week begins.
pub const WEEKDAYS: [&str; DAYS] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

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
        Why::HostRefused => Some("its server asked to wait when it was asked for another feed"),
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

/// What a wait between two requests is called.
pub fn rule(of: Reason) -> &'static str {
    match of {
        Reason::FirstPoll => "first poll",
        Reason::Interval => "interval",
        Reason::Freshness => "freshness",
        Reason::Ttl => "ttl",
        Reason::Backoff => "backoff",
        Reason::RetryAfter => "retry after",
        Reason::Gone => "withdrawn",
        Reason::Quota => "quota",
        Reason::Crash => "crash",
        Reason::Local => "this machine's trouble",
        Reason::Skips => "skips",
        Reason::SafetyNet => "safety net",
        Reason::Push => "a push, waited",
    }
}

/// The hours and weekdays in which a feed is not to be asked, by its own word; `None` if there are none.
pub fn skips(skips: Skips) -> Option<String> {
    let hours =
        (0..HOURS).filter(|hour| skips.hours >> hour & 1 > 0).map(|hour| format!("{hour}h"));
    let days = WEEKDAYS.iter().enumerate().filter(|(day, _)| skips.days >> day & 1 > 0);
    let all: Vec<String> = hours.chain(days.map(|(_, name)| (*name).to_owned())).collect();
    (!skips.is_empty()).then(|| all.join(" "))
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

/// Who says that a feed moved, and what came of it, after "as".
pub fn moved_by(by: MovedBy) -> &'static str {
    match by {
        MovedBy::Redirect => "its server says",
        MovedBy::Document => "its document says (itunes:new-feed-url)",
        MovedBy::DocumentConfirmed => "its document says, and the same articles are there",
        MovedBy::DocumentRefused => "its document says, but the same articles are not there",
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
