//! The wire form of what a state keeps of a feed's hub.

use serde::{Deserialize, Serialize};

use super::{HubLease, Leaving, Offer, Pause, PauseReason, Subscription};
use crate::Timestamp;

/// See [`Subscription`].
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct SubscriptionRecord {
    #[serde(skip_serializing_if = "Option::is_none")]
    offer: Option<OfferRecord>,
    generation: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lease: Option<LeaseRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pause: Option<PauseRecord>,
    failures: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pushed_at: Option<Timestamp>,
    missed: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    leaving: Option<LeavingRecord>,
}

#[derive(Debug, Serialize, Deserialize)]
struct OfferRecord {
    hub: String,
    topic: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct LeaseRecord {
    since: Timestamp,
    granted_at: Timestamp,
    until: Timestamp,
}

#[derive(Debug, Serialize, Deserialize)]
struct PauseRecord {
    until: Timestamp,
    why: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct LeavingRecord {
    hub: String,
    topic: String,
    generation: u32,
    tries: u32,
    not_before: Timestamp,
}

impl From<Subscription> for SubscriptionRecord {
    fn from(subscription: Subscription) -> Self {
        let Subscription {
            offer,
            generation,
            callback,
            asked_at,
            lease,
            pause,
            failures,
            pushed_at,
            missed,
            leaving,
        } = subscription;
        let pause = pause.map(|Pause { until, why }| {
            let why: &'static str = why.into();
            PauseRecord { until, why: why.to_owned() }
        });
        let leaving = leaving.map(|Leaving { offer, generation, tries, not_before }| {
            let Offer { hub, topic } = offer;
            LeavingRecord { hub, topic, generation, tries, not_before }
        });
        Self {
            offer: offer.map(|Offer { hub, topic }| OfferRecord { hub, topic }),
            generation,
            callback,
            asked_at,
            lease: lease.map(|HubLease { since, granted_at, until }| LeaseRecord {
                since,
                granted_at,
                until,
            }),
            pause,
            failures,
            pushed_at,
            missed,
            leaving,
        }
    }
}

impl From<SubscriptionRecord> for Subscription {
    fn from(record: SubscriptionRecord) -> Self {
        // A reason of a later version is one not to ask either.
        let pause = record.pause.map(|PauseRecord { until, why }| Pause {
            until,
            why: why.parse().unwrap_or(PauseReason::Failed),
        });
        let leaving = record.leaving.map(|leaving| {
            let LeavingRecord { hub, topic, generation, tries, not_before } = leaving;
            Leaving { offer: Offer { hub, topic }, generation, tries, not_before }
        });
        Self {
            offer: record.offer.map(|OfferRecord { hub, topic }| Offer { hub, topic }),
            generation: record.generation,
            callback: record.callback,
            asked_at: record.asked_at,
            lease: record.lease.map(|LeaseRecord { since, granted_at, until }| HubLease {
                since,
                granted_at,
                until,
            }),
            pause,
            failures: record.failures,
            pushed_at: record.pushed_at,
            missed: record.missed,
            leaving,
        }
    }
}
