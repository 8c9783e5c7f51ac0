//! When to ask a feed again.
//!
//! [`plan`] weighs everything that has a say: the learned or configured interval, the server's
//! freshness (RFC 9111, 4.2), the feed's `ttl` and `skipHours`, our backoff after failures, `Retry-After`
//! (RFC 9110, 10.2.3). The plan keeps each of them, so `feeds explain` can say why.

pub mod conduct;
pub mod due;
#[cfg(test)]
mod months;
pub mod queue;
pub mod rhythm;
mod waiting;

use std::time::Duration;

use cw_model::state::{Claim, FeedPlan, Plan, Reason};
use cw_model::{FailureClass, Feed, FeedId, Skips, Timestamp};
pub use due::{Due, Why, due};
pub use queue::Queue;

/// A withdrawn feed is asked weekly, in case it was a mistake.
pub const GONE_INTERVAL: Duration = Duration::from_secs(7 * 24 * 3600);

/// A feed whose document ended the process that read it is asked again after a week: it will have
/// another by then.
pub const CRASH_INTERVAL: Duration = Duration::from_secs(7 * 24 * 3600);

/// The longest that days and hours which a feed does not want to be asked in leave.
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

/// A quota is one of a day.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The longest that what one feed was told holds for its whole host: a platform may refuse one of its many feeds.
const HOLD_MAX: Duration = Duration::from_secs(3600);

/// The shortest wait after 429 or 503 that names none: some servers send `Retry-After: 0` and ban
/// whoever believes them.
pub const BUSY_WAIT_MIN: Duration = Duration::from_secs(60);

/// The longest wait after our own machine could not ask: its trouble may be over in a moment, and
/// asking costs the publisher nothing as long as it stays.
pub const LOCAL_WAIT: Duration = Duration::from_secs(60);

/// The most jitter that is added to a wait, as a part of it.
const JITTER_MAX: f64 = 0.1;

/// What the last poll has to say about the next.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hints {
    /// The learned interval, before a configured one and the bounds.
    pub interval: Duration,
    /// Failures in a row, this one included.
    pub failures: u32,
    /// From the answer's headers.
    pub fresh_for: Option<Duration>,
    /// From the document.
    pub ttl: Option<Duration>,
    /// From the document.
    pub skips: Skips,
    /// From the answer's headers.
    pub retry_after: Option<Duration>,
    /// What the poll failed by, if it did.
    pub failed_by: Option<FailureClass>,
    /// Until the next day, for a feed that has used up its quota.
    pub quota: Option<Duration>,
    /// The longer interval of a feed whose hub pushes.
    pub safety_net: Option<Duration>,
}

/// When to poll a feed next.
///
/// `dice` is 0.0 to 1.0 and comes from the caller, as `now` does. A tenth of the wait at most is
/// added as jitter; nothing is ever taken off, so a server's request is always kept.
pub fn plan(feed: &Feed, hints: &Hints, now: Timestamp, dice: f64) -> Plan {
    let bounded = |wait: Duration| wait.clamp(feed.interval_min, feed.interval_max);
    let interval = bounded(feed.interval.unwrap_or(hints.interval));
    // `interval_max` bounds the hints too: "max-age=2592000" is seen on feeds that change hourly.
    let fresh_for = hints.fresh_for.map(|wait| wait.min(feed.interval_max));
    let ttl = hints.ttl.map(|wait| wait.min(feed.interval_max));
    let is_failed_by = |class| hints.failed_by == Some(class);
    let busy_wait =
        is_failed_by(FailureClass::Busy).then_some(BUSY_WAIT_MIN.min(feed.interval_max));
    let backoff = (hints.failures > 0)
        .then(|| bounded(interval.saturating_mul(1_u32 << hints.failures.min(6))))
        .max(busy_wait);
    // Outside the clamp: `interval_max` bounds our own caution, not a server's plain request.
    let retry_after = hints.retry_after.map(|wait| wait.min(feed.retry_after_max));
    // Who sets an interval wants it, whatever a hub says.
    let safety_net = hints.safety_net.filter(|_| feed.interval.is_none());
    let safety_net = safety_net.map(|wait| wait.min(feed.interval_max));
    let gone = is_failed_by(FailureClass::Gone).then_some(GONE_INTERVAL);
    let crash = is_failed_by(FailureClass::Crash).then_some(CRASH_INTERVAL);

    let mut wait = interval;
    let mut reason = Reason::Interval;
    for (claim, by) in [
        (safety_net, Reason::SafetyNet),
        (ttl, Reason::Ttl),
        (fresh_for, Reason::Freshness),
        (backoff, Reason::Backoff),
        (retry_after, Reason::RetryAfter),
        (gone, Reason::Gone),
        (hints.quota, Reason::Quota),
        (crash, Reason::Crash),
    ] {
        if let Some(claim) = claim.filter(|claim| *claim > wait) {
            wait = claim;
            reason = by;
        }
    }
    let jitter = wait.mul_f64(JITTER_MAX * dice.clamp(0.0, 1.0));
    let due_at = now.checked_add(wait + jitter).unwrap_or(Timestamp::MAX);
    let (quota, skips) = (hints.quota, hints.skips);
    // The jitter is added again: all feeds that skip the night would be asked in its last moment.
    let outside = skips.first_outside(due_at);
    if outside > due_at {
        reason = Reason::Skips;
    }
    let spread = if outside > due_at { jitter } else { Duration::ZERO };
    let due_at = Some(outside.checked_add(spread).unwrap_or(Timestamp::MAX));
    Plan {
        due_at,
        reason,
        interval,
        fresh_for,
        ttl,
        skips,
        backoff,
        retry_after,
        quota,
        safety_net,
        jitter,
    }
}

/// When to poll a feed next whose poll failed through no fault of its publisher: soon, and no
/// later for having failed before.
pub fn plan_after_local_trouble(feed: &Feed, plan: &Plan, now: Timestamp, dice: f64) -> Plan {
    let wait = LOCAL_WAIT.min(plan.interval.max(feed.interval_min));
    let jitter = wait.mul_f64(JITTER_MAX * dice.clamp(0.0, 1.0));
    let due_at = now.checked_add(wait + jitter).unwrap_or(Timestamp::MAX);
    // It may have become an hour meanwhile in which the feed is not to be asked.
    let outside = plan.skips.first_outside(due_at);
    let reason = if outside > due_at { Reason::Skips } else { Reason::Local };
    Plan { due_at: Some(outside), reason, jitter, ..*plan }
}

/// What decided when a planned poll comes, and the longest wait of the others that had a say.
pub fn claims(plan: &FeedPlan) -> (Claim, Option<Claim>) {
    let next = &plan.next;
    let all = waits(next);
    let claim = |of, wait: Duration| Claim { of, wait: seconds(wait) };
    let others = all.into_iter().filter(|(of, _)| *of != next.reason);
    let lost = others.filter_map(|(of, wait)| wait.map(|wait| claim(of, wait)));
    let lost = lost.max_by_key(|claim| claim.wait);
    let own = all.into_iter().find(|(of, _)| *of == next.reason).and_then(|(_, wait)| wait);
    let planned = || {
        let wait = next.due_at?.duration_since(plan.polled_at?);
        Duration::try_from(wait).ok()
    };
    (claim(next.reason, own.or_else(planned).unwrap_or_default()), lost)
}

/// What decided when a poll at `now` came: what was planned, or a hub that said sooner that there is news.
pub fn claims_at(plan: &FeedPlan, now: Timestamp) -> (Claim, Option<Claim>) {
    let (planned, lost) = claims(plan);
    let is_early = plan.next.due_at.is_some_and(|due_at| now < due_at);
    match plan.polled_at.filter(|_| is_early && asks_when_pushed(plan).is_some()) {
        Some(polled_at) => {
            let waited = Duration::try_from(now.duration_since(polled_at)).unwrap_or_default();
            (Claim { of: Reason::Push, wait: seconds(waited) }, Some(planned))
        }
        None => (planned, lost),
    }
}

/// When a feed may be asked because its hub has pushed since its last poll; `None` if it has not, or if what puts the feed
/// off is nothing that a push overrules.
///
/// The one thing that shortens a wait which a publisher asked for: the same publisher says now that there is news. What a
/// server asked for, and our own caution, stand. The wait that nobody shortens, `interval_min`, is the caller's.
pub fn asks_when_pushed(plan: &FeedPlan) -> Option<Timestamp> {
    let pushed_at = plan.pushed_at()?;
    let is_overruled = match plan.next.reason {
        Reason::Interval | Reason::Freshness | Reason::Ttl | Reason::Skips | Reason::SafetyNet => {
            plan.failures == 0
        }
        Reason::FirstPoll
        | Reason::Backoff
        | Reason::RetryAfter
        | Reason::Gone
        | Reason::Quota
        | Reason::Crash
        | Reason::Local
        | Reason::Push => false,
    };
    let server = plan.next.retry_after.unwrap_or_default();
    let earliest = plan.polled_at?.checked_add(server).ok()?;
    is_overruled.then(|| pushed_at.max(earliest))
}

/// How long a feed would wait if its hub did not push.
pub fn wait_without_hub(plan: &FeedPlan) -> Option<Duration> {
    let is_longest = plan.next.reason == Reason::SafetyNet;
    let others = waits(&plan.next).into_iter().filter(|(of, _)| *of != Reason::SafetyNet);
    others.filter_map(|(_, wait)| wait).max().filter(|_| is_longest)
}

/// Everything that has a say in a plan and that is a wait.
fn waits(next: &Plan) -> [(Reason, Option<Duration>); 7] {
    [
        (Reason::Interval, Some(next.interval).filter(|wait| !wait.is_zero())),
        (Reason::Freshness, next.fresh_for),
        (Reason::Ttl, next.ttl),
        (Reason::Backoff, next.backoff),
        (Reason::RetryAfter, next.retry_after),
        (Reason::Quota, next.quota),
        (Reason::SafetyNet, next.safety_net),
    ]
}

/// For how many seconds the publisher asked not to be asked, as far as a plan believes it.
pub fn quiet(plan: &Plan) -> u32 {
    [plan.fresh_for, plan.ttl, plan.retry_after].into_iter().flatten().max().map_or(0, seconds)
}

fn seconds(wait: Duration) -> u32 {
    u32::try_from(wait.as_secs()).unwrap_or(u32::MAX)
}

/// When a planned poll is due, by the configuration and the clock as they are now.
///
/// A plan is kept across restarts and reloads, and both may have changed since: a shorter interval
/// shortens a wait that was planned with a longer one, and a poll that a wrong clock put far into
/// the future waits no longer than from now.
pub fn due_at(feed: &Feed, plan: &Plan, polled_at: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let (Some(due_at), Some(polled_at)) = (plan.due_at, polled_at) else { return now };
    let longest = match plan.reason {
        Reason::FirstPoll => Duration::ZERO,
        Reason::Interval => {
            feed.interval.unwrap_or(feed.interval_max).clamp(feed.interval_min, feed.interval_max)
        }
        Reason::Freshness | Reason::Ttl | Reason::Backoff | Reason::SafetyNet | Reason::Push => {
            feed.interval_max
        }
        Reason::RetryAfter => feed.retry_after_max,
        Reason::Gone => GONE_INTERVAL,
        Reason::Quota => DAY,
        Reason::Crash => CRASH_INTERVAL,
        Reason::Local => LOCAL_WAIT,
        Reason::Skips => WEEK,
    };
    let longest = longest.saturating_add(longest.mul_f64(JITTER_MAX));
    let wait = Duration::try_from(due_at.duration_since(polled_at)).unwrap_or_default();
    polled_at.min(now).checked_add(wait.min(longest)).unwrap_or(Timestamp::MAX)
}

/// Until when the host of a feed has refused us, by the feed's last poll: whoever counts requests counts those
/// for its other feeds too, but for an hour at most.
pub fn refused_until(plan: &FeedPlan) -> Option<Timestamp> {
    let failure = plan.last_failure.as_ref().filter(|_| plan.failures > 0);
    let busy_at = failure.filter(|failure| failure.class == FailureClass::Busy).map(|it| it.at);
    let after = |at: Option<Timestamp>, wait: Duration| at?.checked_add(wait).ok();
    // It has asked to wait also where something else makes this feed wait longer; but not anew where the last poll
    // asked nobody.
    let asked = plan.next.retry_after.filter(|_| plan.next.reason != Reason::Local);
    let asked = asked.and_then(|wait| after(plan.polled_at, wait));
    let planned = plan.next.due_at.filter(|_| plan.next.reason == Reason::RetryAfter);
    let until = planned.or(asked.max(after(busy_at, BUSY_WAIT_MIN)))?;
    let latest = after(plan.polled_at.or(busy_at), HOLD_MAX);
    Some(until.min(latest.unwrap_or(Timestamp::MAX)))
}

/// A number from 0.0 to 1.0 that is fixed for a feed and a poll, and as good as random across
/// feeds: `process` is pure, so its dice must be an argument, and this makes one.
pub fn dice(feed: &FeedId, sequence: u64) -> f64 {
    use sha2::{Digest as _, Sha256};
    let mut hash = Sha256::new();
    hash.update(feed.as_str().as_bytes());
    hash.update(sequence.to_be_bytes());
    let first: [u8; 2] = hash.finalize().first_chunk().copied().unwrap_or_default();
    f64::from(u16::from_be_bytes(first)) / f64::from(u16::MAX)
}

#[cfg(test)]
mod tests;
