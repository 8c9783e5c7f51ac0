//! Subscriptions of feeds to the hubs that their publishers name (W3C WebSub): when one is asked for, renewed, doubted
//! and ended.
//!
//! A push is a hint and no content: it makes its feed due, and the poll that follows reads the feed as always. So what a hub
//! does can make a feed late or asked too often, within limits, and nothing else.
//!
//! ```text
//!  none ── request ──► asked ── verified ──► verified ── two thirds of the lease ──► (asked again)
//!    ▲                  │  │                  │    ▲
//!    │   failed, or not │  │ denied           │    └── a push
//!    └── verified ──────┘  └──► refused       └── polls found news untold ──► unreliable
//! ```
//!
//! Refused and unreliable end after days, and the hub is asked once more. A hub or topic that changes is another
//! generation: the old one is ended, and nothing that comes for it counts.

use std::time::Duration;

use cw_model::Timestamp;
use cw_model::state::{HubLease, Leaving, Offer, Pause, PauseReason, Subscription};

/// The lease that is asked for. Hubs decide; most give as much.
pub const LEASE_ASKED: Duration = Duration::from_secs(10 * 24 * 3600);

/// A lease is taken for no shorter: a hub that grants seconds would be asked at every poll.
const LEASE_MIN: Duration = Duration::from_secs(3600);

/// And for no longer: a hub that forgets is found out by the renewal.
const LEASE_MAX: Duration = Duration::from_secs(14 * 24 * 3600);

/// The lease of a hub that names none, which it must (WebSub, 5.3).
const LEASE_UNNAMED: Duration = Duration::from_secs(24 * 3600);

/// A hub that has not verified a request by then has failed.
const VERIFIED_WITHIN: Duration = Duration::from_secs(600);

/// The pause after a request that failed; it doubles with failures in a row.
const FAILED_FIRST: Duration = Duration::from_secs(3600);

/// The longest such pause.
const FAILED_LONGEST: Duration = Duration::from_secs(2 * 24 * 3600);

/// The longest that a hub may ask to wait.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(14 * 24 * 3600);

/// How long a hub that refused is not asked.
const REFUSED_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

/// So many polls in a row that find news untold make a hub unreliable.
const MISSED_MAX: u32 = 3;

/// How long it is then taken for that.
const UNRELIABLE_FOR: Duration = Duration::from_secs(3 * 24 * 3600);

/// How often a hub is asked to end a subscription. Then that is left to the lease.
const LEAVING_TRIES: u32 = 3;

/// A feed whose hub pushes is asked so much less often,
const SAFETY_NET_FACTOR: u32 = 4;

/// and no less often than this.
const SAFETY_NET_MAX: Duration = Duration::from_secs(6 * 3600);

/// What is asked of a hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// To push.
    Subscribe,
    /// To push no more.
    Unsubscribe,
}

impl Mode {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Subscribe => "subscribe",
            Self::Unsubscribe => "unsubscribe",
        }
    }
}

/// A request to a hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubRequest {
    /// What for.
    pub mode: Mode,
    /// To which hub, and for what.
    pub offer: Offer,
    /// Which of the feed's subscriptions it is.
    pub generation: u32,
}

/// What a hub said, by a request to the callback of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It asks whether we want this.
    Verify {
        /// What.
        mode: Mode,
        /// For what.
        topic: String,
        /// For how long it would push.
        lease: Option<Duration>,
    },
    /// It does not want this subscription.
    Denied {
        /// For what.
        topic: String,
    },
    /// There is news.
    Pushed,
    /// Our request came to nothing.
    Failed {
        /// How long it asked to wait.
        retry_after: Option<Duration>,
    },
}

/// What is answered to what a hub said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HubReply {
    /// It is so.
    Yes,
    /// Nobody asked for that.
    Unasked,
    /// That subscription is over.
    Over,
}

/// How things stand with a hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nothing was agreed; until then it is not asked, if that is said.
    None(Option<Timestamp>),
    /// It was asked, and has not verified that yet.
    Asked,
    /// It pushes until then.
    Verified(Timestamp),
    /// It does not want the subscription, and is not asked until then.
    Refused(Timestamp),
    /// It does not push although it said so; until then nothing depends on it.
    Unreliable(Timestamp),
}

impl Stage {
    /// As metrics and the API call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::None(_) => "none",
            Self::Asked => "asked",
            Self::Verified(_) => "verified",
            Self::Refused(_) => "refused",
            Self::Unreliable(_) => "unreliable",
        }
    }
}

/// How things stand.
pub fn stage(subscription: &Subscription, now: Timestamp) -> Stage {
    let pause = subscription.pause.filter(|pause| now < pause.until);
    let lease = subscription.lease.filter(|lease| now < lease.until);
    match (pause, lease) {
        (Some(Pause { until, why: PauseReason::Refused }), _) => Stage::Refused(until),
        (Some(Pause { until, why: PauseReason::Unreliable }), _) => Stage::Unreliable(until),
        (_, Some(lease)) => Stage::Verified(lease.until),
        (Some(pause), None) => Stage::None(Some(pause.until)),
        (None, None) if subscription.asked_at.is_some() => Stage::Asked,
        (None, None) => Stage::None(None),
    }
}

/// A document was read, and names this.
pub fn offered(known: &mut Option<Box<Subscription>>, offer: Option<Offer>, now: Timestamp) {
    let Some(subscription) = known else {
        *known =
            offer.map(|offer| Box::new(Subscription { offer: Some(offer), ..Default::default() }));
        return;
    };
    if subscription.offer == offer {
        return;
    }
    let is_agreed = subscription.asked_at.is_some() || subscription.lease.is_some();
    let before = subscription.offer.take().filter(|_| is_agreed);
    let leaving = before.map(|offer| {
        let generation = subscription.generation;
        Leaving { offer, generation, tries: 0, not_before: now }
    });
    // A feed that names two hubs in turn would have us subscribe at every poll.
    let pause = leaving
        .as_ref()
        .map(|_| Pause { until: after(now, FAILED_FIRST), why: PauseReason::Failed });
    **subscription = Subscription {
        offer,
        generation: subscription.generation.wrapping_add(1),
        callback: subscription.callback.take(),
        leaving: leaving.or(subscription.leaving.take()),
        pause,
        ..Subscription::default()
    };
}

/// Forgets what was agreed under another callback: nobody listens there, and pushes to it are answered that it is over.
pub fn forget(subscription: &mut Subscription) {
    *subscription = Subscription {
        offer: subscription.offer.take(),
        generation: subscription.generation.wrapping_add(1),
        ..Subscription::default()
    };
}

/// A poll found news at `now`, and the one before it was answered at `after`: whether the hub had said something of it.
pub fn found_news(subscription: &mut Subscription, after: Option<Timestamp>, now: Timestamp) {
    let (Stage::Verified(_), Some(lease), Some(after)) =
        (stage(subscription, now), subscription.lease, after)
    else {
        return;
    };
    // What came before the hub had promised anything is not its affair.
    if was_told(subscription, after) || after < lease.since {
        return;
    }
    subscription.missed = subscription.missed.saturating_add(1);
    if subscription.missed >= MISSED_MAX {
        let until = self::after(now, UNRELIABLE_FOR);
        subscription.pause = Some(Pause { until, why: PauseReason::Unreliable });
    }
}

fn was_told(subscription: &Subscription, after: Timestamp) -> bool {
    subscription.pushed_at.is_some_and(|pushed_at| after < pushed_at)
}

/// How long the feed may wait after a poll at `now`, where its hub has shown that it pushes: longer than its interval, no
/// longer than `longest`, and no longer than until the lease is renewed.
///
/// Nothing is saved after a push that led to nothing: what was told of may not have reached the server that answered.
pub fn safety_net(
    subscription: &Subscription,
    (interval, longest): (Duration, impl FnOnce() -> Duration),
    heard: (bool, Option<Timestamp>),
    now: Timestamp,
) -> Option<Duration> {
    let Stage::Verified(_) = stage(subscription, now) else { return None };
    let (has_news, after) = heard;
    let has_pushed = subscription.pushed_at.is_some() && subscription.missed == 0;
    let is_late = !has_news && after.is_some_and(|after| was_told(subscription, after));
    if !has_pushed || is_late {
        return None;
    }
    let renewal = subscription.lease?.renew_at().duration_since(now);
    let renewal = Duration::try_from(renewal).unwrap_or_default();
    let longer =
        interval.saturating_mul(SAFETY_NET_FACTOR).min(SAFETY_NET_MAX).min(longest()).min(renewal);
    (interval < longer).then_some(longer)
}

/// What is to be asked of the hub now, if anything; it is taken for asked. `callback` is where hubs reach us.
pub fn next_request(
    subscription: &mut Subscription,
    callback: &str,
    now: Timestamp,
) -> Option<HubRequest> {
    if subscription.callback.as_deref() != Some(callback) {
        if subscription.callback.is_some() {
            forget(subscription);
        }
        subscription.callback = Some(callback.to_owned());
    }
    if let Some(request) = next_unsubscription(subscription, now) {
        return Some(request);
    }
    let offer = subscription.offer.clone()?;
    if let Some(asked_at) = subscription.asked_at {
        if now < after(asked_at, VERIFIED_WITHIN) {
            return None;
        }
        fail(subscription, None, now);
    }
    if subscription.pause.is_some_and(|pause| now < pause.until) {
        return None;
    }
    subscription.lease = subscription.lease.filter(|lease| now < lease.until);
    let is_due = subscription.lease.is_none_or(|lease| lease.renew_at() <= now);
    // After a pause it is asked whatever it has promised before.
    let ended = subscription.pause.take();
    if !is_due && ended.is_none() {
        return None;
    }
    if ended.is_some_and(|pause| pause.why == PauseReason::Unreliable) {
        subscription.missed = 0;
    }
    subscription.asked_at = Some(now);
    let generation = subscription.generation;
    Some(HubRequest { mode: Mode::Subscribe, offer, generation })
}

/// What is to be asked of the hub of a feed that is polled no more.
pub fn last_request(subscription: &Subscription) -> Option<HubRequest> {
    let is_agreed = subscription.asked_at.is_some() || subscription.lease.is_some();
    let (mode, generation) = (Mode::Unsubscribe, subscription.generation);
    let offer = subscription.offer.clone().filter(|_| is_agreed)?;
    Some(HubRequest { mode, offer, generation })
}

fn next_unsubscription(subscription: &mut Subscription, now: Timestamp) -> Option<HubRequest> {
    let leaving = subscription.leaving.as_mut()?;
    if leaving.tries >= LEAVING_TRIES {
        subscription.leaving = None;
        return None;
    }
    if now < leaving.not_before {
        return None;
    }
    leaving.tries += 1;
    leaving.not_before = after(now, doubled(leaving.tries));
    let Leaving { offer, generation, .. } = leaving;
    Some(HubRequest { mode: Mode::Unsubscribe, offer: offer.clone(), generation: *generation })
}

/// Takes in what a hub said of a feed's subscription of this generation.
pub fn hear(
    subscription: &mut Subscription,
    generation: u32,
    said: &Said,
    now: Timestamp,
) -> HubReply {
    if let Said::Verify { mode: Mode::Unsubscribe, topic, .. } = said {
        let is_wanted = |leaving: &Leaving| {
            leaving.generation == generation && leaving.offer.topic == *topic && leaving.tries > 0
        };
        return match subscription.leaving.take_if(|leaving| is_wanted(leaving)) {
            Some(_) => HubReply::Yes,
            None => HubReply::Unasked,
        };
    }
    let Some(offer) = subscription.offer.as_ref().filter(|_| subscription.generation == generation)
    else {
        return HubReply::Over;
    };
    let is_agreed = subscription.asked_at.is_some() || subscription.lease.is_some();
    match said {
        Said::Verify { topic, .. } | Said::Denied { topic }
            if *topic != offer.topic || !is_agreed =>
        {
            return HubReply::Unasked;
        }
        Said::Verify { lease, .. } => {
            let length = lease.unwrap_or(LEASE_UNNAMED).clamp(LEASE_MIN, LEASE_MAX);
            let since =
                subscription.lease.filter(|lease| now < lease.until).map(|lease| lease.since);
            let lease = HubLease {
                since: since.unwrap_or(now),
                granted_at: now,
                until: after(now, length),
            };
            (subscription.lease, subscription.asked_at, subscription.failures) =
                (Some(lease), None, 0);
            subscription.pause =
                subscription.pause.filter(|pause| pause.why == PauseReason::Unreliable);
        }
        Said::Denied { .. } => {
            (subscription.lease, subscription.asked_at) = (None, None);
            let until = after(now, REFUSED_FOR);
            subscription.pause = Some(Pause { until, why: PauseReason::Refused });
        }
        Said::Pushed => {
            (subscription.pushed_at, subscription.missed) = (Some(now), 0);
            subscription.pause =
                subscription.pause.filter(|pause| pause.why != PauseReason::Unreliable);
        }
        // One that was verified before it failed has not failed.
        Said::Failed { retry_after } if subscription.asked_at.is_some() => {
            fail(subscription, *retry_after, now);
        }
        Said::Failed { .. } => {}
    }
    HubReply::Yes
}

fn fail(subscription: &mut Subscription, retry_after: Option<Duration>, now: Timestamp) {
    subscription.asked_at = None;
    subscription.failures = subscription.failures.saturating_add(1);
    let wait =
        doubled(subscription.failures).max(retry_after.unwrap_or_default().min(RETRY_AFTER_MAX));
    subscription.pause = Some(Pause { until: after(now, wait), why: PauseReason::Failed });
}

/// The pause after so many failures in a row.
fn doubled(failures: u32) -> Duration {
    FAILED_FIRST.saturating_mul(1 << failures.saturating_sub(1).min(8)).min(FAILED_LONGEST)
}

fn after(now: Timestamp, wait: Duration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
